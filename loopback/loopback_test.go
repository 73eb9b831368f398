package loopback

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
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

func TestOwn(t *testing.T) {
	own := map[string]bool{
		"localhost": true, "App.LocalHost.": true, "127.0.0.1": true, "127.9.8.7": true, "::1": true, "::ffff:127.0.0.1": true, "0.0.0.0": true, "::": true,
		"192.0.2.7": false, "2001:db8::7": false, "example.com": false, "no-such-host.invalid": false, "": false,
	}
	if name, err := os.Hostname(); err == nil && name != "" {
		short, _, _ := strings.Cut(name, ".")
		own[name], own[strings.ToUpper(short)], own[short+".local"] = true, true, true
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		own[a.(*net.IPNet).IP.String()] = true
	}
	for host, want := range own {
		if got := Own(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func TestNoProxyIsUsedForThisMachine(t *testing.T) {
	proxy := &url.URL{Scheme: "http", Host: "proxy.test:3128", User: url.UserPassword("me", "s3cr3t")}
	route := Route(&http.Transport{Proxy: http.ProxyURL(proxy)}, &net.Dialer{})
	for address, want := range map[string]string{
		"http://app.localhost:3000/": "", "http://127.0.0.1:3000/": "", "https://[::1]/": "", "http://example.com/": "http://proxy.test:3128", "https://192.0.2.1/": "http://proxy.test:3128",
	} {
		r, err := http.NewRequest("POST", address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := Via(route, r); got != want {
			t.Errorf("%s goes through %q, not %q", address, got, want)
		}
	}
}

func TestARefusalToConnectIsTheProxys(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer server.Close()
	proxy, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: Route(&http.Transport{Proxy: http.ProxyURL(proxy)}, &net.Dialer{})}
	_, err = client.Get("https://example.com/")
	if refused, ok := errors.AsType[*ProxyError](err); !ok || refused.Status != 403 || refused.Proxy != server.URL {
		t.Errorf("%v", err)
	}
}

func TestABrokenConnectionIsKnownOnEverySystem(t *testing.T) {
	request := func(err error) error {
		return &url.Error{Op: "Post", Err: &net.OpError{Op: "read", Err: os.NewSyscallError("recv", err)}}
	}
	for err, want := range map[error][2]bool{ // broken, refused
		nil: {}, errors.New("no"): {}, io.EOF: {true}, io.ErrUnexpectedEOF: {true},
		request(syscall.ECONNRESET): {true}, request(syscall.EPIPE): {true}, request(syscall.ECONNREFUSED): {false, true},
		request(syscall.Errno(10054)): {true}, request(syscall.Errno(10053)): {true}, request(syscall.Errno(10061)): {false, true},
	} {
		if got := [2]bool{Broken(err), Refused(err)}; got != want {
			t.Errorf("%v: %v", err, got)
		}
	}
}
