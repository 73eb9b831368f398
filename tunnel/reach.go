package tunnel

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"aspectop/clean"
	"aspectop/loopback"
)

// unreachable says why Svix cannot post to the user's own URL, "" if it may. A probe does
// not find that: it starts on this machine.
func (o *Options) unreachable() string {
	u, err := url.Parse(o.PublicURL)
	if o.Mode != OwnURL || err != nil {
		return ""
	}
	if what := nowhere(u.Hostname()); what != "" {
		return fmt.Sprintf("Svix cannot reach %s, which is %s: give it a public address, or use --tunnel", clean.Line(u.Host), what)
	}
	if u.Scheme == "http" {
		return fmt.Sprintf("http://%s is not encrypted, and Svix may refuse it: use https://", clean.Line(u.Host))
	}
	return ""
}

// nowhere says what a host is that has no meaning elsewhere, "" if it has one.
func nowhere(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		switch ip = ip.Unmap(); {
		case ip.IsLoopback(), ip.IsUnspecified():
			return "a loopback address"
		case ip.IsLinkLocalUnicast(), loopback.Private(ip):
			return "a private address"
		case ip.IsMulticast():
			return "a multicast address"
		}
		return ""
	}
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	labels := strings.Split(name, ".")
	last := labels[len(labels)-1]
	switch {
	case last == "localhost":
		return "a loopback address"
	case len(labels) == 1, slices.Contains([]string{"local", "lan", "internal", "home", "test"}, last), strings.HasSuffix(name, ".home.arpa"):
		return "a name of the local network only"
	}
	return ""
}
