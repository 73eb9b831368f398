package receiver

import (
	"net"
	"strconv"
	"strings"
	"testing"
)

func occupied(t *testing.T) (addr string, port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String(), l.Addr().(*net.TCPAddr).Port
}

func TestListenOpensTheAddressAsAsked(t *testing.T) {
	l, moved, err := Listen("127.0.0.1:0", true)
	if err != nil || moved {
		t.Fatalf("moved %v, error %v", moved, err)
	}
	defer l.Close()
	if Public(l.Addr().String()) {
		t.Errorf("%s counts as public", l.Addr())
	}
}

func TestListenMovesToALaterPortOnlyIfItMay(t *testing.T) {
	addr, port := occupied(t)
	l, moved, err := Listen(addr, true)
	if err != nil || !moved {
		t.Fatalf("moved %v, error %v", moved, err)
	}
	defer l.Close()
	if got := l.Addr().(*net.TCPAddr); got.Port == port || !got.IP.IsLoopback() {
		t.Errorf("moved from %s to %s", addr, got)
	}

	_, moved, err = Listen(addr, false)
	want := "cannot listen on " + addr + ": another program has taken this port; stop it or choose another port"
	if err == nil || err.Error() != want || moved {
		t.Errorf("moved %v, error %v, want %q", moved, err, want)
	}
}

func TestListenFindsAFreePortBehindTheLastOne(t *testing.T) {
	l, _, err := Listen("127.0.0.1:65535", true)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	second, moved, err := Listen("127.0.0.1:65535", true)
	if err != nil || !moved {
		t.Fatalf("moved %v, error %v", moved, err)
	}
	_ = second.Close()
}

func TestListenSaysWhatIsWrongWithAnAddress(t *testing.T) {
	for addr, want := range map[string]string{
		"8787":             "write host:port",
		"127.0.0.1":        "write host:port",
		"127.0.0.1:http":   "must be a number from 0 to 65535",
		"127.0.0.1:":       "must be a number from 0 to 65535",
		"127.0.0.1:-1":     "must be a number from 0 to 65535",
		"127.0.0.1:65536":  "must be a number from 0 to 65535",
		"192.0.2.1:0":      "this machine has no such address",
		"no.invalid.:8787": "choose an address such as 127.0.0.1",
	} {
		_, _, err := Listen(addr, true)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), addr) {
			t.Errorf("%s: error %v, want one with the address and %q", addr, err, want)
		}
	}
}

func TestOnlyLoopbackAddressesAreNotPublic(t *testing.T) {
	for host, public := range map[string]bool{
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "::ffff:127.0.0.1": false, "localhost": false, "LocalHost": false,
		"": true, "0.0.0.0": true, "::": true, "192.168.1.2": true, "fe80::1%eth0": true, "example.com": true, "localhost.example.com": true,
	} {
		addr := net.JoinHostPort(host, strconv.Itoa(8787))
		if got := Public(addr); got != public {
			t.Errorf("%s: public %v, want %v", addr, got, public)
		}
	}
}

func TestAnIPv4AddressOpensNoIPv6(t *testing.T) {
	if l, err := net.Listen("tcp6", "[::1]:0"); err != nil {
		t.Skip("no IPv6 here: ", err)
	} else {
		l.Close()
	}
	addr, port := occupied(t)
	for asked, six := range map[string]bool{
		"0.0.0.0:0": false, "127.0.0.1:0": false, "[::ffff:0.0.0.0]:0": false, addr: false, "0.0.0.0:" + strconv.Itoa(port): false, // the last two move
		"[::]:0": true, ":0": true, "[::1]:0": true,
	} {
		l, _, err := Listen(asked, true)
		if err != nil {
			t.Fatal(asked, err)
		}
		_, at, _ := net.SplitHostPort(l.Addr().String())
		c, err := net.Dial("tcp6", net.JoinHostPort("::1", at))
		if err == nil {
			c.Close()
		}
		if (err == nil) != six {
			t.Errorf("--listen %s is open on IPv6: %v", asked, err == nil)
		}
		host, _, _ := net.SplitHostPort(Reachable(l.Addr()))
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() || !Public(l.Addr().String()) && Reachable(l.Addr()) != l.Addr().String() {
			t.Errorf("--listen %s is said to be reachable at %s", asked, Reachable(l.Addr()))
		}
		if net.ParseIP(host) == nil { // this machine's name, which need not resolve
		} else if c, err := net.Dial("tcp", net.JoinHostPort(host, at)); err != nil {
			t.Errorf("--listen %s is not reachable where it is said to be: %v", asked, err)
		} else {
			c.Close()
		}
		l.Close()
	}
}
