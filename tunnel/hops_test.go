package tunnel

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aspectop/model"
	"aspectop/receiver"
)

func newProber() *Prober { return NewProber(sign, "127.0.0.1:8787", webhookPath) }

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
}

// keeper is a journal that keeps nothing, because no probe may enter one.
type keeper struct{ t *testing.T }

func (k keeper) Append(context.Context, *model.Delivery) error {
	k.t.Error("a probe was kept")
	return nil
}

// target is the real receiver on a real socket, with the prober it knows.
type target struct {
	*Prober
	address string
	status  *model.StatusLog
	server  *receiver.Server
}

func newTarget(t *testing.T) *target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &target{address: l.Addr().String(), status: model.NewStatusLog(100)}
	r.Prober = NewProber(sign, r.address, webhookPath)
	r.timeout, r.wait = enough, enough
	r.server, err = receiver.New(receiver.Config{
		Path: webhookPath, Secrets: []receiver.Secret{receiver.NewSecret("default")},
		Journal: keeper{t}, Status: r.status, Probed: r.Saw, Foreign: r.Foreign,
	})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- r.server.Serve(l) }()
	t.Cleanup(func() {
		r.server.Shutdown(context.Background())
		<-served
	})
	return r
}

// proxy leads to the receiver, after change.
func (r *target) proxy(change func(*http.Request)) http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(&url.URL{Scheme: "http", Host: r.address})
		change(p.Out)
	}}
}

// rebody is a proxy that changes bodies.
func (r *target) rebody(change func([]byte) []byte) http.Handler {
	return r.proxy(func(q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		body = change(body)
		q.Body, q.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	})
}

// relayed answers itself before it forwards, as smee does.
func (r *target) relayed(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		q.Body = io.NopCloser(bytes.NewReader(body))
		w.WriteHeader(status)
		http.NewResponseController(w).Flush()
		r.proxy(func(*http.Request) {}).ServeHTTP(httptest.NewRecorder(), q.WithContext(context.Background()))
	})
}

func strip(names ...string) func(*http.Request) {
	return func(q *http.Request) {
		for _, name := range names {
			q.Header.Del(name)
		}
	}
}

// What happens on the way of a probe that reaches the receiver, and what is said of it:
// never less than what was seen.
func TestWhatArrivedIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		front func(*target) http.Handler
		path  string // of the public URL
		says  []string
	}{
		"F4 prefix": {func(r *target) http.Handler {
			return r.proxy(func(q *http.Request) { q.URL.Path = "/pre" + q.URL.Path })
		}, "", []string{"path: the probe arrived here as /pre/webhooks/aspect", "takes /webhooks/aspect", "use --path /pre/webhooks/aspect, or let HOST leave the path"}},
		"F4 trailing slash": {func(r *target) http.Handler {
			return r.proxy(func(q *http.Request) { q.URL.Path += "/" })
		}, "", []string{"path: the probe arrived here as /webhooks/aspect/, but", "--path /webhooks/aspect/"}},
		"F4 the URL's own path": {func(r *target) http.Handler {
			return r.proxy(func(*http.Request) {})
		}, "/hook", []string{"arrived here as /hook", "--path /hook, or a public URL that ends in /webhooks/aspect"}},
		"F5 GET": {func(r *target) http.Handler {
			return r.proxy(func(q *http.Request) {
				q.Method, q.Body, q.ContentLength = http.MethodGet, http.NoBody, 0
				q.Header.Del("Content-Length")
			})
		}, "", []string{"method: the probe arrived here as GET", "turns POST into GET"}},
		"F6 JSON re-serialised": {func(r *target) http.Handler {
			return r.rebody(func(body []byte) []byte {
				var v any
				json.Unmarshal(body, &v)
				body, _ = json.Marshal(v)
				return body
			})
		}, "", []string{"body: something between HOST and here re-serialises JSON (lost: the spaces, the \\u escapes, 1.0, the 20-digit integer); a signature matches only"}},
		"F6 only \\u escapes": {func(r *target) http.Handler {
			return r.rebody(func(body []byte) []byte { return bytes.ReplaceAll(body, []byte(`\u00e9`), []byte("é")) })
		}, "", []string{"re-serialises JSON (lost: the \\u escapes)"}},
		"F6 cut": {func(r *target) http.Handler {
			return r.rebody(func(body []byte) []byte { return body[:1024] })
		}, "", []string{"body: something between HOST and here cuts bodies at 1 KiB"}},
		"F6 cut short": {func(r *target) http.Handler {
			return r.rebody(func(body []byte) []byte { return body[:100] })
		}, "", []string{"cuts bodies at 100 bytes"}},
		"no body": {func(r *target) http.Handler {
			return r.rebody(func([]byte) []byte { return nil })
		}, "", []string{"removes the body"}},
		"trailing newline": {func(r *target) http.Handler {
			return r.rebody(func(body []byte) []byte { return append(body, '\n') })
		}, "", []string{"adds white space"}},
		"gzip": {func(r *target) http.Handler {
			return r.rebody(func(body []byte) []byte {
				var b bytes.Buffer
				z := gzip.NewWriter(&b)
				z.Write(body)
				z.Close()
				return b.Bytes()
			})
		}, "", []string{"compresses bodies (gzip)"}},
		"latin1": {func(r *target) http.Handler {
			return r.rebody(func(body []byte) []byte { return bytes.ReplaceAll(body, []byte("ü"), []byte("\xfc")) })
		}, "", []string{"changes the encoding of non-ASCII characters"}},
		"another body": {func(r *target) http.Handler {
			return r.rebody(func(body []byte) []byte { return append([]byte("payload="), body...) })
		}, "", []string{"alters bodies (2048 bytes became 2056)"}},
		"no id": {func(r *target) http.Handler { return r.proxy(strip("Svix-Id")) }, "",
			[]string{"signature: the probe arrived here without svix-id: something between HOST and here removes headers"}},
		"no svix headers": {func(r *target) http.Handler {
			return r.proxy(strip("Svix-Id", "Svix-Timestamp", "Svix-Signature"))
		}, "", []string{"without svix-id, svix-timestamp, svix-signature"}},
		"other time": {func(r *target) http.Handler {
			return r.proxy(func(q *http.Request) { q.Header.Set("Svix-Timestamp", "1") })
		}, "", []string{"signature: the probe arrived here with another svix-timestamp"}},
		"F10 answered before": {func(r *target) http.Handler { return r.relayed(http.StatusOK) }, "",
			[]string{"edge: the probe arrived here, but HOST answers 200 in our place: what is rejected or lost here, Svix will never send again"}},
		"F10 answered before, and a prefix": {func(r *target) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				q.URL.Path = "/x" + q.URL.Path
				r.relayed(200).ServeHTTP(w, q)
			})
		}, "", []string{"path: the probe arrived here as /x/webhooks/aspect", "; and HOST answers 200 in our place"}},
		"answer replaced": {func(r *target) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				r.proxy(func(*http.Request) {}).ServeHTTP(httptest.NewRecorder(), q)
				w.WriteHeader(http.StatusBadGateway)
			})
		}, "", []string{"edge: the probe arrived here, but HOST answered 502 in our place"}},
		"answer lost": {func(r *target) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				r.proxy(func(*http.Request) {}).ServeHTTP(httptest.NewRecorder(), q)
				panic(http.ErrAbortHandler)
			})
		}, "", []string{"edge: the probe arrived here, but its answer did not come back through HOST (connection closed)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newTarget(t)
			front := httptest.NewServer(c.front(r))
			t.Cleanup(front.Close)
			path := webhookPath
			if c.path != "" {
				path = c.path
			}
			got := r.Probe(t.Context(), front.URL+path, true)
			expectWords(t, got, front.Listener.Addr().String(), c.says)
			if n := len(recorded(r.status)); n != 0 || r.server.Counts().Verified != 0 {
				t.Errorf("the receiver recorded %d", n)
			}
		})
	}
}

func recorded(log *model.StatusLog) []model.Status {
	all, _, _ := log.After(0)
	return all
}

func expectWords(t *testing.T, got model.Probe, host string, says []string) {
	t.Helper()
	for _, want := range says {
		if want = strings.ReplaceAll(want, "HOST", host); got.OK || !strings.Contains(got.Detail, want) {
			t.Errorf("it says %q, not %q", got.Detail, want)
		}
	}
	if len(got.Detail) > 320 || strings.Contains(got.Detail, "%!") {
		t.Errorf("it says %q", got.Detail)
	}
}

// An answer to a probe that did not arrive is not the receiver's, so nothing here can be
// to blame.
func TestAForeignAnswerIsNamed(t *testing.T) {
	answers := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			io.WriteString(w, body)
		}
	}
	to := func(code int, where string) http.HandlerFunc {
		return func(w http.ResponseWriter, q *http.Request) {
			w.Header().Set("Location", strings.ReplaceAll(where, "HOST", q.Host))
			w.WriteHeader(code)
		}
	}
	for name, c := range map[string]struct {
		front http.Handler
		says  []string
	}{
		"F3 login":           {to(302, "http://HOST/login?next=/webhooks/aspect"), []string{"edge: HOST redirects to another page, http://HOST/login (302)", "cannot log in", "exempt /webhooks/aspect"}},
		"F3 login, relative": {to(302, "/oauth2/start"), []string{"another page, http://HOST/oauth2/start (302)"}},
		"F3 login elsewhere": {to(302, "https://sso.example.com/webhooks/aspect?state=s3cr3t"), []string{"another page, https://sso.example.com/webhooks/aspect (302)"}},
		"F3 https":           {to(301, "https://HOST/webhooks/aspect"), []string{"edge: HOST redirects to https://HOST/webhooks/aspect (301)", "use that URL"}},
		"F3 slash":           {to(308, "/webhooks/aspect/"), []string{"redirects to http://HOST/webhooks/aspect/ (308)", "use that URL"}},
		"redirect nowhere":   {to(302, ""), []string{"edge: HOST answered 302 without an address"}},
		"hostile redirect":   {to(302, "https://x.example.com/\u202e"), []string{"another page, https://x.example.com/%E2%80%AE"}},
		"F15 no client":      {answers(404, "tunnel not found"), []string{"tunnel: HOST answered 404 itself, and nothing arrived here: is the tunnel's client running", "lead to 127.0.0.1:"}},
		"F17 nginx":          {answers(400, "<title>400 The plain HTTP request was sent to HTTPS port</title>"), []string{"TLS: this port of HOST takes only TLS; use https://HOST"}},
		"F19 other aspectop": {answers(400, "Invalid signature"), []string{"origin: HOST leads to another receiver of webhooks"}},
		"other 400":          {answers(400, "Bad Request"), []string{"origin: HOST answered 400, and nothing arrived here"}},
		"F6 limit":           {answers(413, ""), []string{"edge: HOST refuses a body of 2048 bytes (413)"}},
		"no tunnel":          {answers(530, "error code: 1033"), []string{"edge: Cloudflare has no connected tunnel for HOST"}},
		"tunnel error":       {answers(503, "<title>Error 1033</title>"), []string{"edge: Cloudflare has no connected tunnel"}},
		"no origin":          {answers(502, "<html>Bad gateway"), []string{"tunnel: HOST answered 502, and nothing arrived here; check its target, which must be 127.0.0.1:"}},
		"no rule":            {answers(503, ""), []string{"tunnel: HOST answered 503"}},
		"access":             {answers(403, "<html>"), []string{"edge: HOST denies access (403)", "remove the access rule for /webhooks/aspect"}},
		"method":             {answers(405, ""), []string{"edge: HOST does not take POST"}},
		"limit":              {answers(429, ""), []string{"edge: HOST is rate limiting"}},
		"hangs":              {answers(524, ""), []string{"timeout: HOST got no answer (524)"}},
		"other program":      {answers(204, ""), []string{"origin: HOST answered 204, and nothing arrived here: another program"}},
		"odd program":        {answers(418, ""), []string{"origin: HOST answered 418", "another program"}},
		"out of order":       {answers(521, ""), []string{"edge: HOST answered 521"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			front := httptest.NewServer(c.front)
			t.Cleanup(front.Close)
			r := newTarget(t)
			r.wait = time.Millisecond // nothing will ever arrive
			got := r.Probe(t.Context(), front.URL+webhookPath, true)
			expectWords(t, got, front.Listener.Addr().String(), c.says)
			if strings.Contains(got.Detail, "alters") || strings.Contains(got.Detail, "removes") || strings.Contains(got.Detail, "s3cr3t") {
				t.Errorf("it guesses or tells too much: %s", got.Detail)
			}
		})
	}
}

// rawServer serves each connection with serve, and closes it after.
func rawServer(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return l.Addr().String()
}

// readRequest reads all that a client sends.
func readRequest(c net.Conn) {
	buf := make([]byte, 64<<10)
	for seen := 0; seen < probeSize; {
		n, err := c.Read(buf)
		if seen += n; err != nil {
			return
		}
	}
}

// certified serves TLS with a certificate of its own authority.
func certified(t *testing.T, names []string, until time.Time) (address string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sheet := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, DNSNames: names, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: until.Add(-240 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if names != nil {
		sheet.IPAddresses = nil
	}
	der, err := x509.CreateCertificate(rand.Reader, sheet, sheet, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(parsed)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), roots
}

func TestARequestWithoutAnAnswerIsNamed(t *testing.T) {
	future := time.Now().Add(24 * time.Hour)
	unknown := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "a.example.com", IsNotFound: true}}
	}
	for name, c := range map[string]struct {
		open func(t *testing.T, p *Prober) (url string)
		says []string
	}{
		"unknown name": {func(t *testing.T, p *Prober) string {
			p.transport.DialContext = unknown
			return "https://a.example.com/"
		}, []string{"DNS: cannot resolve a.example.com (no such host)"}},
		"closed port": {func(t *testing.T, p *Prober) string { return "http://" + closedPort(t) },
			[]string{"TCP: nothing listens at HOST (connect: connection refused): is it running"}},
		"F7 dropped, as 444": {func(t *testing.T, p *Prober) string {
			return "http://" + rawServer(t, readRequest)
		}, []string{"edge: HOST took the request and closed the connection without an answer, and nothing arrived here", "nginx: return 444"}},
		"F7 self-signed": {func(t *testing.T, p *Prober) string {
			address, _ := certified(t, nil, future)
			return "https://" + address
		}, []string{"TLS: the certificate of HOST is not publicly trusted", "only one from a public authority"}},
		"F7 expired": {func(t *testing.T, p *Prober) string {
			address, roots := certified(t, nil, time.Now().Add(-time.Hour))
			p.transport.TLSClientConfig = &tls.Config{RootCAs: roots}
			return "https://" + address
		}, []string{"TLS: the certificate of HOST is valid from ", "renew it, or correct this machine's clock"}},
		"F7 another name": {func(t *testing.T, p *Prober) string {
			address, roots := certified(t, []string{"other.example.com"}, future)
			p.transport.TLSClientConfig = &tls.Config{RootCAs: roots, ServerName: "a.example.com"}
			return "https://" + address
		}, []string{"TLS: the certificate of HOST is for another name", "other.example.com"}},
		"F16 a port that leads nowhere": {func(t *testing.T, p *Prober) string {
			p.wait = enough
			return "http://" + rawServer(t, func(c net.Conn) {
				if next, err := net.Dial("tcp", closedPort(t)); err == nil { // as ssh -R, chisel, bore and frp do
					next.Close()
				}
			})
		}, []string{"tunnel: HOST accepts connections and closes them before anything is sent", "it must lead to 127.0.0.1:8787"}},
		"F16 the same, slowly": {func(t *testing.T, p *Prober) string {
			p.wait = enough
			return "http://" + rawServer(t, func(net.Conn) { time.Sleep(20 * time.Millisecond) }) // as haproxy, which tries again
		}, []string{"tunnel: HOST accepts connections and closes them before anything is sent"}},
		"F16 the same with TLS": {func(t *testing.T, p *Prober) string {
			p.wait = enough
			return "https://" + rawServer(t, func(net.Conn) {})
		}, []string{"tunnel: HOST accepts connections and closes them", "must lead to 127.0.0.1:8787"}},
		"F17 http to TLS": {func(t *testing.T, p *Prober) string {
			address, _ := certified(t, nil, future)
			return "http://" + address
		}, []string{"TLS: this port of HOST takes only TLS; use https://HOST"}},
		"F17 https to HTTP": {func(t *testing.T, p *Prober) string {
			server := httptest.NewServer(http.NotFoundHandler())
			t.Cleanup(server.Close)
			return "https://" + server.Listener.Addr().String()
		}, []string{"TLS: HOST speaks no TLS on this port", "or http://HOST"}},
		"TLS broken off": {func(t *testing.T, p *Prober) string {
			return "https://" + rawServer(t, func(c net.Conn) { c.Read(make([]byte, 64<<10)) })
		}, []string{"TLS: HOST closes connections when TLS begins"}},
		"no HTTP": {func(t *testing.T, p *Prober) string {
			return "http://" + rawServer(t, func(c net.Conn) {
				io.WriteString(c, "SSH-2.0-OpenSSH_9.2\r\n")
				readRequest(c)
			})
		}, []string{"edge: what answers at HOST is not HTTP"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProber()
			p.timeout, p.wait = enough, 50*time.Millisecond // of silence, which these servers keep for ever
			address := c.open(t, p)
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			probe := func() (found model.Probe) {
				for range 5 { // a server that answers and closes in the middle of a request resets the connection: its answer may get lost
					if found = p.Probe(t.Context(), address, true); strings.Contains(found.Detail, strings.ReplaceAll(c.says[0], "HOST", u.Host)) {
						break
					}
				}
				return found
			}
			first := probe()
			expectWords(t, first, u.Host, c.says)
			if again := probe(); again.Detail != first.Detail {
				t.Errorf("the second time it says %q, not %q", again.Detail, first.Detail)
			}
		})
	}
}

// A proxy that speaks another protocol to the receiver reaches it, so its target is right.
func TestAnotherProtocolIsNamed(t *testing.T) {
	pass := func(to string, first string) func(net.Conn) {
		return func(c net.Conn) {
			next, err := net.Dial("tcp", to)
			if err != nil {
				return
			}
			defer next.Close()
			io.WriteString(next, first)
			go io.Copy(next, c)
			io.Copy(c, next)
		}
	}
	for name, c := range map[string]struct {
		front func(r *target) (url string)
		says  string
	}{
		"F9 PROXY protocol": {func(r *target) string {
			return "http://" + rawServer(t, pass(r.address, "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"))
		}, "tunnel: what arrived here began with the PROXY protocol (version 1), not HTTP/1: switch it off"},
		"F9 the same, behind a proxy": {func(r *target) string {
			inner := rawServer(t, pass(r.address, "\r\n\r\n\x00\r\nQUIT\n!"))
			front := httptest.NewServer(&httputil.ReverseProxy{
				Rewrite:  func(p *httputil.ProxyRequest) { p.SetURL(&url.URL{Scheme: "http", Host: inner}) },
				ErrorLog: log.New(io.Discard, "", 0),
			})
			t.Cleanup(front.Close)
			return front.URL
		}, "began with the PROXY protocol (version 2)"},
		"F17 https to the receiver itself": {func(r *target) string { return "https://" + r.address }, "began with TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newTarget(t)
			address := c.front(r)
			r.wait = time.Millisecond
			expectWords(t, r.Probe(t.Context(), address+webhookPath, true), "", []string{c.says})
			if n := len(recorded(r.status)); n != 0 {
				t.Errorf("the probe was recorded %d times", n)
			}
			other, err := net.Dial("tcp", r.address)
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
			io.WriteString(other, "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n")
			io.Copy(io.Discard, other)
			eventually(t, func() bool { return len(recorded(r.status)) == 1 }, func() string { return "a stranger's was not recorded" })
		})
	}
}

// Svix Play may give the sender a status of its own.
func TestAnotherStatusThanTheReceiversIsFineOnlyWhereThatIsKnown(t *testing.T) {
	r := newTarget(t)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.proxy(func(*http.Request) {}).ServeHTTP(httptest.NewRecorder(), q)
		w.WriteHeader(http.StatusOK)
	}))
	defer front.Close()
	expectWords(t, r.Probe(t.Context(), front.URL+webhookPath, true), front.Listener.Addr().String(), []string{"HOST answers 200 in our place"})
	r.anyStatus = true
	if got := r.Probe(t.Context(), front.URL+webhookPath, true); !got.OK {
		t.Errorf("%+v", got)
	}
}

func TestAnEmptyProbeFindsAWrongPathAndMissingHeadersNeedAFullOne(t *testing.T) {
	r := newTarget(t)
	var stripped atomic.Bool
	front := httptest.NewServer(r.proxy(func(q *http.Request) {
		if stripped.Load() {
			strip("Svix-Id", "Svix-Timestamp", "Svix-Signature")(q)
		} else {
			q.URL.Path = "/pre" + q.URL.Path
		}
	}))
	defer front.Close()
	expectWords(t, r.Probe(t.Context(), front.URL+webhookPath, false), front.Listener.Addr().String(), []string{"path: the probe arrived here as /pre"})
	stripped.Store(true)
	r.wait = time.Millisecond
	if got := r.Probe(t.Context(), front.URL+webhookPath, false); got.OK {
		t.Errorf("an empty probe without headers is %+v", got)
	}
	r.wait = enough
	expectWords(t, r.Probe(t.Context(), front.URL+webhookPath, true), front.Listener.Addr().String(), []string{"without svix-id"})
}
