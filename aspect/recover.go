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

// intentLife is how long an intent is kept after the user was told. Its file
// then only serves to look the description up again.
const intentLife = 30 * 24 * time.Hour

// Recovery is what an earlier run left behind, and what became of it.
type Recovery struct {
	// Registration is the endpoint that was taken over, nil if none was.
	Registration *Registration
	Findings     []Finding

	leases leases
}

// Outcome is what became of something left behind.
type Outcome uint8

const (
	// Repointed is an endpoint that was taken over.
	Repointed Outcome = iota + 1
	// Deleted is an endpoint that was deleted.
	Deleted
	// Gone is an endpoint that somebody else had deleted.
	Gone
	// Kept is an endpoint that was kept on purpose and not needed now.
	Kept
	// Foreign is an endpoint of another API or another key. It was not touched.
	Foreign
	// Unanswered is an endpoint that was asked for, and nobody knows whether it
	// exists. Only a person can find it.
	Unanswered
	// Failed is an endpoint that is still there: Err says why.
	Failed
	// Unreadable is a lease that this version cannot read: Err says why.
	Unreadable
)

// Finding is one thing that an earlier run left behind. Its String is the
// sentence for the user.
type Finding struct {
	Outcome     Outcome
	EndpointID  string // empty if Unanswered or Unreadable
	URL         string // where the endpoint points, as far as known
	Description string // by which the dashboard shows it
	Nonce       string
	APIURL      string
	Created     time.Time
	Path        string // of the lease
	Err         error
}

// orphan is a lease whose owner is gone. Its lock is ours.
type orphan struct {
	claim *claim
	lease lease
}

// Recover deals with what runs that are gone left behind. If url is not empty
// it takes over one endpoint of the same API and key, first one that was kept on
// purpose, and points it there; the others of ours are deleted, except those
// that were kept on purpose. Leases of other keys and APIs are left alone. Show
// every finding to the user, and then call [Recovery.Shown].
//
// The error is about the folder itself; what goes wrong with one lease is a
// finding. Once Aspect does not answer or refuses the key, what is left is not
// tried.
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
	var down error // set once it makes no sense to ask Aspect for more
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

// collect takes all leases whose owner is gone.
func (rec *Recovery) collect() ([]orphan, error) {
	nonces, err := rec.leases.nonces()
	if err != nil {
		return nil, err
	}
	var orphans []orphan
	for _, nonce := range nonces {
		c, err := rec.leases.claim(nonce)
		if errors.Is(err, private.ErrLocked) {
			continue // its owner lives
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
			c.remove() // only a lock was left; if it stays it does no harm
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

// unanswered reports an intent until the user was told, and forgets it some
// time after.
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

// takeOver points an orphan to url. It returns an error only if no other need
// be tried.
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

// discard deletes an orphan. It returns an error only if no other need be
// tried.
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

// fail reports an orphan that is still there, and returns the error if the next
// one would meet the same.
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

// Shown notes that the user saw the findings: an Unanswered one is not reported
// again. Its file stays for 30 days.
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
		return nil // another start reports it just now
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
