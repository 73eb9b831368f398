package aspect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"aspectop/clean"
	"aspectop/private"
)

// intentLife is how long an intent is kept after the user has seen it, only for
// looking up its description.
const intentLife = 30 * 24 * time.Hour

// Recovery is what earlier runs left behind and what happened to it.
type Recovery struct {
	Lease   *Lease // the endpoint that is reused, nil if none is
	Orphans []Orphan

	leases *Leases
}

// Outcome is what happened to an endpoint.
type Outcome uint8

const (
	Repointed  Outcome = iota + 1 // reused
	Deleted                       // now
	Gone                          // somebody else had deleted it
	Kept                          // on purpose, and not needed now
	Foreign                       // of another API or another key; not touched
	Unanswered                    // may exist: the answer to its creation was lost. Only a person can find it
	Failed                        // could not be deleted: Err says why
	Unreadable                    // this version cannot read its lease: Err says why
)

// Orphan is an endpoint of an earlier run. String describes it to the user.
type Orphan struct {
	leaseRecord // if Unreadable, only the Nonce
	Outcome     Outcome
	Path        string // of the lease
	Err         error
}

// String says what was found, what happened to it, and what to do.
func (o Orphan) String() string {
	left := fmt.Sprintf("webhook endpoint %q from an earlier run", o.EndpointID)
	var s string
	switch o.Outcome {
	case Repointed:
		s = left + " now points to " + clean.URL(o.Endpoint.URL)
	case Deleted:
		s = left + " was deleted"
	case Gone:
		s = left + " had already been deleted"
	case Kept:
		return left + " was kept and still exists; to delete it, run: " + o.deletion()
	case Foreign:
		return fmt.Sprintf("%s belongs to another API key or address (%s) and was not changed: run aspectop with that key, or delete the endpoint in Aspect's dashboard and then the file %s", left, o.APIURL, o.Path)
	case Unanswered:
		asked := fmt.Sprintf("an earlier run asked %s at %s", o.APIURL, o.Created.Local().Format(time.DateTime))
		if o.Put != "" {
			return fmt.Sprintf("%s for a change of webhook endpoint %q but got no answer; %s", asked, o.Put, lookForOther(o.Endpoint.Description, o.Nonce, o.Endpoint.URL))
		}
		return fmt.Sprintf("%s for a webhook endpoint for %s but got no answer, so it may exist: %s",
			asked, clean.URL(o.Endpoint.URL), lookFor(o.Endpoint.Description))
	case Unreadable:
		return fmt.Sprintf("cannot read the lease of a webhook endpoint: %v: look in Aspect's dashboard for an endpoint whose description contains the nonce %s, delete it, and then the file", o.Err, o.Nonce)
	default:
		return o.Err.Error()
	}
	if o.Err != nil {
		s += "; " + strings.ReplaceAll(o.Err.Error(), "\n", "; ")
	}
	return s
}

// Recover cleans up after earlier runs. If url is not empty it reuses one endpoint
// of the same API and key, preferably one that was kept on purpose, and points it to
// url. Other endpoints are deleted, unless they were kept on purpose or belong to
// another key or API. Show every orphan to the user, then call [Recovery.Shown].
//
// The error is about the directory; a problem with one lease is an orphan's. If
// Aspect does not answer or rejects the key, the remaining endpoints are not tried.
func (l *Leases) Recover(ctx context.Context, url string) (*Recovery, error) {
	rec := &Recovery{leases: l}
	files, err := rec.collect()
	if err != nil {
		return rec, fmt.Errorf("cannot read the leases of earlier runs: %w", err)
	}
	slices.SortStableFunc(files, func(a, b *leaseFile) int {
		if a.Kept != b.Kept {
			if a.Kept {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.Created.UnixNano(), a.Created.UnixNano())
	})
	var down error // set once further calls are useless
	for _, f := range files {
		switch {
		case f.EndpointID == "":
			rec.unanswered(f)
		case f.APIURL != l.client.base || f.Fingerprint != l.client.key.fingerprint():
			f.close()
			if !f.Kept {
				rec.add(Foreign, f, nil)
			}
		case down != nil:
			rec.failed(f, l.client.cleanupError(f.leaseRecord, down))
		case url != "" && rec.Lease == nil && !f.Secret.Empty(): // without it, nothing can be verified
			down = rec.repoint(ctx, f, url)
		case f.Kept:
			f.close()
			rec.add(Kept, f, nil)
		default:
			outcome, err := l.client.deleteLeased(ctx, f)
			if outcome == Failed {
				down = rec.failed(f, err)
			} else {
				rec.add(outcome, f, err)
			}
		}
	}
	return rec, nil
}

// collect locks and reads all leases whose owner has exited.
func (rec *Recovery) collect() (files []*leaseFile, err error) {
	nonces, err := rec.leases.nonces()
	if err != nil {
		return nil, err
	}
	for _, nonce := range nonces {
		f, err := rec.leases.lock(nonce)
		if errors.Is(err, private.ErrLocked) {
			continue // its owner is running
		}
		if err != nil {
			rec.Orphans = append(rec.Orphans, Orphan{leaseRecord{Nonce: nonce}, Unreadable, "", err})
			continue
		}
		switch err := f.read(); {
		case err == nil:
			files = append(files, f)
		case errors.Is(err, fs.ErrNotExist):
			f.remove() // only a lock was left, which is harmless
		default:
			f.close()
			rec.Orphans = append(rec.Orphans, Orphan{leaseRecord{Nonce: nonce}, Unreadable, f.path(), err})
		}
	}
	return files, nil
}

func (rec *Recovery) add(outcome Outcome, f *leaseFile, err error) {
	rec.Orphans = append(rec.Orphans, Orphan{f.leaseRecord, outcome, f.path(), err})
}

// unanswered reports an intent until the user has seen it, and deletes it after
// intentLife.
func (rec *Recovery) unanswered(f *leaseFile) {
	if shown := f.Shown; shown.IsZero() {
		rec.add(Unanswered, f, nil)
	} else if time.Since(shown) > intentLife {
		f.remove() // if it fails, the next start tries again
		return
	}
	f.close()
}

// repoint reuses an endpoint. It returns an error only if trying others is useless.
func (rec *Recovery) repoint(ctx context.Context, f *leaseFile, url string) error {
	lease, was := rec.leases.owned(f), f.leaseRecord
	notice, err := lease.Repoint(ctx, url)
	switch {
	case err == nil:
		rec.Lease = lease
		if notice != "" {
			err = errors.New(notice)
		}
		rec.add(Repointed, f, err)
	case errors.Is(err, ErrNotFound):
		var gone *goneError
		errors.As(err, &gone)
		rec.Orphans = append(rec.Orphans, Orphan{was, Gone, f.path(), gone.left})
	default:
		return rec.failed(f, lease.client.cleanupError(f.leaseRecord, err))
	}
	return nil
}

// failed reports an endpoint that could not be deleted, and returns the cause if the
// next one would fail in the same way.
func (rec *Recovery) failed(f *leaseFile, err error) error {
	f.close()
	rec.add(Failed, f, err)
	if refused, ok := errors.AsType[*APIError](err); ok {
		switch refused.Status {
		case http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity:
			return nil
		}
	}
	return errors.Unwrap(err)
}

// Shown records that the user has seen the orphans, so that Unanswered ones are not
// reported again.
func (rec *Recovery) Shown() error {
	var errs []error
	for _, o := range rec.Orphans {
		if o.Outcome == Unanswered || errors.As(o.Err, new(*LostAnswerError)) {
			errs = append(errs, rec.leases.markShown(o.Nonce))
		}
	}
	return errors.Join(errs...)
}

func (l *Leases) markShown(nonce string) error {
	f, err := l.lock(nonce)
	if errors.Is(err, private.ErrLocked) {
		return nil // another process is reporting it
	}
	if err != nil {
		return err
	}
	err = f.read()
	if errors.Is(err, fs.ErrNotExist) { // the user removed it meanwhile
		return f.remove()
	}
	defer f.close()
	if err != nil {
		return err
	}
	f.Shown = time.Now().UTC()
	return f.write()
}

// CleanupError means that our endpoint could not be deleted. It says how to do so
// by hand.
type CleanupError struct {
	EndpointID string
	URL        string // where the endpoint points
	Command    string // deletes it with aspectop
	Curl       string // deletes it with curl and $ASPECT_API_KEY
	Err        error
}

func (e *CleanupError) Error() string {
	return fmt.Sprintf("webhook endpoint %q (%s) is still registered: %v; the next run will try again; to delete it now, run: %s, or: %s",
		e.EndpointID, clean.URL(e.URL), e.Err, e.Command, e.Curl)
}

func (e *CleanupError) Unwrap() error { return e.Err }

// deletion is the command that deletes the endpoint.
func (l leaseRecord) deletion() string {
	command := "aspectop endpoints delete " + clean.ShellWord(l.EndpointID)
	if l.APIURL != DefaultURL {
		command = "ASPECT_URL=" + clean.ShellWord(l.APIURL) + " " + command
	}
	return command
}

func (c *Client) cleanupError(l leaseRecord, err error) *CleanupError {
	return &CleanupError{
		EndpointID: l.EndpointID, URL: l.Endpoint.URL, Command: l.deletion(), Err: err,
		Curl: `curl -X DELETE -H "Authorization: Bearer $ASPECT_API_KEY" ` +
			clean.ShellWord(c.base+"/webhooks/endpoints/"+url.PathEscape(l.EndpointID)),
	}
}

// LostAnswerError means that an endpoint may have been created with an unknown id.
// Aspect's API cannot list endpoints.
type LostAnswerError struct {
	Put         string // the endpoint that was to be changed; "" if one was to be created
	Description string // as shown in the dashboard
	Nonce       string
	URL         string
	Err         error
}

func (e *LostAnswerError) Error() string {
	if e.Put != "" {
		return fmt.Sprintf("webhook endpoint %q may have been changed (%v); %s", e.Put, e.Err, lookForOther(e.Description, e.Nonce, e.URL))
	}
	return fmt.Sprintf("a webhook endpoint for %s may have been created, but the answer was lost (%v): %s", clean.URL(e.URL), e.Err, lookFor(e.Description))
}

func (e *LostAnswerError) Unwrap() error { return e.Err }

// lookForOther says how to find what a PUT may have created. Of a description of ours
// only the nonce is certain.
func lookForOther(description, nonce, url string) string {
	by := "for " + clean.URL(url)
	if mark := "nonce " + nonce; strings.Contains(description, mark) {
		by = fmt.Sprintf("whose description contains %q", mark)
	} else if description != "" {
		by = fmt.Sprintf("described as %q", description)
	}
	return "if it was deleted before, another one may have been created instead: look in Aspect's dashboard for an endpoint with another id " + by + ", and delete it"
}

func lookFor(description string) string {
	return fmt.Sprintf("look in Aspect's dashboard for an endpoint described as %q and delete it", description)
}
