package forward

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/sig"
)

// ReplayOptions say how kept deliveries are posted again.
type ReplayOptions struct {
	Target
	// Sign signs each delivery anew, at the time of the request. Nil posts it
	// verbatim, with the signature it came with, which handlers refuse when it
	// is older than five minutes or the body was edited.
	Sign sig.Signer
	// NewID gives each a svix-id of its own, so that the handler does not take
	// it for a repeat. It needs Sign.
	NewID bool
}

// Replay posts kept deliveries again: one request each, whose outcome is not
// stored. It may be used by any number of goroutines.
type Replay struct {
	options ReplayOptions
	target  *Handler
}

// NewReplay checks the options.
func NewReplay(o ReplayOptions) (*Replay, error) {
	t, err := NewHandler(o.Target)
	if err != nil {
		return nil, err
	}
	if o.NewID && o.Sign == nil {
		return nil, errors.New("a new svix-id needs a new signature, so it cannot go with the old one (--verbatim)")
	}
	return &Replay{o, t}, nil
}

// To is the handler's URL without credentials.
func (r *Replay) To() string { return r.target.shown }

// Stale reports whether a handler will refuse the delivery at the time if it is
// posted verbatim, because its signature is too old.
func Stale(d *model.Delivery, at time.Time) bool { return age(d, at) > sig.Tolerance }

// Post makes one request, with the delivery's headers and with its body, which
// the caller may have edited, and returns what the handler answered: within
// 15 s, or when ctx ends. It posts what came as a webhook or from the event
// stream; for anything else, and for a repeat whose body was not kept again,
// the outcome's Error says so.
func (r *Replay) Post(ctx context.Context, d *model.Delivery) model.Forward {
	now := time.Now()
	if why := unfit(d); why != "" {
		return model.Forward{Seq: d.Seq, To: r.target.shown, At: now.UTC(), Final: true, Error: why}
	}
	id, key := d.ID, nameOfKey(d)
	if r.options.NewID {
		id = "msg_" + rand.Text()
	}
	if r.options.Sign != nil {
		key = "the secret that this replay was signed with"
	}
	f, a := r.target.post(ctx, d, id, r.options.Sign, key)
	f.Final = true
	old := age(d, now).Round(time.Second).String()
	switch {
	case f.Resigned || !Stale(d, now):
	case a.accepted():
		f.Hint = "the handler took a signature that is " + old + " old: it should refuse it after 5m, or others can send it again"
	case a.judged():
		f.Hint = "the signature is " + old + " old, and handlers reject it after 5m: without --verbatim it is re-signed"
	}
	return f
}

// unfit says why a delivery cannot be posted as a webhook, "" if it can.
func unfit(d *model.Delivery) string {
	switch {
	case d.Source == model.SourceAPI:
		return fmt.Sprintf("delivery %d was read from Aspect's API: it is not a webhook, so there is none to send again", d.Seq)
	case d.Repeat() && !d.Differs:
		return fmt.Sprintf("delivery %d is a duplicate of %d, which has the body: replay that one", d.Seq, d.Message)
	}
	return ""
}

// Resend posts a delivery again on request. Forwarders that gave it up
// do so by [Forwarder.Retry]; their URLs are returned. If there are none, the first
// Forwarder makes one request, re-signed, whose outcome goes to its journal and its
// Status, and is returned. A body that is not nil is posted in place of the delivery's,
// as a new message: its outcome is only returned. The error says why nothing was posted.
func Resend(ctx context.Context, all []*Forwarder, d model.Delivery, body []byte) (retrying []string, out model.Forward, err error) {
	f := all[0]
	outcomes, err := f.options.Journal.Forwards(ctx, d.Seq)
	if err != nil {
		return nil, out, err
	}
	at := map[string]model.Forward{}
	for _, o := range outcomes {
		at[o.To] = o
	}
	for _, f := range all {
		if body == nil && at[f.To()].GaveUp {
			if err := f.Retry(ctx, d.Seq); err != nil {
				return nil, out, err
			}
			retrying = append(retrying, f.Name())
		}
	}
	if len(retrying) > 0 {
		return retrying, out, nil
	}
	r := Replay{ReplayOptions{Sign: f.signer(d.Secret), NewID: body != nil}, f.target}
	if r.options.Sign == nil {
		return nil, out, errors.New("the secret that verified it is no longer known, so it cannot be re-signed; set the handler's own with --forward-secret-env")
	}
	if body != nil {
		d.Body = body
		return nil, r.Post(ctx, &d), nil
	}
	if out = r.Post(ctx, &d); out.Status != 0 || ctx.Err() == nil {
		f.record(ctx, &d, out, at[f.To()].Final)
	}
	return nil, out, nil
}

// record stores and reports the outcome of a replay. Where the queue still has the
// message, a failure is not final: it is tried again.
func (f *Forwarder) record(ctx context.Context, d *model.Delivery, out model.Forward, settled bool) {
	f.saving.Lock()
	defer f.saving.Unlock()
	cursor, known, err := f.options.Journal.ForwardCursor(ctx, f.target.key)
	if err == nil && !known {
		err = errors.New("the journal has lost the handler")
	}
	var a feed.Arrival
	if err == nil {
		a, err = f.options.Feed.Row(ctx, d.Seq)
	}
	if err == nil {
		queued := f.forwards(&a) && d.Seq > cursor && !settled
		out.Final = out.Delivered() || !queued
		err = f.options.Outcomes.SaveForwards(f.target.key, f.target.shown, cursor, []model.Forward{out})
	}
	if err != nil {
		f.options.Status.Notice(fmt.Sprintf("the outcome of the replay of #%d is not kept: %v", d.Seq, err))
	}
	f.report(out)
}

// report puts an outcome on the status log at the time of the answer, without its body.
func (f *Forwarder) report(out model.Forward) {
	out.Body, out.Name = nil, f.options.Name
	f.options.Status.Add(model.Status{At: out.At.Add(out.Latency), Forward: &out})
}
