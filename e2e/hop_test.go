//go:build unix

package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// What is wrong on the way is told once, with the hop, and so is that it is mended; the
// probes themselves are neither events nor rejected requests.
func TestAWrongPathOnTheWayIsToldOnceAndThatItIsMended(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	var mended atomic.Bool
	var probes atomic.Int32
	front := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(&url.URL{Scheme: "http", Host: address})
		if probes.Add(1); !mended.Load() {
			p.Out.URL.Path = "/pre" + p.Out.URL.Path
		}
	}})
	t.Cleanup(front.Close)
	p := inPipe(t, watching(t, "--json", "--listen", address, "--public-url", front.URL))
	next := func() map[string]any {
		line := p.next("tunnel")
		for line["state"] == "starting" {
			line = p.next("tunnel")
		}
		return line
	}
	failed := next()
	if failed["state"] != "failed" || !strings.HasPrefix(failed["detail"].(string), "path: the probe arrived here as /pre/webhooks/aspect") {
		t.Errorf("told %v", failed)
	}
	for end := time.Now().Add(patience); probes.Load() < 4; time.Sleep(10 * time.Millisecond) { // two more attempts
		if time.Now().After(end) {
			t.Fatal("it does not try again")
		}
	}
	mended.Store(true)
	if connected := next(); connected["state"] != "connected" || connected["probe"] != "ok" {
		t.Errorf("told %v", connected)
	}
	p.signal(syscall.SIGINT)
	if end := p.next("end"); end["rejected"] != 0.0 || end["verified"] != 0.0 {
		t.Errorf("the probes were counted: %v", end)
	}
}

func TestProbesCanBeLeftOut(t *testing.T) {
	var asked atomic.Int32
	front := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(front.Close)
	cmd := with(watching(t, "--json", "--listen", "127.0.0.1:0", "--public-url", front.URL), "ASPECTOP_PROBE=off")
	p := inPipe(t, cmd)
	told := map[any]map[string]any{}
	for len(told) < 2 { // in either order
		line := p.next("ready", "tunnel")
		told[line["type"]] = line
	}
	if ready := told["ready"]; ready["probe"] != nil || ready["public_url"] != front.URL+"/webhooks/aspect" {
		t.Errorf("the ready line is %v", ready)
	}
	if line := told["tunnel"]; line["state"] != "not checked" || line["probe"] != nil {
		t.Errorf("the tunnel line is %v", line)
	}
	if asked.Load() != 0 {
		t.Error("it was asked nevertheless")
	}
}
