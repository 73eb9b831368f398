package ui

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/draw"
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
	row    rowKey
	hidden bool
}

// payloadMsg brings the content of a row that is looked at.
type payloadMsg struct {
	of      *detail
	content content
	task    string // that the delivery tells
}

// load makes the content that the open pane shows. A delivery is read by a
// command, one at a time; what the status log held is at hand.
func (d *detail) load(m *Model) {
	want := contentOf{d.row, m.hidden}
	if d.reader() == nil || d.shown.of == want {
		return
	}
	if d.row.pos > 0 {
		d.show(statusContent(d.status, want))
		return
	}
	if d.shown.payload == nil || d.shown.of != (contentOf{}) {
		wait := draw.TextDocument([]byte(draw.GlyphEllipsis))
		d.show(content{payload: wait, headers: wait})
	}
	if d.reading {
		return
	}
	d.reading = true
	answer := m.answer
	m.later = append(m.later, func() tea.Msg {
		msg := payloadMsg{of: d}
		msg.content, msg.task = m.readContent(want, answer)
		if m.ctx.Err() != nil {
			return nil
		}
		return msg
	})
}

// readContent reads a delivery and lays it out, away from the screen. answer is
// that of the last replay.
func (m *Model) readContent(of contentOf, answer *model.Forward) (c content, task string) {
	d, err := m.opt.Journal.Get(m.ctx, of.row.seq)
	body := d.Body
	first := d
	if err == nil && d.Repeat() {
		first, err = m.opt.Journal.Get(m.ctx, d.Message)
		if !d.Differs {
			body = first.Body
		}
	}
	var repeats []model.Delivery
	var outcomes []model.Forward
	if err == nil {
		repeats, err = m.opt.Journal.Repeats(m.ctx, d.Message)
	}
	if err == nil {
		outcomes, err = m.opt.Journal.Forwards(m.ctx, d.Message)
	}
	if err != nil {
		said := draw.TextDocument(fmt.Appendf(nil, "Delivery #%d cannot be read: %v.\n\nThe journal may have let it go: see --retain.", of.row.seq, err))
		return content{of: of, payload: said, headers: said, failed: true}, ""
	}
	c = bodyContent(body, of)
	c.size = int64(len(body))
	c.headers = deliveryHeaders(&d, len(repeats), of.hidden)
	addOutcomes(c.headers, withAnswer(outcomes, answer, d.Message), of.hidden)
	if e := model.Decode(&first); e.Task != nil {
		task = e.Task.ID
	}
	return c, task
}

func statusContent(s *model.Status, of contentOf) content {
	if s == nil {
		said := draw.TextDocument([]byte("The log of this session no longer holds this row."))
		return content{of: of, payload: said, headers: said, failed: true}
	}
	if s.Rejected == nil {
		said := draw.TextDocument([]byte(s.Notice))
		return content{of: of, payload: said, headers: draw.TextDocument([]byte("Nothing was received: the program itself says this.")), kind: "notice"}
	}
	r := s.Rejected
	c := bodyContent(r.Body, of)
	c.size = r.Size
	if more := r.Size - int64(len(r.Body)); more > 0 {
		c.payload.Add("", 0)
		c.payload.Add(fmt.Sprintf("(the first %d bytes of %d; of refused requests no more is held)", len(r.Body), r.Size), 0)
	}
	c.headers = rejectedHeaders(s, of.hidden)
	return c
}

// bodyContent lays out a body: as JSON, as text, or as bytes.
func bodyContent(body []byte, of contentOf) content {
	c := content{of: of}
	if len(body) == 0 {
		c.payload, c.kind = draw.TextDocument([]byte("(the body is empty)")), "empty"
		return c
	}
	if doc, ok := draw.JSONDocument(body, of.hidden); ok {
		c.payload, c.kind = doc, "JSON"
		return c
	}
	switch {
	case of.hidden: // what is private in it cannot be told
		c.payload, c.kind = draw.TextDocument([]byte("(no JSON; hidden while presenting)")), "hidden"
	case draw.Readable(body):
		c.payload, c.kind = draw.TextDocument(body), "text"
	default:
		c.payload, c.kind = draw.HexDocument(body), "bytes"
	}
	return c
}

// payloadRead shows content that was read, unless the reader has gone on.
func (d *detail) payloadRead(m *Model, msg payloadMsg) {
	if msg.of != d {
		return
	}
	d.reading = false
	if msg.content.of != (contentOf{d.row, m.hidden}) {
		return
	}
	d.show(msg.content)
	if d.task == "" && msg.task != "" { // opened from a row that was not at hand yet
		d.task, d.events.opened = msg.task, d.row.seq
	}
}

func (d *detail) show(c content) {
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
func (c *content) about(m *Model, d *detail) string {
	told := ""
	switch {
	case d.row.pos > 0 && d.status != nil && d.status.Rejected != nil:
		told = "refused"
	case d.row.pos > 0:
		return "notice"
	default:
		told = fmt.Sprintf("#%d", d.row.seq)
	}
	if newer := d.newer(); newer > 0 {
		told += fmt.Sprintf(", %d newer", newer)
	}
	if d.pane == panePayload && c.payload != nil && !c.failed && c.kind != "" && m.w >= 60 {
		told += fmt.Sprintf("  %d bytes, %s", c.size, c.kind)
	}
	if p := d.reader().Place(); p != "" {
		told += "  " + p
	}
	return told
}

// newer is how many events of the task came after the one that is shown.
func (d *detail) newer() (n int) {
	for i := len(d.events.seqs) - 1; i >= 0 && d.events.seqs[i] > d.row.seq; i-- {
		n++
	}
	return n
}
