package forward

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"aspectop/loopback"
)

// behind posts to a host of elsewhere through a proxy.
func behind(t *testing.T, target, proxy string) *Replay {
	t.Helper()
	u, err := url.Parse(proxy)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewReplay(ReplayOptions{Target: Target{URL: target}})
	if err != nil {
		t.Fatal(err)
	}
	p.target.lines.open = func() http.RoundTripper {
		return loopback.Route(&http.Transport{Proxy: http.ProxyURL(u)}, &net.Dialer{})
	}
	return p
}

func TestWhatAProxyAnswersIsTheProxys(t *testing.T) {
	status := 204
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer proxy.Close()
	address := strings.Replace(proxy.URL, "http://", "http://me:s3cr3t@", 1)
	for _, c := range []struct {
		name, target string
		status, got  int
		final        bool
		says         []string
		not          string
	}{
		{"delivered through it", "http://handler.test/hook", 204, 204, true, []string{"through the proxy " + proxy.URL}, "check"},
		{"refused through it", "http://handler.test/hook", 403, 403, true, []string{"protected", "through the proxy " + proxy.URL}, ""},
		{"it wants a password", "http://handler.test/hook", 407, 407, false, []string{"the proxy asks", "not the handler", proxy.URL}, "check"},
		{"it refuses to connect", "https://handler.test/hook", 403, 0, false, []string{"the proxy " + proxy.URL, "NO_PROXY"}, "check"},
		{"it wants a password to connect", "https://handler.test/hook", 407, 0, false, []string{"the proxy " + proxy.URL, "NO_PROXY"}, "check"},
	} {
		status = c.status
		p := behind(t, c.target, address)
		f, _ := p.target.post(t.Context(), message("a", 1), "msg_a_1", nil, "k")
		if f.Status != c.got || f.Final != c.final {
			t.Errorf("%s: %+v", c.name, f)
		}
		has(t, f.Hint, c.says...)
		if c.not != "" && strings.Contains(f.Hint, c.not) || strings.Contains(f.Hint+f.Error, "s3cr3t") {
			t.Errorf("%s: %q", c.name, f.Hint)
		}
		if c.got == 0 && f.Error != fmt.Sprintf("the proxy %s refused to connect: %d %s", proxy.URL, c.status, http.StatusText(c.status)) {
			t.Errorf("%s: %q", c.name, f.Error)
		}
		if c.got == 204 {
			if f := p.Post(t.Context(), message("a", 2)); f.Hint != "" {
				t.Errorf("%s: said again: %q", c.name, f.Hint)
			}
		}
	}
	proxy.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	f := behind(t, "http://handler.test/hook", address).Post(t.Context(), message("a", 1))
	has(t, f.Hint, "the proxy "+proxy.URL, "closed the connection")
	if strings.Contains(f.Hint, "crash") || strings.Contains(f.Hint, "aspectop check") {
		t.Errorf("what the proxy closed: %q", f.Hint)
	}
	proxy.Close()
	f = behind(t, "http://handler.test/hook", address).Post(t.Context(), message("a", 1))
	has(t, f.Hint, "the proxy "+proxy.URL, "cannot be reached", "name handler.test in NO_PROXY")
}

func TestThisMachineIsPostedToWithoutAProxy(t *testing.T) {
	h := newHandler(t, nil)
	if f := behind(t, h.URL, "http://127.0.0.1:1").Post(t.Context(), message("a", 1)); f.Status != 204 || f.Hint != "" {
		t.Errorf("%d %s %q", f.Status, f.Error, f.Hint)
	}
}
