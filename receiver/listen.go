package receiver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// portsTried is how many ports after the wanted one are tried before the system picks
// one.
const portsTried = 20

// AddressError says that a text is not an address to listen on.
type AddressError struct{ Text, Do string }

func (e *AddressError) Error() string {
	return fmt.Sprintf("%q is not an address to listen on: %s", e.Text, e.Do)
}

// Listen opens addr (host:port, TCP). If its port is taken and next is set, it
// opens a later port of the same host instead and reports moved. An error names
// the address and says what to do; it is an [*AddressError] if addr is not one.
func Listen(addr string, next bool) (l net.Listener, moved bool, err error) {
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, false, &AddressError{addr, "write host:port, such as 127.0.0.1:8787"}
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, false, &AddressError{addr, "its port must be a number from 0 to 65535"}
	}
	l, err = net.Listen(family(host), addr)
	moved = next && taken(err)
	for p := port + 1; moved && err != nil && p <= min(port+portsTried, 65535); p++ {
		l, err = net.Listen(family(host), net.JoinHostPort(host, strconv.FormatUint(p, 10)))
	}
	if moved && err != nil {
		addr = net.JoinHostPort(host, "0")
		l, err = net.Listen(family(host), addr)
	}
	if err != nil {
		return nil, false, explain(addr, err)
	}
	return l, moved, nil
}

// Windows has its own error for a port in use, and that for missing permission for ports
// that it has reserved.
const (
	wsaeACCES     = syscall.Errno(10013)
	wsaeADDRINUSE = syscall.Errno(10048)
)

func taken(err error) bool {
	if runtime.GOOS == "windows" {
		return errors.Is(err, wsaeADDRINUSE) || errors.Is(err, wsaeACCES)
	}
	return errors.Is(err, syscall.EADDRINUSE)
}

func explain(addr string, err error) error {
	_, unresolved := errors.AsType[*net.DNSError](err)
	switch {
	case taken(err):
		return fmt.Errorf("cannot listen on %s: another program has taken this port; stop it or choose another port", addr)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("cannot listen on %s: not permitted; ports below 1024 need special rights, choose a higher one", addr)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("cannot listen on %s: this machine has no such address; choose 127.0.0.1 or one of its own", addr)
	case unresolved:
		return fmt.Errorf("cannot listen on %s: the host name does not resolve; choose an address such as 127.0.0.1", addr)
	}
	return fmt.Errorf("cannot listen on %s: %w; choose another address", addr, err)
}

// Public reports whether a listener on addr (host:port) can be reached from other
// machines. Any name but localhost counts as public: names are not resolved.
func Public(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	if strings.EqualFold(host, "localhost") {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err != nil || !ip.Unmap().IsLoopback()
}

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

const (
	readyFor  = time.Second     // that an answer to /readyz is reused, to spare the journal
	readyTime = 3 * time.Second // that the journal may take to answer
)

type readiness struct {
	mu  sync.Mutex
	at  time.Time
	err error
}

func (r *readiness) check(ctx context.Context, ask func(context.Context) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at.IsZero() || time.Since(r.at) > readyFor {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTime)
		defer cancel()
		r.err, r.at = ask(ctx), time.Now()
	}
	return r.err
}

// serveReady answers a load balancer. Only the screen and the lines say why not.
func (s *Server) serveReady(w http.ResponseWriter, r *http.Request) {
	if s.Ready != nil && s.ready.check(r.Context(), s.Ready) != nil {
		answer(w, http.StatusServiceUnavailable, "not ready")
		return
	}
	answer(w, http.StatusOK, "ok")
}
