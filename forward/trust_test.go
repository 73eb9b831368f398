package forward

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aspectop/model"
)

// stranger is a certificate of 127.0.0.1 that nobody trusts.
func stranger(t *testing.T) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestAnUntrustedCertificateStopsTheQueueUntilItIsMended has a handler whose certificate
// changes to a trusted one.
func TestAnUntrustedCertificateStopsTheQueueUntilItIsMended(t *testing.T) {
	t.Parallel()
	h := &handler{}
	h.Server = httptest.NewUnstartedServer(h)
	h.Config.ErrorLog = log.New(io.Discard, "", 0)
	var mended atomic.Bool
	var handshakes atomic.Int64
	other := stranger(t)
	h.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		handshakes.Add(1)
		if mended.Load() {
			return nil, nil
		}
		return &tls.Config{Certificates: []tls.Certificate{*other}}, nil
	}}
	h.StartTLS()
	t.Cleanup(h.Close)
	r := forwardTo(t, h.URL)
	authority := x509.NewCertPool()
	authority.AddCert(h.Certificate())
	r.target.lines.open = func() http.RoundTripper {
		line := newLine(false)
		line.TLSClientConfig = &tls.Config{RootCAs: authority}
		return line
	}
	for i := range 40 {
		r.append(message(string(rune('a'+i%20)), i))
	}
	until(t, "it was told", func() bool { return len(forwards(r.status)) > 0 })
	until(t, "what was in flight is back", func() bool { return r.Queue().InFlight == 0 })
	first := handshakes.Load()
	until(t, "it was tried again", func() bool { return handshakes.Load() > first })
	told := forwards(r.status)
	if len(told) != 1 || told[0].Final || told[0].Tries != 0 {
		t.Fatalf("told %+v", told)
	}
	has(t, told[0].Hint, "does not trust", "insecure = true", "nothing is given up")
	if first > maxInFlight {
		t.Errorf("%d connections were tried at first", first)
	}
	if q := r.Queue(); q.Left() != 40 || q.GaveUp != 0 {
		t.Errorf("the queue is %+v", q)
	}
	mended.Store(true)
	r.idle()
	if q := r.Queue(); q.Delivered != 40 {
		t.Errorf("after it was mended: %+v", q)
	}
	for seq := range int64(40) {
		if f := r.outcome(seq + 1); f.Tries != 1 || !f.Delivered() {
			t.Errorf("%+v", f)
		}
	}
}

func TestWhatAnUntrustedHandlerIsOwedIsSentByTheNextRunThatTakesItsCertificate(t *testing.T) {
	t.Parallel()
	h := &handler{}
	h.Server = httptest.NewUnstartedServer(h)
	h.Config.ErrorLog = log.New(io.Discard, "", 0)
	h.StartTLS()
	t.Cleanup(h.Close)
	j := newJournal(t)
	first := forwardFrom(t, j, h.URL)
	first.append(message("a", 1), message("b", 2), message("a", 3))
	until(t, "it was told", func() bool { return len(forwards(first.status)) > 0 })
	began := time.Now()
	first.stop()
	if took := time.Since(began); took > Drain {
		t.Errorf("the end waited %v for a queue that is stopped", took)
	}
	second := forwardFrom(t, j, h.URL, func(o *Options) {
		o.Insecure, o.Headers = true, http.Header{"X-Tenant": {"acme"}}
	})
	second.idle()
	if got := strings.Join(h.ids(), " "); len(h.ids()) != 3 || !strings.Contains(got, "msg_a_1") {
		t.Errorf("the handler got %s", got)
	}
	for _, q := range h.requests() {
		if q.Header.Get("X-Tenant") != "acme" {
			t.Errorf("the headers are %v", q.Header)
		}
		verifies(t, aspectSecret, q)
	}
}

// TestWhatIsAskedForAtAnUntrustedHandlerIsNotGivenUpAnew has a handler that did not answer an
// earlier run, and now has a certificate that nobody trusts.
func TestWhatIsAskedForAtAnUntrustedHandlerIsNotGivenUpAnew(t *testing.T) {
	t.Parallel()
	h := &handler{}
	h.Server = httptest.NewUnstartedServer(h)
	h.Config.ErrorLog = log.New(io.Discard, "", 0)
	h.StartTLS()
	t.Cleanup(h.Close)
	r := forwardTo(t, h.URL)
	r.stop()
	d := message("a", 1)
	r.append(d)
	before := model.Forward{Seq: 1, To: r.To(), At: time.Now().UTC(), Status: 503, Tries: 8, Final: true, GaveUp: true, Error: "answered 503"}
	if err := r.journal.SaveForwards(r.target.key, r.To(), 1, []model.Forward{before}); err != nil {
		t.Fatal(err)
	}
	again := forwardFrom(t, r.journal, h.URL)
	if retrying, _, err := Resend(t.Context(), []*Forwarder{again.Forwarder}, *d, nil); err != nil || len(retrying) != 1 {
		t.Fatal(retrying, err)
	}
	until(t, "it was told", func() bool { return len(forwards(again.status)) > 0 })
	if told := forwards(again.status)[0]; told.Final || !strings.Contains(told.Hint, "nothing is given up") {
		t.Errorf("told %+v", told)
	}
	again.append(message("b", 2))
	until(t, "the next one is waiting", func() bool { q := again.Queue(); return q.Left() == 2 })
	if f := again.outcome(1); f.Error != "answered 503" || !f.GaveUp {
		t.Errorf("the journal has %+v", f)
	}
	again.stop()
	if f := again.outcome(1); f.Error != "answered 503" || !f.GaveUp {
		t.Errorf("at the end the journal has %+v", f)
	}
}
