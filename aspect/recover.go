package aspect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"time"

	"aspectop/private"
)

// intentLife is how long an intent is kept after the user has seen it, only for
// looking up its description.
const intentLife = 30 * 24 * time.Hour

// Recovery is what earlier runs left behind and what happened to it.
type Recovery struct {
	// Registration is the endpoint that is reused, nil if none is.
	Registration *Registration
	Findings     []Finding

	leases leases
}

// Outcome is what happened to a Finding.
type Outcome uint8

const (
	// Repointed is an endpoint that is reused.
	Repointed Outcome = iota + 1
	// Deleted is an endpoint that was deleted.
	Deleted
	// Gone is an endpoint that somebody else had deleted.
	Gone
	// Kept is an endpoint that was kept on purpose and is not needed now.
	Kept
	// Foreign is an endpoint of another API or another key. It was not touched.
	Foreign
	// Unanswered is an endpoint that may or may not exist, because the answer to its
	// creation was lost. Only a person can find it.
	Unanswered
	// Failed is an endpoint that could not be deleted: Err says why.
	Failed
	// Unreadable is a lease that this version cannot read: Err says why.
	Unreadable
)

// Finding is one thing that an earlier run left behind. String describes it to the
// user.
type Finding struct {
	Outcome     Outcome
	EndpointID  string // empty if Unanswered or Unreadable
	URL         string // where the endpoint points, as far as known
	Description string // as shown in the dashboard
	Nonce       string
	APIURL      string
	Created     time.Time
	Path        string // of the lease
	Err         error
}

// orphan is a lease whose owner has exited. We hold its lock.
type orphan struct {
	claim *claim
	lease lease
}

// Recover cleans up after earlier runs. If url is not empty it reuses one endpoint
// of the same API and key, preferably one that was kept on purpose, and points it to
// url. Other endpoints are deleted, unless they were kept on purpose or belong to
// another key or API. Show every finding to the user, then call [Recovery.Shown].
//
// The error is about the directory; a problem with one lease is a finding. If
// Aspect does not answer or rejects the key, the remaining endpoints are not tried.
func (r *Registrar) Recover(ctx context.Context, url string) (*Recovery, error) {
	rec := &Recovery{leases: r.leases}
	orphans, err := rec.collect()
	if err != nil {
		return rec, fmt.Errorf("cannot read the leases of earlier runs: %w", err)
	}
	slices.SortStableFunc(orphans, func(a, b orphan) int {
		if a.lease.Kept != b.lease.Kept {
			if a.lease.Kept {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.lease.Created.UnixNano(), a.lease.Created.UnixNano())
	})
	var down error // set once further calls are useless
	for _, o := range orphans {
		switch {
		case o.lease.EndpointID == "":
			rec.unanswered(o)
		case o.lease.APIURL != r.client.base || o.lease.Fingerprint != r.client.key.fingerprint():
			o.claim.close()
			if !o.lease.Kept {
				rec.add(Foreign, o, nil)
			}
		case down != nil:
			o.claim.close()
			rec.add(Failed, o, r.client.cleanupError(o.lease, down))
		case url != "" && rec.Registration == nil:
			down = r.takeOver(ctx, rec, o, url)
		case o.lease.Kept:
			o.claim.close()
			rec.add(Kept, o, nil)
		default:
			down = r.discard(ctx, rec, o)
		}
	}
	return rec, nil
}

// collect locks all leases whose owner has exited.
func (rec *Recovery) collect() ([]orphan, error) {
	nonces, err := rec.leases.nonces()
	if err != nil {
		return nil, err
	}
	var orphans []orphan
	for _, nonce := range nonces {
		c, err := rec.leases.claim(nonce)
		if errors.Is(err, private.ErrLocked) {
			continue // its owner is running
		}
		if err != nil {
			rec.Findings = append(rec.Findings, Finding{Outcome: Unreadable, Nonce: nonce, Err: err})
			continue
		}
		l, err := c.read()
		switch {
		case err == nil:
			orphans = append(orphans, orphan{c, l})
		case errors.Is(err, fs.ErrNotExist):
			c.remove() // only a lock was left, which is harmless
		default:
			c.close()
			rec.Findings = append(rec.Findings, Finding{Outcome: Unreadable, Nonce: nonce, Path: c.path(), Err: err})
		}
	}
	return orphans, nil
}

func (rec *Recovery) add(outcome Outcome, o orphan, err error) {
	rec.Findings = append(rec.Findings, Finding{
		Outcome: outcome, EndpointID: o.lease.EndpointID, URL: o.lease.Endpoint.URL, Description: o.lease.Endpoint.Description,
		Nonce: o.lease.Nonce, APIURL: o.lease.APIURL, Created: o.lease.Created, Path: o.claim.path(), Err: err,
	})
}

// unanswered reports an intent until the user has seen it, and deletes it after
// intentLife.
func (rec *Recovery) unanswered(o orphan) {
	switch {
	case o.lease.Shown.IsZero():
		rec.add(Unanswered, o, nil)
	case time.Since(o.lease.Shown) > intentLife:
		o.claim.remove() // if it fails, the next start tries again
		return
	}
	o.claim.close()
}

// takeOver points an orphan to url. It returns an error only if trying others is
// useless.
func (r *Registrar) takeOver(ctx context.Context, rec *Recovery, o orphan, url string) error {
	g := &Registration{EndpointID: o.lease.EndpointID, Secret: o.lease.Secret.Credential, client: r.client, claim: o.claim, lease: o.lease}
	err := g.Repoint(ctx, url)
	switch {
	case err == nil:
		rec.Registration = g
		o.lease = g.lease
		rec.add(Repointed, o, nil)
		return nil
	case errors.Is(err, ErrNotFound):
		rec.add(Gone, o, o.claim.remove())
		return nil
	}
	return rec.fail(o, r.client.cleanupError(o.lease, err))
}

// discard deletes an orphan. It returns an error only if trying others is useless.
func (r *Registrar) discard(ctx context.Context, rec *Recovery, o orphan) error {
	err := r.client.DeleteEndpoint(ctx, o.lease.EndpointID)
	switch {
	case err == nil:
		rec.add(Deleted, o, o.claim.remove())
		return nil
	case errors.Is(err, ErrNotFound):
		rec.add(Gone, o, o.claim.remove())
		return nil
	}
	return rec.fail(o, r.client.cleanupError(o.lease, err))
}

// fail reports an orphan that could not be deleted, and returns the error if the
// next one would fail in the same way.
func (rec *Recovery) fail(o orphan, err *CleanupError) error {
	o.claim.close()
	rec.add(Failed, o, err)
	var refused *APIError
	if !errors.As(err, &refused) {
		return err.Err
	}
	switch refused.Status {
	case http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity:
		return nil
	}
	return err.Err
}

// Shown records that the user has seen the findings, so that Unanswered ones are not
// reported again.
func (rec *Recovery) Shown() error {
	var errs []error
	for _, f := range rec.Findings {
		if f.Outcome == Unanswered {
			errs = append(errs, rec.leases.markShown(f.Nonce))
		}
	}
	return errors.Join(errs...)
}

func (l leases) markShown(nonce string) error {
	c, err := l.claim(nonce)
	if errors.Is(err, private.ErrLocked) {
		return nil // another process is reporting it
	}
	if err != nil {
		return err
	}
	note, err := c.read()
	if errors.Is(err, fs.ErrNotExist) { // the user removed it meanwhile
		return c.remove()
	}
	defer c.close()
	if err != nil {
		return err
	}
	note.Shown = time.Now().UTC()
	return c.write(note)
}
