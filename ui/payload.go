package ui

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
)

// content is what the panes of text show of one row.
type content struct {
	of               contentOf
	payload, headers *document
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
		wait := plainDocument([]byte(glyphEllipsis))
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
		said := plainDocument(fmt.Appendf(nil, "Delivery #%d cannot be read: %v.\n\nThe journal may have let it go: see --retain.", of.row.seq, err))
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
		said := plainDocument([]byte("The log of this session no longer holds this row."))
		return content{of: of, payload: said, headers: said, failed: true}
	}
	if s.Rejected == nil {
		said := plainDocument([]byte(s.Notice))
		return content{of: of, payload: said, headers: plainDocument([]byte("Nothing was received: the program itself says this.")), kind: "notice"}
	}
	r := s.Rejected
	c := bodyContent(r.Body, of)
	c.size = r.Size
	if more := r.Size - int64(len(r.Body)); more > 0 {
		c.payload.add("", 0)
		c.payload.add(fmt.Sprintf("(the first %d bytes of %d; of refused requests no more is held)", len(r.Body), r.Size), 0)
	}
	c.headers = rejectedHeaders(s, of.hidden)
	return c
}

// bodyContent lays out a body: as JSON, as text, or as bytes.
func bodyContent(body []byte, of contentOf) content {
	c := content{of: of}
	if len(body) == 0 {
		c.payload, c.kind = plainDocument([]byte("(the body is empty)")), "empty"
		return c
	}
	if doc, ok := jsonDocument(body, of.hidden); ok {
		c.payload, c.kind = doc, "JSON"
		return c
	}
	switch {
	case of.hidden: // what is private in it cannot be told
		c.payload, c.kind = plainDocument([]byte("(no JSON; hidden while presenting)")), "hidden"
	case readable(body):
		c.payload, c.kind = plainDocument(body), "text"
	default:
		c.payload, c.kind = hexDocument(body), "bytes"
	}
	return c
}

// readable reports whether a body is text: UTF-8 with hardly any control
// characters.
func readable(body []byte) bool {
	odd := 0
	for b := body; len(b) > 0; {
		r, n := utf8.DecodeRune(b)
		// The body of a refused request may be cut within its last character.
		if r == utf8.RuneError && n == 1 && len(b) >= utf8.UTFMax || unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			odd++
		}
		b = b[n:]
	}
	return odd*20 <= len(body)
}

// hexDocument shows bytes by their values and, as far as they have any, by
// their characters; the lines are made for 80 columns.
func hexDocument(body []byte) *document {
	const perLine = 16
	t := &document{paint: func(line []byte) []stretch { return []stretch{{6, dim}, {9 + 3*perLine, number}} }}
	for i := 0; i < len(body); i += perLine {
		row := body[i:min(i+perLine, len(body))]
		chars := make([]byte, len(row))
		for j, c := range row {
			if chars[j] = c; c < ' ' || c > '~' {
				chars[j] = '.'
			}
		}
		t.add(fmt.Sprintf("%06x  %-*s %s", i, 3*perLine, fmt.Sprintf("% x", row), chars), 0)
	}
	return t
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
		d.payload.replace(c.payload)
		d.headers.replace(c.headers)
		return
	}
	d.payload.set(c.payload)
	d.headers.set(c.headers)
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
	if p := d.reader().place(); p != "" {
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
