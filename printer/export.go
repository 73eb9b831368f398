package printer

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"aspectop/jsonl"
	"aspectop/model"
	"aspectop/sig"
	"aspectop/words"
)

// ExportFormat is a format for stored deliveries.
type ExportFormat struct {
	Name, Help string
	open       func(o *ExportOptions) form
}

type form struct {
	before, after string // around the deliveries
	delivery      func(out *bytes.Buffer, d *model.Delivery)
	takes         func(d *model.Delivery) bool               // whether a delivery fits the format; nil: all do
	rejected      func(out *bytes.Buffer, r *model.Rejected) // nil: there is no place for these
}

// ExportFormats are all of them, the default first.
var ExportFormats = []ExportFormat{
	{"ndjson", "one JSON object per line, with headers and raw body", func(*ExportOptions) form {
		return form{delivery: deliveryLine, rejected: rejectionLine}
	}},
	{"har", "an HTTP Archive 1.2, for browser tools and HTTP clients", newArchive},
	{"curl", "one shell command per line that posts the delivery again, unchanged", func(o *ExportOptions) form {
		return form{takes: fromWebhook, delivery: func(out *bytes.Buffer, d *model.Delivery) {
			out.WriteString(curl(d, o.To, o.WithCredentials) + "\n")
		}}
	}},
	{"fixture", "a runnable test of your webhook handler, for Go or Node", newFixture},
}

// ExportOptions configure [Export].
type ExportOptions struct {
	Format  string // the name of one of ExportFormats, "" for the default
	Out     io.Writer
	Journal Journal
	// Filter selects deliveries as it selects lines of the event log; nil selects all.
	Filter *model.Filter
	// Since omits what was received earlier; the zero time omits nothing.
	Since time.Time
	// Rejected are the requests that the journal keeps as rejected, newest first. Only
	// NDJSON has them.
	Rejected []model.Rejected
	// To is the URL in curl commands and in a HAR: a delivery does not contain its URL.
	To       string
	Version  string // of the program, for a HAR
	Language string // of a fixture, one of Languages, "" for the default
	Privacy
	// Now is the clock, for is:stalled; nil is time.Now.
	Now func() time.Time
}

// Exported counts what [Export] did.
type Exported struct {
	Written int64
	// Skipped counts selected deliveries that do not fit the format: only webhooks are
	// HTTP requests, and a fixture contains each message once.
	Skipped  int64
	Rejected int64 // rejected requests that were written
	Expired  int64 // written with a signature that handlers refuse by now
}

// Export writes the deliveries that the journal holds when it starts, oldest first; see
// [Selection.Each] about memory. A repeat has the body of its message, if that is still
// stored.
//
// Export returns nil if Out is a closed pipe. If ctx ends it returns the context's
// error, and the output is incomplete.
func Export(ctx context.Context, o ExportOptions) (count Exported, err error) {
	i := slices.IndexFunc(ExportFormats, func(f ExportFormat) bool { return f.Name == o.Format })
	form := ExportFormats[max(0, i)].open(&o)
	now := o.Now
	if now == nil {
		now = time.Now
	}
	var buf bytes.Buffer
	buf.WriteString(form.before)
	s := Selection{Journal: o.Journal, Filter: o.Filter, Since: o.Since, Now: o.Now, Repeats: true}
	err = s.Each(ctx, func(d *model.Delivery) error {
		count.Rejected += o.rejectedUntil(&buf, form, d.Received)
		if form.takes != nil && !form.takes(d) {
			count.Skipped++
			return nil
		}
		if now().Sub(sig.Signed(d.Header)) > sig.Tolerance {
			count.Expired++
		}
		o.redact(d)
		form.delivery(&buf, d)
		if count.Written++; buf.Len() < 64<<10 {
			return nil
		}
		return write(o.Out, &buf)
	})
	if err == nil {
		count.Rejected += o.rejectedUntil(&buf, form, endOfTime)
		buf.WriteString(form.after)
		err = write(o.Out, &buf)
	}
	if errors.Is(err, errGone) {
		err = nil
	}
	return count, err
}

// endOfTime is later than all that is kept.
var endOfTime = time.Unix(1<<40, 0)

// rejectedUntil writes the rejected requests that came before t and were not written.
func (o *ExportOptions) rejectedUntil(out *bytes.Buffer, f form, t time.Time) (written int64) {
	for n := len(o.Rejected); f.rejected != nil && n > 0 && o.Rejected[n-1].At.Before(t); n-- {
		r := o.Rejected[n-1]
		o.Rejected = o.Rejected[:n-1]
		if r.At.Before(o.Since) || o.Filter != nil && !o.Filter.MatchRejected(&r, nil) {
			continue
		}
		if o.MaskUsers {
			r.Path, r.Method, r.Header, r.Body, r.Size = "", "", nil, nil, 0
			r.Verdict.Detail = words.RejectedFor(&r, true)
		}
		f.rejected(out, &r)
		written++
	}
	return written
}

// fromWebhook reports whether the delivery was an HTTP request to us.
func fromWebhook(d *model.Delivery) bool { return d.Source == model.SourceWebhook }

// eachHeader calls f for the headers by name, and their values in order.
func eachHeader(d *model.Delivery, f func(name, value string)) {
	for _, name := range slices.Sorted(maps.Keys(d.Header)) {
		for _, value := range d.Header[name] {
			f(name, value)
		}
	}
}

// deliveryLine writes a line of NDJSON: a delivery as the journal keeps it.
func deliveryLine(out *bytes.Buffer, d *model.Delivery) {
	j := jsonLines{out}
	j.put("delivery", d.Received, func(o *jsonl.Object) {
		o.Number("seq", d.Seq)
		o.Number("message", d.Message)
		o.Number("attempt", int64(d.Attempt))
		o.Bool("differs", d.Differs)
		o.Text("id", model.ValidText(d.ID))
		o.Text("source", string(d.Source))
		o.TextOrNull("secret", d.Secret)
		putContent(o, d.Header, d.Body)
	})
}

// rejectionLine writes a line of NDJSON: a rejected request as the journal keeps it.
func rejectionLine(out *bytes.Buffer, r *model.Rejected) {
	j := jsonLines{out}
	j.put("rejection", r.At, func(o *jsonl.Object) {
		putRejected(o, r)
		putContent(o, r.Header, r.Body)
		o.Number("size", r.Size)
	})
}

func putContent(o *jsonl.Object, header map[string][]string, body []byte) {
	o.Open("headers", '{')
	for _, name := range slices.Sorted(maps.Keys(header)) {
		o.Open(name, '[')
		for _, value := range header[name] {
			o.Next()
			*o = jsonl.AppendText(*o, value)
		}
		o.End(']')
	}
	o.End('}')
	switch {
	case body == nil:
		o.Null("body")
		o.Null("body_base64")
	case utf8.Valid(body):
		o.Text("body", string(body))
		o.Null("body_base64")
	default:
		o.Null("body")
		o.Text("body_base64", base64.StdEncoding.EncodeToString(body))
	}
}
