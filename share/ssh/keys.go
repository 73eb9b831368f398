package ssh

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	gossh "golang.org/x/crypto/ssh"

	"aspectop/private"
)

// maxKeys is the greatest size of a file of keys, in bytes.
const maxKeys = 1 << 20

// Keys is a file of public keys, in the format of OpenSSH's authorized_keys. It is read
// at each lookup, so a change counts at once. A file that cannot be read lists no key,
// nor does a line that is not understood.
type Keys struct {
	path string

	mu       sync.Mutex // guards what follows
	content  []byte     // as it was read last
	keys     []listed
	problems []string // not reported yet
	trouble  string   // why the file could not be read last time
}

// Grant is what a listed key may do.
type Grant struct {
	Name     string // its comment, or its fingerprint
	Terminal bool   // a screen; lines are allowed in any case
}

type listed struct {
	key   []byte
	grant Grant
	from  []string // patterns of addresses, nil for all
}

// OpenKeys reads the file. It fails if the file has a line that is not understood; err
// wraps fs.ErrNotExist if there is no file, and ErrNoKeys if there is no key in it.
func OpenKeys(path string) (*Keys, error) {
	content, err := readKeys(path)
	if err != nil {
		return nil, err
	}
	keys, problems := parseKeys(path, content)
	switch {
	case len(problems) > 0:
		return nil, errors.New(strings.Join(problems, "\n"))
	case len(keys) == 0:
		return nil, fmt.Errorf("%s: %w", path, ErrNoKeys)
	}
	return &Keys{path: path, content: content, keys: keys}, nil
}

// ErrNoKeys says that a file of keys lists none.
var ErrNoKeys = errors.New("no key is listed")

// Len is how many keys are listed.
func (k *Keys) Len() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.keys)
}

// Lookup returns what a key from the address may do; ok is false if it may not log in.
func (k *Keys) Lookup(key gossh.PublicKey, from net.Addr) (grant Grant, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refresh()
	wire := key.Marshal()
	for _, l := range k.keys {
		if bytes.Equal(l.key, wire) && (l.from == nil || comesFrom(l.from, host(from))) {
			return l.grant, true
		}
	}
	return Grant{}, false
}

// Problems returns what was found wrong with the file since the last call.
func (k *Keys) Problems() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	p := k.problems
	k.problems = nil
	return p
}

func (k *Keys) refresh() {
	content, err := readKeys(k.path)
	if err != nil {
		if err.Error() != k.trouble {
			k.trouble = err.Error()
			k.problems = append(k.problems, "SSH: nobody is let in: "+k.trouble)
		}
		k.keys = nil
		return
	}
	if k.trouble == "" && bytes.Equal(content, k.content) {
		return
	}
	k.trouble = ""
	k.content = content
	var problems []string
	k.keys, problems = parseKeys(k.path, content)
	for _, p := range problems {
		k.problems = append(k.problems, "SSH: "+p)
	}
}

// readKeys reads the file, or what it is a link to. Only its owner may be able to write
// it.
func readKeys(path string) ([]byte, error) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	return private.Read(target, maxKeys)
}

func parseKeys(path string, content []byte) (keys []listed, problems []string) {
	for i, line := range bytes.Split(content, []byte{'\n'}) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		key, comment, options, _, err := gossh.ParseAuthorizedKey(line)
		l := listed{grant: Grant{Name: comment, Terminal: true}}
		if err != nil {
			err = errors.New("is not a public key")
		} else {
			l.key = key.Marshal()
			err = l.restrict(options)
		}
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s, line %d %v", path, i+1, err))
			continue
		}
		if l.grant.Name == "" {
			l.grant.Name = gossh.FingerprintSHA256(key)
		}
		keys = append(keys, l)
	}
	return keys, problems
}

// restrict applies the options before a key. One that is not understood could be a
// restriction, so it is an error.
func (l *listed) restrict(options []string) error {
	for _, o := range options {
		name, value, _ := strings.Cut(o, "=")
		switch strings.ToLower(name) {
		case "restrict", "no-pty":
			l.grant.Terminal = false
		case "pty":
			l.grant.Terminal = true
		case "no-port-forwarding", "no-agent-forwarding", "no-x11-forwarding", "no-user-rc":
			// always so
		case "from":
			for _, p := range strings.Split(strings.Trim(value, `"`), ",") {
				if p = strings.TrimSpace(p); !isAddressPattern(p) {
					return fmt.Errorf("has from=%q: addresses, networks and * and ? are understood, names of hosts are not", p)
				}
				l.from = append(l.from, p)
			}
		default:
			return fmt.Errorf("has the option %q, which aspectop does not know; from=, restrict, pty and no-pty are understood", name)
		}
	}
	return nil
}

func isAddressPattern(p string) bool {
	p = strings.TrimPrefix(p, "!")
	if _, err := netip.ParsePrefix(p); err == nil {
		return true
	}
	return p != "" && strings.Trim(p, "0123456789abcdefABCDEF.:*?") == ""
}

// comesFrom reports whether an address matches one of the patterns and none of
// those with an exclamation mark.
func comesFrom(patterns []string, address string) bool {
	ip, _ := netip.ParseAddr(address)
	found := false
	for _, p := range patterns {
		p, not := strings.CutPrefix(p, "!")
		match, _ := path.Match(strings.ToLower(p), strings.ToLower(address))
		if network, err := netip.ParsePrefix(p); err == nil {
			match = network.Contains(ip.Unmap().WithZone(""))
		} else if same, err := netip.ParseAddr(p); err == nil {
			match = same == ip
		}
		if match && not {
			return false
		}
		found = found || match
	}
	return found
}

// HostKey returns the server's own key from the file, which is made with mode 0600 if
// there is none.
func HostKey(path string) (gossh.Signer, error) {
	if err := private.MakeFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	text, err := private.Read(path, maxKeys)
	if errors.Is(err, fs.ErrNotExist) {
		lock, e := private.Lock(path + ".lock")
		if e != nil {
			return nil, e
		}
		defer private.Unlock(lock)
		if text, err = private.Read(path, maxKeys); errors.Is(err, fs.ErrNotExist) { // still
			if text, err = newHostKey(); err == nil {
				err = private.Replace(path, path+".new", text)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by other users, so it proves nothing; remove it, and a new one is made", path)
	}
	key, err := gossh.ParsePrivateKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s is not a host key (%w); remove it, and a new one is made", path, err)
	}
	return key, nil
}

func newHostKey() ([]byte, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	block, err := gossh.MarshalPrivateKey(key, "aspectop")
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(block), nil
}
