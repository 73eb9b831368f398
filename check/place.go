package check

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"aspectop/loopback"
)

// Place is where a handler is: its host, resolved once.
type Place struct {
	addresses []netip.AddrPort // tried in this order, until one answers
	// Near says that all addresses are this machine's or in a private network.
	Near bool
	// Far is the first address that is not, for a message.
	Far netip.Addr
}

// Resolve finds the addresses of a URL's host.
func Resolve(ctx context.Context, u *url.URL) (Place, error) {
	port := cmp.Or(u.Port(), u.Scheme)
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return Place{}, err
	}
	var ips []netip.Addr
	if host := u.Hostname(); loopback.Named(host) {
		ips = []netip.Addr{loopback.First(), loopback.Other(loopback.First())}
	} else if ips, err = net.DefaultResolver.LookupNetIP(ctx, "ip", host); err != nil {
		return Place{}, fmt.Errorf("the host is not known here: %w", err)
	}
	p := Place{Near: true}
	for _, ip := range ips {
		if ip = ip.Unmap(); !near(ip) && p.Near {
			p.Near, p.Far = false, ip
		}
		p.addresses = append(p.addresses, netip.AddrPortFrom(ip, uint16(number)))
	}
	return p, nil
}

// near reports whether an address is this machine's, RFC 1918, fc00::/7 or 100.64/10.
func near(ip netip.Addr) bool {
	return ip.IsLoopback() || ip.IsUnspecified() || loopback.Private(ip)
}

// dial connects to the address that answered first, and only to that from then on. It is
// not safe for concurrent use before the first connection is made.
func (p *Place) dial(ctx context.Context) (net.Conn, error) {
	var first error
	for _, address := range slices.Clone(p.addresses) {
		d := net.Dialer{Timeout: probeTime / time.Duration(len(p.addresses))}
		conn, err := d.DialContext(ctx, "tcp", address.String())
		if err == nil {
			if len(p.addresses) > 1 {
				p.addresses = []netip.AddrPort{address}
			}
			return conn, nil
		}
		first = cmp.Or(first, err)
	}
	return nil, first
}
