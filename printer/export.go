package printer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"aspectop/model"
)

// ExportFormat is a format for stored deliveries.
type ExportFormat struct {
	Name, Help string
	open       func(out *bytes.Buffer, o *ExportOptions) form
}

// ExportFormats are all of them, the default first.
var ExportFormats = []ExportFormat{
	{"ndjson", "one JSON object per line, with headers and raw body", func(out *bytes.Buffer, _ *ExportOptions) form {
		return &deliveryLines{out}
	}},
	{"har", "an HTTP Archive 1.2, for browser tools and HTTP clients", func(out *bytes.Buffer, o *ExportOptions) form {
		return &archive{out: out, to: o.To, version: o.Version}
	}},
	{"curl", "one shell command per line that posts the delivery again, unchanged", func(out *bytes.Buffer, o *ExportOptions) form {
		return &curlLines{out, o.To, o.Privacy}
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
	// To is the URL in curl commands and in a HAR, because a delivery does not contain
	// its URL.
	To string
	// Version is the program's, for a HAR.
	Version string
	// Language of a fixture, one of Languages, "" for the default.
	Language string
	Privacy
	// Now is the clock, for is:stalled; nil is time.Now.
	Now func() time.Time
}

// Exported counts what [Export] did.
type Exported struct {
	Written int64
	// Skipped counts selected deliveries that do not fit the format: only webhooks are
	// HTTP requests, and a fixture contains each message once.
	Skipped int64
}

// Export writes the deliveries that the journal holds when it starts, oldest first; see
// [Selection.Each] about memory. A repeat has the body of its message, if that is still
// stored.
//
// Export returns nil if Out is a closed pipe. If ctx ends it returns the context's
// error, and the output is incomplete.
func Export(ctx context.Context, o ExportOptions) (Exported, error) {
	x := &exporter{ExportOptions: o}
	format := slices.IndexFunc(ExportFormats, func(f ExportFormat) bool { return f.Name == o.Format })
	x.form = ExportFormats[max(0, format)].open(&x.buf, &o)
	err := x.run(ctx)
	if errors.Is(err, errGone) {
		err = nil
	}
	return x.count, err
}

// form is an export format. Its methods append to a buffer; begin and end are called
// once, even without a delivery.
type form interface {
	begin()
	delivery(d *model.Delivery)
	end()
	// takes reports whether the delivery fits the format.
	takes(d *model.Delivery) bool
}

type exporter struct {
	ExportOptions
	form  form
	buf   bytes.Buffer
	count Exported
}

func (x *exporter) run(ctx context.Context) error {
	x.form.begin()
	s := Selection{Journal: x.Journal, Filter: x.Filter, Since: x.Since, Now: x.Now, Repeats: true}
	err := s.Each(ctx, func(d *model.Delivery) error {
		if x.take(d); x.buf.Len() < 64<<10 {
			return nil
		}
		return write(x.Out, &x.buf)
	})
	if err != nil {
		return err
	}
	x.form.end()
	return write(x.Out, &x.buf)
}

func (x *exporter) take(d *model.Delivery) {
	if !x.form.takes(d) {
		x.count.Skipped++
		return
	}
	x.Privacy.apply(d)
	x.form.delivery(d)
	x.count.Written++
}
