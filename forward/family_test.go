package forward

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"aspectop/loopback"
)

// onlyOn is the port of a handler that listens on one loopback address.
func onlyOn(t *testing.T, ip netip.Addr) string {
	t.Helper()
	l, err := net.Listen("tcp", netip.AddrPortFrom(ip, 0).String())
	if err != nil {
		t.Skipf("runs where a socket may listen on %s, as in the gate: %v", ip, err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})}}
	s.Start()
	t.Cleanup(s.Close)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func TestAHandlerOfTheOtherFamilyIsFoundAndToldOnce(t *testing.T) {
	port := onlyOn(t, loopback.Other(loopback.First()))
	for _, host := range []string{"localhost", "app.localhost"} {
		r, err := NewReplay(ReplayOptions{Target: Target{URL: "http://" + net.JoinHostPort(host, port) + "/hook"}})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{"found on " + net.JoinHostPort(loopback.Other(loopback.First()).String(), port), ""} {
			f := r.Post(t.Context(), message("a", i))
			if f.Status != http.StatusNoContent || !strings.HasPrefix(f.Hint, want) || want == "" && f.Hint != "" {
				t.Errorf("%s, message %d: %d, %q", host, i, f.Status, f.Hint)
			}
		}
	}
}

func TestAHandlerWhereItIsLookedForIsNoNews(t *testing.T) {
	r, err := NewReplay(ReplayOptions{Target: Target{URL: "http://localhost:" + onlyOn(t, loopback.First())}})
	if err != nil {
		t.Fatal(err)
	}
	if f := r.Post(t.Context(), message("a", 1)); f.Status != http.StatusNoContent || f.Hint != "" {
		t.Errorf("%d, %q", f.Status, f.Hint)
	}
}

func TestAnAddressOfTheOtherFamilyIsNamed(t *testing.T) {
	for _, ip := range []netip.Addr{loopback.First(), loopback.Other(loopback.First())} {
		port := onlyOn(t, ip)
		given, other := net.JoinHostPort(loopback.Other(ip).String(), port), net.JoinHostPort(ip.String(), port)
		r, err := NewReplay(ReplayOptions{Target: Target{URL: "http://" + given + "/hook"}})
		if err != nil {
			t.Fatal(err)
		}
		want := "nothing listens on " + given + ", but something does on " + other + ": post to http://" + other
		if f := r.Post(t.Context(), message("a", 1)); f.Hint != want {
			t.Errorf("the hint is %q, not %q", f.Hint, want)
		}
	}
}
