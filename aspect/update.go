package aspect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Update sets all six fields of an endpoint that no lease is of. The intent is on disk
// before the request is sent. If the endpoint does not exist, the error matches
// [ErrNotFound], and what the server created instead is deleted.
func (l *Leases) Update(ctx context.Context, id string, spec EndpointSpec) (Endpoint, error) {
	if err := checkTarget(spec.URL); err != nil {
		return Endpoint{}, err
	}
	if _, err := pathOf("", id); err != nil {
		return Endpoint{}, err
	}
	f, err := l.create(spec, id)
	if err != nil {
		return Endpoint{}, fmt.Errorf("webhook endpoint %q was not updated, because that cannot be noted: %w", id, err)
	}
	e, err := l.client.update(ctx, f, id, spec, false)
	switch {
	case errors.Is(err, ErrNotFound): // update has seen to the lease
		return e, err
	case err != nil && !Undone(err):
		err = f.lostAnswer(err)
	}
	return e, errors.Join(err, f.end())
}

// update sets the fields of an endpoint; the lease f has noted that in Put. At Svix a PUT
// creates the endpoint if there is none: such a newcomer has another id and secret. It is
// written to the lease, then deleted, and the error matches [ErrNotFound], as it does if
// the server says so itself. Then the lease is removed, or left to the next run if
// something is left to do. lost means that the answer to an earlier PUT is missing.
func (c *Client) update(ctx context.Context, f *leaseFile, id string, spec EndpointSpec, lost bool) (Endpoint, error) {
	e, did, err := c.put(ctx, id, spec)
	switch {
	case errors.Is(err, ErrNotFound): // so this server creates none
		return e, &goneError{err, f.end()}
	case err != nil:
		if did.lost && Undone(err) { // only the last attempt was
			err = f.lostAnswer(err)
		}
		return e, err
	case e.ID == id:
		if did.status == http.StatusCreated {
			e.Notice = "the answer to its update was 201 Created, but names no other endpoint, so it was taken for an update: see in Aspect's dashboard that there is one only"
		}
		return e, nil
	}
	f.EndpointID, f.Secret, f.Kept = e.ID, savedSecret{}, false
	f.Endpoint.URL = spec.URL
	if !lost && !did.lost {
		f.Put = ""
	}
	unsaved := f.write()
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	outcome, left := c.deleteLeased(undo, f)
	if outcome == Failed {
		f.close()
	} else {
		left = errors.Join(fmt.Errorf("the update made another one instead, %q, which was deleted again", e.ID), left)
	}
	if unsaved != nil {
		left = errors.Join(left, fmt.Errorf("its lease could not be saved: %w", unsaved))
	}
	return Endpoint{}, &goneError{fmt.Errorf("webhook endpoint %q: %w", id, ErrNotFound), left}
}

// goneError means that the endpoint to be updated does not exist; it matches
// [ErrNotFound].
type goneError struct {
	error
	left error // what that led to, nil if nothing
}

func (e *goneError) Error() string {
	if e.left == nil {
		return e.error.Error()
	}
	return e.error.Error() + "; " + strings.ReplaceAll(e.left.Error(), "\n", "; ")
}

func (e *goneError) Unwrap() []error { return []error{e.error, e.left} }

func (f *leaseFile) lostAnswer(err error) *LostAnswerError {
	return &LostAnswerError{Put: f.Put, Description: f.Endpoint.Description, Nonce: f.Nonce, URL: f.Endpoint.URL, Err: err}
}

// unanswered makes the lease of an endpoint that is gone an intent: the answer to a PUT
// is missing, which may have created another one.
func (f *leaseFile) unanswered() error {
	f.EndpointID, f.Secret, f.Kept = "", savedSecret{}, false
	lost := f.lostAnswer(errors.New("an earlier attempt got none"))
	err := f.write()
	f.close()
	return errors.Join(lost, err)
}
