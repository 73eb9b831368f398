package aspect

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"aspectop/clean"
	"aspectop/private"
)

// undoTime limits the deletion of an endpoint that Register cannot return.
const undoTime = 10 * time.Second

var errReleased = errors.New("this registration was released")

// Leases registers webhook endpoints and keeps a lease of each in the state directory,
// so that an endpoint outlives a crash only until the next run. Several processes and
// Leases may share the directory; each lease is locked by its owner.
type Leases struct {
	client *Client
	folder string
}

// NewLeases uses the subdirectory "endpoints", which is created when needed.
func NewLeases(client *Client, stateDir string) *Leases {
	return &Leases{client, filepath.Join(stateDir, "endpoints")}
}

// Lease is an endpoint that this process owns. Its methods are safe for concurrent use
// but wait for each other, so cancel a Repoint before a Release that must not wait.
type Lease struct {
	EndpointID string
	Secret     Credential
	Unlike     string // how it differs from what was asked for, "" if it does not

	client   *Client
	mu       sync.Mutex
	file     *leaseFile
	released bool
}

func (l *Leases) owned(f *leaseFile) *Lease {
	return &Lease{EndpointID: f.EndpointID, Secret: f.Secret.Credential, client: l.client, file: f}
}

// Register creates an endpoint for all task events, and its lease. The intent is on
// disk before the request is sent.
//
// If the answer is lost the error is a [*LostAnswerError]; calling Register again
// may then create a second endpoint. If ctx ends during the request, Register waits
// for the answer and deletes the endpoint, which takes up to 15 seconds.
func (l *Leases) Register(ctx context.Context, url string) (*Lease, error) {
	if err := checkTarget(url); err != nil {
		return nil, err
	}
	f, err := l.create(EndpointSpec{URL: url, EventTypes: []string{AllTaskEvents}}, "")
	if err != nil {
		return nil, fmt.Errorf("no webhook endpoint was registered, because its lease cannot be saved: %w", err)
	}
	created, err := l.client.CreateEndpoint(ctx, f.Endpoint)
	if created.Endpoint.ID == "" {
		if Undone(err) {
			return nil, errors.Join(err, f.remove())
		}
		f.close()
		return nil, &LostAnswerError{Description: f.Endpoint.Description, Nonce: f.Nonce, URL: url, Err: err}
	}
	f.EndpointID, f.Secret = created.Endpoint.ID, savedSecret{created.Secret}
	owned := l.owned(f)
	owned.Unlike = created.Endpoint.unlike(f.Endpoint)
	f.Endpoint.EventTypes = created.Endpoint.EventTypes
	err = f.write()
	switch {
	case err != nil:
		err = fmt.Errorf("cannot save the lease of webhook endpoint %q: %w", f.EndpointID, err)
	case owned.Secret.Empty():
		err = fmt.Errorf("webhook endpoint %q was created, but Aspect returned no secret, so its deliveries cannot be verified: create an endpoint in Aspect's dashboard and set ASPECT_WEBHOOK_SECRET", f.EndpointID)
	case ctx.Err() != nil:
		err = fmt.Errorf("registering the webhook endpoint was interrupted: %w", ctx.Err())
	default:
		return owned, nil
	}
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	_, undone := owned.Release(undo)
	return nil, errors.Join(err, undone)
}

// create writes a new intent and locks it: to update the endpoint put, or else to create
// one, which is described by us.
func (l *Leases) create(spec EndpointSpec, put string) (f *leaseFile, err error) {
	if err := private.MakeFolder(l.folder); err != nil {
		return nil, err
	}
	var nonce string
	for {
		nonce = fmt.Sprintf("%016x", rand.Uint64())
		f, err = l.lock(nonce)
		if err == nil {
			break
		}
		if !errors.Is(err, private.ErrLocked) { // by another process's Recover, which checks the new lock
			return nil, err
		}
	}
	if put == "" {
		spec.Description = describe(nonce)
	}
	f.leaseRecord = leaseRecord{
		Version: leaseVersion, Nonce: nonce, PID: os.Getpid(), Created: time.Now().UTC(),
		APIURL: l.client.base, Fingerprint: l.client.key.fingerprint(),
		Endpoint: spec.withDefaults(), Put: put,
	}
	if err := f.write(); err != nil {
		return nil, errors.Join(err, f.remove())
	}
	return f, nil
}

func describe(nonce string) string {
	host, _ := os.Hostname()
	host = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, host)
	return fmt.Sprintf("aspectop %d@%s nonce %s", os.Getpid(), host, nonce)
}

// URL is where the endpoint points.
func (l *Lease) URL() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Endpoint.URL
}

// Left is the error of a program that ends before it could delete the endpoint.
func (l *Lease) Left() *CleanupError {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.client.cleanupError(l.file.leaseRecord, errors.New("aspectop ended before it was deleted"))
}

// Repoint changes the endpoint's URL; its secret stays the same. The notice is about the
// answer, "" if there is nothing to say. If the endpoint was deleted, the error matches
// [ErrNotFound], and this lease is released: register again.
func (l *Lease) Repoint(ctx context.Context, url string) (notice string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.released {
		return "", errReleased
	}
	if err := checkTarget(url); err != nil {
		return "", err
	}
	lost := l.file.Put != ""
	l.file.Put = l.EndpointID
	if err := l.file.write(); err != nil {
		return "", fmt.Errorf("webhook endpoint %q was not changed, because its lease cannot be updated: %w", l.EndpointID, err)
	}
	spec := l.file.Endpoint
	spec.URL, spec.Description = url, describe(l.file.Nonce)
	e, err := l.client.update(ctx, l.file, l.EndpointID, spec, lost)
	if err != nil {
		l.released = errors.Is(err, ErrNotFound)
		return "", err
	}
	l.file.Endpoint, l.file.PID, l.file.Kept, l.file.Put = spec, os.Getpid(), false, ""
	if err := l.file.write(); err != nil {
		return "", fmt.Errorf("webhook endpoint %q now points to %s, but its lease cannot be updated: %w", l.EndpointID, clean.URL(url), err)
	}
	return e.Notice, nil
}

// Release deletes the endpoint, with the deliveries that Svix would still retry, and
// then its lease. The outcome is Deleted, or Gone if the endpoint did not exist. If it
// fails, the error is a [*CleanupError] and the lease stays, so that Release can be
// called again or the next run cleans up. After success it does nothing.
func (l *Lease) Release(ctx context.Context) (Outcome, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.released {
		return Gone, nil
	}
	outcome, err := l.client.deleteLeased(ctx, l.file)
	if outcome == Failed {
		return outcome, err
	}
	l.released = true
	if err != nil {
		err = fmt.Errorf("webhook endpoint %q is deleted, but %w", l.EndpointID, err)
	}
	return outcome, err
}

// deleteLeased deletes the endpoint and then its lease, which stays as an intent if an
// update may have created another endpoint. If it cannot delete the endpoint, the
// outcome is Failed and the lease stays.
func (c *Client) deleteLeased(ctx context.Context, f *leaseFile) (outcome Outcome, err error) {
	switch err := c.DeleteEndpoint(ctx, f.EndpointID); {
	case err == nil:
		outcome = Deleted
	case errors.Is(err, ErrNotFound):
		outcome = Gone
	default:
		return Failed, c.cleanupError(f.leaseRecord, err)
	}
	if f.Put != "" && (outcome == Gone || f.Put != f.EndpointID) {
		return outcome, f.unanswered()
	}
	return outcome, f.end()
}

// Keep gives the lease up but keeps it and its endpoint for the next run.
func (l *Lease) Keep() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.released {
		return errReleased
	}
	l.file.Kept = true
	err := l.file.write()
	l.file.close()
	l.released = true
	return err
}
