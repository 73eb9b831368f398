package view

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/render"
	"aspectop/ui/screen"
)

// content is what the panes of text show of one row.
type content struct {
	of               contentOf
	payload, headers *draw.Document
	kind             string // of the payload: JSON, text, bytes
	size             int64
	failed           bool
}

// contentOf is what content was made for.
type contentOf struct {
	row       feed.RowKey
	masked    bool
	forwarded time.Time // the last try at a handler
}

// load makes the content that the open pane shows. A delivery is read by a
// command, one at a time; what the status log held is at hand.
func (d *Detail) load(sc *screen.Screen) {
	want := d.wanted(sc)
	if d.Reader() == nil || d.shown.of == want {
		return
	}
	if d.row.Pos > 0 {
		d.show(statusContent(d.status, want))
		return
	}
	if d.shown.of.row != want.row || d.shown.of.masked != want.masked || d.shown.payload == nil {
		wait := draw.TextDocument([]byte(draw.GlyphEllipsis))
		d.show(content{payload: wait, headers: wait})
	}
	if d.reading {
		return
	}
	d.reading = true
	sc.Later(func() tea.Msg {
		c, task := readContent(sc, want)
		if sc.Ctx.Err() != nil {
			return nil
		}
		return screen.Result(func() { d.read(sc, c, task) })
	})
}

// readContent reads a delivery and lays it out, away from the screen.
func readContent(sc *screen.Screen, of contentOf) (c content, task string) {
	d, err := sc.Journal.Get(sc.Ctx, of.row.Seq)
	body := d.Body
	first := d
	if err == nil && d.Repeat() {
		first, err = sc.Journal.Get(sc.Ctx, d.Message)
		if !d.Differs {
			body = first.Body
		}
	}
	var repeats []model.Delivery
	var outcomes []model.Forward
	if err == nil {
		repeats, err = sc.Journal.Repeats(sc.Ctx, d.Message)
	}
	if err == nil {
		outcomes, err = sc.Journal.Forwards(sc.Ctx, d.Message)
	}
	if err != nil {
		said := draw.TextDocument(fmt.Appendf(nil, "Delivery #%d cannot be read: %v.\n\nIt may have been removed: see --retain.", of.row.Seq, err))
		return content{of: of, payload: said, headers: said, failed: true}, ""
	}
	c = bodyContent(body, of)
	c.size = int64(len(body))
	c.headers = deliveryHeaders(&d, len(repeats), of.masked)
	render.AddOutcomes(c.headers, outcomes, of.masked)
	if e := model.Decode(&first); e.Task != nil {
		task = e.Task.ID
	}
	return c, task
}

func statusContent(s *model.Status, of contentOf) content {
	if s == nil {
		said := draw.TextDocument([]byte("This row is no longer in memory."))
		return content{of: of, payload: said, headers: said, failed: true}
	}
	if s.Rejected == nil {
		said := draw.TextDocument([]byte(s.Notice))
		return content{of: of, payload: said, headers: draw.TextDocument([]byte("A notice from aspectop itself; there was no request.")), kind: "notice"}
	}
	r := s.Rejected
	c := bodyContent(r.Body, of)
	c.size = r.Size
	if more := r.Size - int64(len(r.Body)); more > 0 {
		c.payload.Add("", 0)
		c.payload.Add(fmt.Sprintf("(the first %d bytes of %d; no more is kept of rejected requests)", len(r.Body), r.Size), 0)
	}
	c.headers = rejectedHeaders(s, of.masked)
	return c
}

// bodyContent lays out a body: as JSON, as text, or as bytes.
func bodyContent(body []byte, of contentOf) content {
	c := content{of: of}
	if len(body) == 0 {
		c.payload, c.kind = draw.TextDocument([]byte("(empty body)")), "empty"
		return c
	}
	if doc, ok := draw.JSONDocument(body, of.masked); ok {
		c.payload, c.kind = doc, "JSON"
		return c
	}
	switch {
	case of.masked: // what is private in it cannot be told
		c.payload, c.kind = draw.TextDocument([]byte("(not JSON; hidden in presentation mode)")), "hidden"
	case draw.Readable(body):
		c.payload, c.kind = draw.TextDocument(body), "text"
	default:
		c.payload, c.kind = draw.HexDocument(body), "bytes"
	}
	return c
}

// read shows content that was read, unless another row is selected by now. task is the
// one that the delivery tells of.
func (d *Detail) read(sc *screen.Screen, c content, task string) {
	d.reading = false
	if c.of != d.wanted(sc) {
		return
	}
	d.show(c)
	if d.task == "" && task != "" { // opened from a row that was not at hand yet
		d.task, d.events.opened = task, d.row.Seq
	}
}

// wanted is what the open pane should show.
func (d *Detail) wanted(sc *screen.Screen) contentOf {
	of := contentOf{row: d.row, masked: sc.Masked}
	for _, f := range sc.Forwards(d.row.Seq) {
		if f.At.After(of.forwarded) {
			of.forwarded = f.At
		}
	}
	return of
}

func (d *Detail) show(c content) {
	same := c.of.row == d.shows
	d.shown, d.shows = c, c.of.row
	if same {
		d.payload.Replace(c.payload)
		d.headers.Replace(c.headers)
		return
	}
	d.payload.Set(c.payload)
	d.headers.Set(c.headers)
}

// about says what is shown, for the line of titles.
func (c *content) about(sc *screen.Screen, d *Detail) string {
	told := ""
	switch {
	case d.row.Pos > 0 && d.status != nil && d.status.Rejected != nil:
		told = "rejected"
	case d.row.Pos > 0:
		return "notice"
	default:
		told = fmt.Sprintf("#%d", d.row.Seq)
	}
	if newer := d.newer(); newer > 0 {
		told += fmt.Sprintf(", %d newer", newer)
	}
	if d.pane == panePayload && c.payload != nil && !c.failed && c.kind != "" && sc.W >= 60 {
		told += fmt.Sprintf("  %d bytes, %s", c.size, c.kind)
	}
	if p := d.Reader().Place(); p != "" {
		told += "  " + p
	}
	return told
}

// newer is how many events of the task came after the one that is shown.
func (d *Detail) newer() int {
	return max(0, d.events.rows.Len()-1-d.events.rows.Find(d.row))
}
