// Package loopback is how requests find their way: which hosts are this machine, and where a
// proxy is used. localhost and all names below it are this machine, as RFC 6761 says, in both
// families of addresses: a server there often listens in one of them only.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

var v4, v6 = netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()

// Named reports whether a host's name is one of this machine.
func Named(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// First is the address that localhost resolves to first here. It is 127.0.0.1 if
// localhost is unknown.
var First = sync.OnceValue(func() netip.Addr {
	ips, _ := net.DefaultResolver.LookupNetIP(context.Background(), "ip", "localhost")
	if i := slices.IndexFunc(ips, netip.Addr.IsLoopback); i >= 0 {
		return ips[i].Unmap()
	}
	return v4
})

// Other is the loopback address of the other family.
func Other(a netip.Addr) netip.Addr {
	if a.Is4() {
		return v6
	}
	return v4
}

// Own reports whether a host is this machine: one of its names or addresses, or a name
// that its hosts file gives one of them. No name server is asked.
func Own(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		return ownAddress(ip)
	}
	if Named(host) {
		return true
	}
	name, _ := os.Hostname()
	name = strings.ToLower(name)
	short, _, _ := strings.Cut(name, ".")
	if short != "" && (host == name || host == short || host == short+".local") {
		return true
	}
	ips, _ := hostsFile.LookupNetIP(context.Background(), "ip", host)
	return slices.ContainsFunc(ips, ownAddress)
}

func ownAddress(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if ip.IsLoopback() || ip.IsUnspecified() {
		return true
	}
	addresses, _ := net.InterfaceAddrs()
	return slices.ContainsFunc(addresses, func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		return ok && n.IP.Equal(ip.AsSlice())
	})
}

// Private reports whether an address is of a private network: RFC 1918, fc00::/7 or 100.64/10.
func Private(ip netip.Addr) bool { return ip.IsPrivate() || carriers.Contains(ip) }

// carriers is the range of their networks, which VPNs use too (RFC 6598).
var carriers = netip.MustParsePrefix("100.64.0.0/10")

// hostsFile resolves what needs no name server.
var hostsFile = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("no name server is asked")
}}

// Route makes the transport the one of every request of this program, with connections by
// d. This machine's names are found without a resolver, in both families, the one that
// localhost resolves to first before the other. This machine is never reached through a
// proxy; others are through t.Proxy or, if that is nil, the environment's, whose refusal to
// connect is a [*ProxyError].
func Route(t *http.Transport, d *net.Dialer) *http.Transport {
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, _ := net.SplitHostPort(address)
		if !Named(host) {
			return d.DialContext(ctx, network, address)
		}
		conn, err := d.DialContext(ctx, network, net.JoinHostPort(First().String(), port))
		if err == nil || ctx.Err() != nil {
			return conn, err
		}
		if conn, other := d.DialContext(ctx, network, net.JoinHostPort(Other(First()).String(), port)); other == nil {
			return conn, nil
		}
		return nil, err
	}
	proxy := t.Proxy
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	t.Proxy = func(r *http.Request) (*url.URL, error) {
		u, err := proxy(r)
		if (u != nil || err != nil) && Own(r.URL.Hostname()) {
			return nil, nil
		}
		return u, err
	}
	t.OnProxyConnectResponse = func(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
		if answer.StatusCode == http.StatusOK {
			return nil
		}
		return &ProxyError{proxy.Scheme + "://" + proxy.Host, answer.StatusCode}
	}
	return t
}

// Transport is one with the settings of net/http's own.
func Transport() *http.Transport {
	return Route(http.DefaultTransport.(*http.Transport).Clone(), &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second})
}

// Via is the proxy that the transport uses for a request, without credentials, "" if none.
// One that wraps it has a method Unwrap.
func Via(t http.RoundTripper, r *http.Request) string {
	if outer, ok := t.(interface{ Unwrap() *http.Transport }); ok {
		t = outer.Unwrap()
	}
	if t, ok := t.(*http.Transport); ok && t.Proxy != nil {
		if u, err := t.Proxy(r); err == nil && u != nil {
			return u.Scheme + "://" + u.Host
		}
	}
	return ""
}

// ProxyError is a proxy's refusal to connect to a host.
type ProxyError struct {
	Proxy  string // without credentials
	Status int
}

func (e *ProxyError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("the proxy %s refused to connect: %d %s", e.Proxy, e.Status, http.StatusText(e.Status)))
}

// Found says where a host of this machine was found, if that is in the family that is
// tried second; else it is "".
func Found(host string, at net.Addr) string {
	tcp, ok := at.(*net.TCPAddr)
	if !ok || !Named(host) {
		return ""
	}
	found := tcp.AddrPort()
	if found = netip.AddrPortFrom(found.Addr().Unmap(), found.Port()); found.Addr().Is4() == First().Is4() {
		return ""
	}
	return fmt.Sprintf("found on %s: nothing listens on %s, which localhost is first here", found, netip.AddrPortFrom(First(), found.Port()))
}

// Windows' errors of connections, which no other system has.
const (
	wsaeCONNABORTED = syscall.Errno(10053)
	wsaeCONNRESET   = syscall.Errno(10054)
	wsaeCONNREFUSED = syscall.Errno(10061)
)

// Broken reports whether a request failed because the other side closed the connection.
func Broken(err error) bool {
	ends := []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, wsaeCONNRESET, wsaeCONNABORTED}
	return slices.ContainsFunc(ends, func(end error) bool { return errors.Is(err, end) }) ||
		err != nil && strings.Contains(err.Error(), "server closed idle connection")
}

// Refused reports whether a request failed because nothing listens at the address.
func Refused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, wsaeCONNREFUSED)
}
