package tunnel

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"aspectop/model"
)

const webhookPath = "/webhooks/aspect"

// enough is how long anything in these tests may take on a busy machine.
const enough = time.Minute

// sign is the probe's key, as sender and receiver know it.
func sign(id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, []byte("a key of this test"))
	fmt.Fprintf(mac, "%s.%d.%s", id, at.Unix(), body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// local is a stand-in for the receiver.
type local struct {
	*httptest.Server
	prober *Prober

	mu  sync.Mutex
	got []*http.Request // what was posted to the webhook's path
}

func newLocal(t *testing.T) *local {
	r := &local{prober: newProber()}
	r.Server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.Close)
	return r
}

func (r *local) serve(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	_, intact := r.prober.Saw(req, body)
	switch {
	case req.URL.EscapedPath() != webhookPath:
		http.Error(w, "Not found", http.StatusNotFound)
		return
	case req.Method != http.MethodPost:
		http.Error(w, "Method not allowed", http.StatusMethodNotAllowed)
		return
	}
	r.mu.Lock()
	r.got = append(r.got, req)
	r.mu.Unlock()
	if !intact {
		http.Error(w, "Invalid signature", http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (r *local) posts() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

// edge is a stand-in for Cloudflare's: it serves every host over TLS, and leads
// to the origin by the rules of the running stand-in's config file.
type edge struct {
	program *program
}

func newEdge(t *testing.T, p *program, prober *Prober) *edge {
	e := &edge{p}
	server := httptest.NewUnstartedServer(e)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // probes are given up in the middle
	server.StartTLS()
	t.Cleanup(server.Close)
	prober.transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	prober.transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", server.Listener.Addr().String())
	}
	return e
}

var ingress = regexp.MustCompile(`- path: (".*")\n +service: (".*")`)

func (e *edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	runs := e.program.runs()
	if len(runs) == 0 || readScript(e.program.dir).Connections == 0 {
		w.WriteHeader(530)
		io.WriteString(w, "error code: 1033")
		return
	}
	var path, service string
	rule := ingress.FindStringSubmatch(runs[len(runs)-1].Config)
	if rule == nil || json.Unmarshal([]byte(rule[1]), &path) != nil || json.Unmarshal([]byte(rule[2]), &service) != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if !regexp.MustCompile(path).MatchString(r.URL.Path) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	origin, _ := url.Parse(service)
	proxy := httputil.NewSingleHostReverseProxy(origin)
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	proxy.ServeHTTP(w, r)
}

// reports keeps everything that was reported.
type reports struct {
	mu  sync.Mutex
	all []model.Tunnel
}

func (r *reports) add(m model.Tunnel) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, m)
}

func (r *reports) list() []model.Tunnel {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]model.Tunnel(nil), r.all...)
}

// wait returns the first report, behind the given number of them, that is
// wanted, and how many there are up to it.
func (r *reports) wait(t *testing.T, behind int, what string, wanted func(model.Tunnel) bool) (model.Tunnel, int) {
	t.Helper()
	seen := behind
	eventually(t, func() bool {
		all := r.list()
		for ; seen < len(all); seen++ {
			if wanted(all[seen]) {
				seen++
				return true
			}
		}
		return false
	}, func() string { return fmt.Sprintf("no report says %s: %s", what, r) })
	return r.list()[seen-1], seen
}

func (r *reports) String() string {
	var b strings.Builder
	for _, m := range r.list() {
		fmt.Fprintf(&b, "\n  %s %q %q", m.State, m.PublicURL, m.Detail)
		if m.Probe != nil {
			fmt.Fprintf(&b, " probe %v %q", m.Probe.OK, m.Probe.Detail)
		}
	}
	return b.String()
}

// eventually polls until the condition holds.
func eventually(t *testing.T, holds func() bool, otherwise func() string) {
	t.Helper()
	for deadline := time.Now().Add(enough); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(otherwise())
		}
	}
}

// rig is a tunnel through the stand-ins, from the edge to the receiver.
type rig struct {
	*Tunnel
	*program
	*reports
	local *local
}

// setup is a rig that differs from the usual.
type setup struct {
	options func(*Options)
	pace    func(*cloudflared)
}

// open starts a quick tunnel through the stand-in that plays s, with all
// waiting made short.
func open(t *testing.T, s script, with setup) *rig {
	t.Helper()
	r := &rig{program: install(t, s), local: newLocal(t), reports: &reports{}}
	newEdge(t, r.program, r.local.prober)
	o := Options{
		Mode: Cloudflared, Local: r.local.URL, Path: webhookPath,
		Prober: r.local.prober, Report: r.add, Now: time.Now,
	}
	if with.options != nil {
		with.options(&o)
	}
	c, err := newCloudflared(o)
	if err != nil {
		t.Fatal(err)
	}
	c.certain, c.settle = 50*time.Millisecond, time.Millisecond
	c.fast, c.slow = 3*time.Millisecond, 5*time.Millisecond
	c.pause = func(int, bool) time.Duration { return time.Millisecond }
	if with.pace != nil {
		with.pace(c)
	}
	r.Tunnel = launch(t.Context(), o, c.run, "")
	t.Cleanup(r.Stop)
	return r
}

func is(state model.TunnelState) func(model.Tunnel) bool {
	return func(m model.Tunnel) bool { return m.State == state }
}

func says(state model.TunnelState, words ...string) func(model.Tunnel) bool {
	return func(m model.Tunnel) bool {
		for _, w := range words {
			if !strings.Contains(m.Detail, w) {
				return false
			}
		}
		return m.State == state
	}
}
