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
	leaseVersion = 1        // leases of other versions are left alone
	maxLease     = 64 << 10 // bytes
)

// leaseRecord is the content of a lease. Until Aspect has answered with the endpoint's
// id it is only an intent, with an empty EndpointID.
type leaseRecord struct {
	Version     int          `json:"version"`
	Nonce       string       `json:"nonce"`
	PID         int          `json:"pid"` // of its last owner, for people
	Created     time.Time    `json:"created"`
	APIURL      string       `json:"api_url"`
	Fingerprint string       `json:"key_fingerprint"`
	Endpoint    EndpointSpec `json:"endpoint"` // as it was set last
	EndpointID  string       `json:"endpoint_id,omitempty"`
	Secret      savedSecret  `json:"secret,omitzero"`
	// Put is the endpoint that a PUT was sent to whose answer is not known. If there was
	// no such endpoint, the PUT may have created another one.
	Put   string    `json:"put,omitempty"`
	Kept  bool      `json:"kept,omitempty"` // not to be deleted
	Shown time.Time `json:"shown,omitzero"` // of an intent: when the user was shown it
}

// savedSecret is a Credential that encodes as its text.
type savedSecret struct{ Credential }

func (s savedSecret) MarshalText() ([]byte, error) { return []byte(s.Reveal()), nil }

func (s *savedSecret) UnmarshalText(text []byte) error {
	s.Credential = NewCredential(string(text))
	return nil
}

// leaseFile is a lease whose lock this process holds. On disk it is NONCE.json,
// NONCE.lock, and for a moment NONCE.tmp.
type leaseFile struct {
	leaseRecord
	base string // path without the ending
	lock *os.File
}

var leaseName = regexp.MustCompile(`^([0-9a-f]{16})\.(json|tmp|lock)$`)

// nonces returns the nonce of each lease in the folder, including those in use.
func (l *Leases) nonces() ([]string, error) {
	err := private.CheckClosed(l.folder, fs.ModeDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(l.folder)
	if err != nil {
		return nil, err
	}
	var nonces []string
	for _, e := range entries {
		if m := leaseName.FindStringSubmatch(e.Name()); m != nil {
			nonces = append(nonces, m[1])
		}
	}
	slices.Sort(nonces)
	return slices.Compact(nonces), nil
}

// lock locks a lease, existing or new, without reading it. The error is
// private.ErrLocked if its owner is running.
func (l *Leases) lock(nonce string) (*leaseFile, error) {
	base := filepath.Join(l.folder, nonce)
	lock, err := private.Lock(base + ".lock")
	if err != nil {
		return nil, err
	}
	return &leaseFile{base: base, lock: lock}, nil
}

func (f *leaseFile) path() string { return f.base + ".json" }

// read reads the lease as last written. A process that crashed between writing and
// renaming left the newest version under the temporary name.
func (f *leaseFile) read() (err error) {
	if f.leaseRecord, err = readLease(f.base + ".tmp"); err == nil {
		return f.write()
	}
	f.leaseRecord, err = readLease(f.path())
	return err
}

func readLease(name string) (l leaseRecord, err error) {
	b, err := private.Read(name, maxLease)
	switch {
	case err != nil:
		return l, err
	case json.Unmarshal(b, &l) != nil:
		return l, fmt.Errorf("%s is damaged", name)
	case l.Version != leaseVersion:
		return l, fmt.Errorf("%s has format %d, but this aspectop only knows format %d", name, l.Version, leaseVersion)
	}
	return l, nil
}

func (f *leaseFile) write() error {
	b, err := json.MarshalIndent(f.leaseRecord, "", "  ")
	if err != nil {
		return err
	}
	return private.Replace(f.path(), f.base+".tmp", append(b, '\n'))
}

// remove deletes the lease and releases its lock. The lock file is deleted last, so
// that the lease is never visible without a lock.
func (f *leaseFile) remove() error {
	for _, name := range []string{f.path(), f.base + ".tmp"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.close()
			return err
		}
	}
	if err := private.SyncFolder(filepath.Dir(f.base)); err != nil {
		f.close()
		return err
	}
	return private.Unlock(f.lock)
}

// end is remove, after the endpoint is gone.
func (f *leaseFile) end() error {
	if err := f.remove(); err != nil {
		return fmt.Errorf("its lease could not be removed: %w", err)
	}
	return nil
}

// close releases the lock and leaves the lease to the next run.
func (f *leaseFile) close() { f.lock.Close() }
