package aspect

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"aspectop/private"
)

// undoTime limits the deletion of an endpoint that Register cannot return.
const undoTime = 10 * time.Second

// errReleased is the error of using a released Registration.
var errReleased = errors.New("this registration was released")

// Registrar registers webhook endpoints and keeps a lease of each in the state
// directory, so that an endpoint outlives a crash only until the next run. Several
// processes and Registrars may share the directory; each lease is locked by its
// owner.
type Registrar struct {
	client *Client
	leases leases
}

// NewRegistrar uses the subdirectory "endpoints", which is created when needed.
func NewRegistrar(client *Client, stateDir string) *Registrar {
	return &Registrar{client, leases{filepath.Join(stateDir, "endpoints")}}
}

// Registration is an endpoint whose lease this process holds. Its methods are safe
// for concurrent use but wait for each other, so cancel a Repoint before a Release
// that must not wait.
type Registration struct {
	EndpointID string
	Secret     Credential
	Unlike     string // how it differs from what was asked for, "" if it does not

	client *Client
	mu     sync.Mutex
	claim  *claim // nil once released
	lease  lease
}

// Register creates an endpoint for all task events, and its lease. The intent is on
// disk before the request is sent.
//
// If the answer is lost the error is a [*LostAnswerError]; calling Register again
// may then create a second endpoint. If ctx ends during the request, Register waits
// for the answer and deletes the endpoint, which takes up to 15 seconds.
func (r *Registrar) Register(ctx context.Context, url string) (*Registration, error) {
	if err := checkTarget(url); err != nil {
		return nil, err
	}
	intent, claim, err := r.note(url)
	if err != nil {
		return nil, fmt.Errorf("no webhook endpoint was registered, because its lease cannot be saved: %w", err)
	}
	created, err := r.client.CreateEndpoint(ctx, intent.Endpoint.spec())
	if created.Endpoint.ID == "" {
		if Undone(err) {
			return nil, errors.Join(err, claim.remove())
		}
		claim.close()
		return nil, &LostAnswerError{Description: intent.Endpoint.Description, Nonce: intent.Nonce, URL: url, Err: err}
	}
	g := &Registration{EndpointID: created.Endpoint.ID, Secret: created.Secret, client: r.client, claim: claim, lease: intent}
	g.lease.EndpointID, g.lease.Secret = created.Endpoint.ID, savedSecret{created.Secret}
	g.lease.Endpoint.EventTypes = created.Endpoint.EventTypes
	g.Unlike = created.Endpoint.unlike(intent.Endpoint.spec())
	err = claim.write(g.lease)
	switch {
	case err != nil:
		err = fmt.Errorf("cannot save the lease of webhook endpoint %q: %w", g.EndpointID, err)
	case g.Secret.Empty():
		err = fmt.Errorf("webhook endpoint %q was created, but Aspect returned no secret, so its deliveries cannot be verified: create an endpoint in Aspect's dashboard and set ASPECT_WEBHOOK_SECRET", g.EndpointID)
	case ctx.Err() != nil:
		err = fmt.Errorf("registering the webhook endpoint was interrupted: %w", ctx.Err())
	default:
		return g, nil
	}
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	_, undone := g.Release(undo)
	return nil, errors.Join(err, undone)
}

// note writes a new intent and locks it.
func (r *Registrar) note(url string) (lease, *claim, error) {
	if err := private.MakeFolder(r.leases.folder); err != nil {
		return lease{}, nil, err
	}
	nonce := newNonce()
	c, err := r.leases.claim(nonce)
	for errors.Is(err, private.ErrLocked) { // another process's Recover is checking the new lock
		nonce = newNonce()
		c, err = r.leases.claim(nonce)
	}
	if err != nil {
		return lease{}, nil, err
	}
	intent := lease{
		Version: leaseVersion, Nonce: nonce, PID: os.Getpid(), Created: time.Now().UTC(),
		APIURL: r.client.base, Fingerprint: r.client.key.fingerprint(),
		Endpoint: EndpointSpec{URL: url, Description: describe(nonce), EventTypes: []string{AllTaskEvents}}.body(),
	}
	if err := c.write(intent); err != nil {
		return lease{}, nil, errors.Join(err, c.remove())
	}
	return intent, c, nil
}

func newNonce() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// describe is the endpoint's description in the dashboard.
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

func (b endpointBody) spec() EndpointSpec {
	return EndpointSpec{URL: b.URL, Description: b.Description, EventTypes: b.EventTypes, RateLimit: b.RateLimit, Version: b.Version}
}

// URL is where the endpoint points.
func (g *Registration) URL() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lease.Endpoint.URL
}

// Repoint changes the endpoint's URL; its secret stays the same. If the endpoint was
// deleted, the error matches [ErrNotFound]: release this registration and register
// again.
func (g *Registration) Repoint(ctx context.Context, url string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.claim == nil {
		return errReleased
	}
	spec := g.lease.Endpoint.spec()
	spec.URL, spec.Description = url, describe(g.lease.Nonce)
	if _, err := g.client.UpdateEndpoint(ctx, g.EndpointID, spec); err != nil {
		return err
	}
	g.lease.Endpoint.URL, g.lease.Endpoint.Description = url, spec.Description
	g.lease.PID, g.lease.Kept = os.Getpid(), false
	if err := g.claim.write(g.lease); err != nil {
		return fmt.Errorf("webhook endpoint %q now points to %s, but its lease cannot be updated: %w", g.EndpointID, url, err)
	}
	return nil
}

// Release deletes the endpoint, with the deliveries that Svix would still retry, and
// then its lease. The outcome is Deleted, or Gone if the endpoint did not exist. If it
// fails, the error is a [*CleanupError] and the lease stays, so that Release can be
// called again or the next run cleans up. After success it does nothing.
func (g *Registration) Release(ctx context.Context) (Outcome, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.claim == nil {
		return Gone, nil
	}
	outcome := Deleted
	if err := g.client.DeleteEndpoint(ctx, g.EndpointID); errors.Is(err, ErrNotFound) {
		outcome = Gone
	} else if err != nil {
		return Failed, g.client.cleanupError(g.lease, err)
	}
	err := g.claim.remove()
	g.claim = nil
	if err != nil {
		return outcome, fmt.Errorf("webhook endpoint %q was deleted, but not its lease: %w", g.EndpointID, err)
	}
	return outcome, nil
}

// Keep releases the registration but keeps the endpoint and its lease for the next
// run.
func (g *Registration) Keep() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.claim == nil {
		return errReleased
	}
	g.lease.Kept = true
	err := g.claim.write(g.lease)
	g.claim.close()
	g.claim = nil
	return err
}
