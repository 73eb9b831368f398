package receiver

import (
	"net"
	"net/netip"
	"os"
)

// Reachable is the address (host:port) under which others reach a
// listener on addr. Where it listens on all addresses, the host is that of the
// interface with the default route, or this machine's name if there is none.
func Reachable(addr net.Addr) string {
	at, err := netip.ParseAddrPort(addr.String())
	if err != nil || !at.Addr().IsUnspecified() {
		return addr.String()
	}
	_, port, _ := net.SplitHostPort(addr.String())
	// Addresses reserved for documentation: no route to them is better than the default
	// one. Connecting by UDP chooses a route and sends nothing.
	for _, far := range []struct{ network, address string }{{"udp4", "198.51.100.1:9"}, {"udp6", "[2001:db8::1]:9"}} {
		if far.network == "udp6" && at.Addr().Is4() {
			continue
		}
		if c, err := net.Dial(far.network, far.address); err == nil {
			defer c.Close()
			return net.JoinHostPort(c.LocalAddr().(*net.UDPAddr).IP.String(), port)
		}
	}
	name, err := os.Hostname()
	if err != nil {
		return addr.String()
	}
	return net.JoinHostPort(name, port)
}

// family is the network to listen on for a host. In Go, "tcp" with 0.0.0.0 opens
// every IPv6 address as well, which nobody has asked for.
func family(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil && ip.Unmap().Is4() {
		return "tcp4"
	}
	return "tcp"
}
