package loopback

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"testing"
)

func TestNamed(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "localhost.": true, "app.localhost": true, "a.b.localhost.": true,
		"localhost.example.com": false, "notlocalhost": false, "127.0.0.1": false, "": false, "localhost.localdomain": false,
	} {
		if got := Named(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

// serve answers with the Host on one loopback address only, and returns its port.
func serve(t *testing.T, ip netip.Addr) string {
	t.Helper()
	l, err := net.Listen("tcp", netip.AddrPortFrom(ip, 0).String())
	if err != nil {
		t.Skipf("runs where %s is: %v", ip, err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Host", r.Host)
	})}}
	s.Start()
	t.Cleanup(s.Close)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func TestBothFamiliesAreTried(t *testing.T) {
	used := errors.New("a proxy was used")
	client := &http.Client{Transport: Route(&http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return nil, used }}, &net.Dialer{})}
	for _, ip := range []netip.Addr{First(), Other(First())} {
		port := serve(t, ip)
		for _, host := range []string{"localhost", "app.localhost", "A.B.LocalHost", "app.localhost."} {
			r, err := client.Get("http://" + net.JoinHostPort(host, port) + "/")
			if err != nil {
				t.Errorf("%s on %s: %v", host, ip, err)
				continue
			}
			r.Body.Close()
			if got, want := r.Header.Get("Host"), net.JoinHostPort(host, port); got != want {
				t.Errorf("the Host is %s, not %s", got, want)
			}
		}
	}
	if _, err := client.Get("http://example.com/"); !errors.Is(err, used) {
		t.Errorf("another host: %v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", netip.AddrPortFrom(First(), 0).String())
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(address)
	client := &http.Client{Transport: Route(&http.Transport{}, &net.Dialer{})}
	_, err = client.Get("http://localhost:" + port)
	if !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), address) {
		t.Errorf("the error is %v", err)
	}
}

func TestFound(t *testing.T) {
	at := func(ip netip.Addr) net.Addr { return net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, 3000)) }
	first, other := First(), Other(First())
	want := "found on " + at(other).String() + ": nothing listens on " + at(first).String() + ", which localhost is first here"
	if got := Found("app.localhost", at(other)); got != want {
		t.Errorf("got %q", got)
	}
	for host, a := range map[string]net.Addr{"localhost": at(first), "127.0.0.1": at(other), "example.com": at(other)} {
		if got := Found(host, a); got != "" {
			t.Errorf("%s at %s: %q", host, a, got)
		}
	}
}
