package printer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"aspectop/model"
)

// ExportFormat is a form in which kept deliveries leave the program.
type ExportFormat int

const (
	NDJSON      ExportFormat = iota // delivery lines, as docs/json.md promises
	HAR                             // HTTP Archive 1.2
	CurlLines                       // a shell command a line; see Curl
	GoFixture                       // a test of a handler, for go test
	NodeFixture                     // the same for node --test
)

// ExportOptions say what [Export] writes, and where.
type ExportOptions struct {
	Format  ExportFormat
	Out     io.Writer
	Journal Journal
	// Filter picks deliveries as it picks lines of the event log; nil picks all.
	Filter *model.Filter
	// Since leaves out what was received before. The zero time leaves out nothing.
	Since time.Time
	// To is the URL that curl commands post to and that a HAR names: a delivery
	// does not tell which URL it was posted to.
	To string
	// Version is the program's, for a HAR.
	Version string
	Privacy
	// Now is the clock, for is:stalled; nil is time.Now.
	Now func() time.Time
}

// Exported counts what [Export] did.
type Exported struct {
	Written int64
	// Skipped is how many of those picked the format has no place for: what came
	// by no webhook is no HTTP request, and a fixture has each message once.
	Skipped int64
}

// Export writes what the journal holds when it begins, oldest first. Memory does
// not grow with the journal, unless the filter asks about tasks rather than
// deliveries; see [model.Filter.NeedsBoard]. A repeat comes with the body of its
// message, as long as that is kept.
//
// Export returns nil also when nobody reads Out any more. When ctx ends it
// returns the context's error, and what is written is incomplete.
func Export(ctx context.Context, o ExportOptions) (Exported, error) {
	x := &exporter{ExportOptions: o}
	switch o.Format {
	case HAR:
		x.form = &archive{out: &x.buf, to: o.To, version: o.Version}
	case CurlLines:
		x.form = &curlLines{&x.buf, o.To, o.Privacy}
	case GoFixture:
		x.form = &fixture{out: &x.buf, language: goFixture, privacy: o.Privacy}
	case NodeFixture:
		x.form = &fixture{out: &x.buf, language: nodeFixture, privacy: o.Privacy}
	default:
		x.form = &deliveryLines{&x.buf}
	}
	err := x.run(ctx)
	if errors.Is(err, errGone) {
		err = nil
	}
	return x.count, err
}

// form is one export format. Its methods append to a buffer; begin and end are
// called once, also where there is no delivery.
type form interface {
	begin()
	delivery(d *model.Delivery)
	end()
	// takes reports whether the format has a place for the delivery.
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
