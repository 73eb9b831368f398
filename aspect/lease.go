package aspect

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"aspectop/private"
)

const (
	// leaseVersion is written into every lease. Leases of other versions are left
	// alone.
	leaseVersion = 1
	// maxLease bounds the size of a lease, in bytes.
	maxLease = 64 << 10
)

// lease describes one endpoint of ours. Until Aspect has answered with the
// endpoint's id it is only an intent, with an empty EndpointID.
type lease struct {
	Version     int          `json:"version"`
	Nonce       string       `json:"nonce"`
	PID         int          `json:"pid"` // of its last owner, for people
	Created     time.Time    `json:"created"`
	APIURL      string       `json:"api_url"`
	Fingerprint string       `json:"key_fingerprint"`
	Endpoint    endpointBody `json:"endpoint"` // as it was set last
	EndpointID  string       `json:"endpoint_id,omitempty"`
	Secret      savedSecret  `json:"secret,omitzero"`
	Kept        bool         `json:"kept,omitempty"` // not to be deleted
	Shown       time.Time    `json:"shown,omitzero"` // of an intent: when the user was told
}

// savedSecret is a Credential that encodes as its text.
type savedSecret struct{ Credential }

func (s savedSecret) MarshalText() ([]byte, error) { return []byte(s.Reveal()), nil }

func (s *savedSecret) UnmarshalText(text []byte) error {
	s.Credential = NewCredential(string(text))
	return nil
}

// leases is the folder that holds one lease a file, named by its nonce:
// NONCE.json, NONCE.lock held by the process that owns it, and for a moment
// NONCE.tmp.
type leases struct{ folder string }

// claim is one lease while this process holds its lock.
type claim struct {
	base string // path without the ending
	lock *os.File
}

var leaseFile = regexp.MustCompile(`^([0-9a-f]{16})\.(json|tmp|lock)$`)

// nonces returns the nonce of each lease in the folder, of live ones too.
func (l leases) nonces() ([]string, error) {
	if err := private.CheckClosed(l.folder, fs.ModeDir); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	entries, err := os.ReadDir(l.folder)
	if err != nil {
		return nil, err
	}
	var nonces []string
	for _, e := range entries {
		if m := leaseFile.FindStringSubmatch(e.Name()); m != nil {
			nonces = append(nonces, m[1])
		}
	}
	slices.Sort(nonces)
	return slices.Compact(nonces), nil
}

// claim locks a lease, existing or new. The error is private.ErrLocked if its owner
// is running.
func (l leases) claim(nonce string) (*claim, error) {
	base := filepath.Join(l.folder, nonce)
	lock, err := private.Lock(base + ".lock")
	if err != nil {
		return nil, err
	}
	return &claim{base: base, lock: lock}, nil
}

func (c *claim) path() string { return c.base + ".json" }

// read returns the lease as last written. A process that crashed between writing
// and renaming left the newest version under the temporary name.
func (c *claim) read() (lease, error) {
	if l, err := readLease(c.base + ".tmp"); err == nil {
		return l, c.write(l)
	}
	return readLease(c.path())
}

func readLease(name string) (lease, error) {
	b, err := private.Read(name, maxLease)
	if err != nil {
		return lease{}, err
	}
	var l lease
	if err := json.Unmarshal(b, &l); err != nil {
		return lease{}, fmt.Errorf("%s is damaged", name)
	}
	if l.Version != leaseVersion {
		return lease{}, fmt.Errorf("%s has format %d, but this aspectop only knows format %d", name, l.Version, leaseVersion)
	}
	return l, nil
}

func (c *claim) write(l lease) error {
	b, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return private.Replace(c.path(), c.base+".tmp", append(b, '\n'))
}

// remove deletes the lease and releases its lock. The lock file is deleted last, so
// that the lease is never visible without a lock.
func (c *claim) remove() error {
	for _, name := range []string{c.path(), c.base + ".tmp"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			c.close()
			return err
		}
	}
	if err := private.SyncFolder(filepath.Dir(c.base)); err != nil {
		c.close()
		return err
	}
	return private.Unlock(c.lock)
}

// close releases the lock and leaves the lease to the next run.
func (c *claim) close() { c.lock.Close() }
