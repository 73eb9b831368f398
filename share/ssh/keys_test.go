package ssh

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestOptionsOfAKey(t *testing.T) {
	signer := newSigner(t)
	for _, c := range []struct {
		options  string
		in, out  []string // addresses
		terminal bool
	}{
		{"", []string{"127.0.0.1", "2001:db8::1"}, nil, true},
		{"restrict", []string{"127.0.0.1"}, nil, false},
		{"no-pty", []string{"127.0.0.1"}, nil, false},
		{"restrict,pty", []string{"127.0.0.1"}, nil, true},
		{"no-port-forwarding,no-agent-forwarding,no-X11-forwarding,no-user-rc", []string{"127.0.0.1"}, nil, true},
		{`from="10.0.0.0/8"`, []string{"10.1.2.3"}, []string{"11.0.0.1", "::1"}, true},
		{`from="10.0.0.7"`, []string{"10.0.0.7"}, []string{"10.0.0.77", "10.0.0.70"}, true},
		{`from="192.0.2.*,198.51.100.?"`, []string{"192.0.2.200", "198.51.100.7"}, []string{"198.51.100.77"}, true},
		{`from="10.0.0.0/8,!10.0.0.9"`, []string{"10.0.0.8"}, []string{"10.0.0.9"}, true},
		{`from="!10.0.0.9,10.0.0.0/8"`, []string{"10.0.0.8"}, []string{"10.0.0.9"}, true},
		{`from="2001:db8::/32"`, []string{"2001:db8::1"}, []string{"2001:db9::1"}, true},
		{`restrict,from="::1"`, []string{"::1"}, []string{"127.0.0.1"}, false},
	} {
		path := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(path, []byte(strings.TrimSpace(c.options+" "+line(signer, "ada lovelace"))+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		keys, err := OpenKeys(path)
		if err != nil {
			t.Errorf("%q: %v", c.options, err)
			continue
		}
		ask := func(ip string) (Grant, bool) {
			return keys.Lookup(signer.PublicKey(), &net.TCPAddr{IP: net.ParseIP(ip), Port: 4711})
		}
		for _, ip := range c.in {
			if g, ok := ask(ip); !ok || g.Terminal != c.terminal || g.Name != "ada lovelace" {
				t.Errorf("%q from %s: %+v, %v", c.options, ip, g, ok)
			}
		}
		for _, ip := range c.out {
			if _, ok := ask(ip); ok {
				t.Errorf("%q lets in %s", c.options, ip)
			}
		}
		if _, ok := keys.Lookup(newSigner(t).PublicKey(), &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7)}); ok {
			t.Errorf("%q lets in another key", c.options)
		}
	}
}

func TestALineThatIsNotUnderstoodListsNobody(t *testing.T) {
	good, bad := newSigner(t), newSigner(t)
	for _, option := range []string{
		`command="id"`, `environment="A=b"`, "cert-authority", `expiry-time="20300101"`, "tunnel=\"0\"", `from="host.example"`, `from=""`, "no-such-option",
	} {
		path := filepath.Join(t.TempDir(), "keys")
		text := line(good, "good") + "\n# a comment\n" + option + " " + line(bad, "bad")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenKeys(path); err == nil || !strings.Contains(err.Error(), "line 4") {
			t.Errorf("%s: %v", option, err)
		}
		// The same later, while others watch.
		os.WriteFile(path, []byte(line(good, "good")), 0o600)
		keys, err := OpenKeys(path)
		if err != nil {
			t.Fatal(err)
		}
		os.WriteFile(path, []byte(text), 0o600)
		from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
		if _, ok := keys.Lookup(bad.PublicKey(), from); ok {
			t.Errorf("%s is let in", option)
		}
		if _, ok := keys.Lookup(good.PublicKey(), from); !ok {
			t.Errorf("%s keeps others out", option)
		}
		if p := keys.Problems(); len(p) != 1 || !strings.Contains(p[0], "line 4") {
			t.Errorf("%s: the problems are %q", option, p)
		}
		if p := keys.Problems(); len(p) != 0 {
			t.Errorf("%s: told twice: %q", option, p)
		}
	}
}

func TestAFileOfKeysThatOthersCanWriteListsNobody(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("runs where files have modes")
	}
	signer := newSigner(t)
	path := filepath.Join(t.TempDir(), "keys")
	os.WriteFile(path, []byte(line(signer, "ada")), 0o600)
	keys, err := OpenKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
	for i, step := range []struct {
		do func()
		in bool
	}{
		{func() {}, true},
		{func() { os.Chmod(path, 0o622) }, false},
		{func() { os.Chmod(path, 0o600) }, true},
		{func() { os.Rename(path, path+".away") }, false},
		{func() { os.Symlink(path+".away", path) }, true},
	} {
		step.do()
		if _, ok := keys.Lookup(signer.PublicKey(), from); ok != step.in {
			t.Error(fmt.Sprint("step ", i, ": let in: ", ok))
		}
	}
}
