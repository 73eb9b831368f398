// Package loopback finds programs on this machine by name. localhost and all names below
// it are this machine, as RFC 6761 says, in both families of addresses: a server there
// often listens in one of them only.
package loopback

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
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

// Route makes the transport find this machine's names without a resolver or a proxy, by d.
// It tries both families, the one that localhost resolves to first before the other.
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
	t.Proxy = func(r *http.Request) (*url.URL, error) {
		if proxy == nil || Named(r.URL.Hostname()) {
			return nil, nil
		}
		return proxy(r)
	}
	return t
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
