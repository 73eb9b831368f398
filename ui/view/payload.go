package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/render"
	"aspectop/ui/screen"
	"aspectop/words"
)

// content is what the panes of text show of one row.
type content struct {
	of               contentOf
	payload, headers *draw.Document
	request, handler *draw.Document // what the handlers got, and what they answered; nil: there is none
	kind             string         // of the payload: JSON, text, bytes; "" if there is none
	size             int64
	asked            bool // a handler was
}

// contentOf is what content was made for.
type contentOf struct {
	row       feed.RowKey
	masked    bool
	forwarded time.Time // the last try at a handler
}

// load makes what the open pane shows. A delivery is read by one command at a time.
func (d *Detail) load(sc *screen.Screen) {
	want := d.wanted(sc)
	if d.Reader() == nil || d.shown.of == want {
		return
	}
	if d.row.Pos > 0 {
		d.show(statusContent(sc, d.status, want))
		return
	}
	if d.shown.of.row != want.row || d.shown.of.masked != want.masked || d.shown.payload == nil {
		d.show(said(contentOf{}, draw.GlyphEllipsis))
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
		return said(of, fmt.Sprintf("Delivery #%d cannot be read: %v.\n\nIt may have been removed: see --retain.", of.row.Seq, err)), ""
	}
	for i := range outcomes {
		outcomes[i].Name = sc.HandlerName(outcomes[i].To)
	}
	c = bodyContent(body, of)
	c.size = int64(len(body))
	c.headers = deliveryHeaders(&d, len(repeats), of.masked)
	c.handler = &draw.Document{Paint: draw.PaintNamed}
	if render.AddOutcomes(c.handler, outcomes, of.masked); len(outcomes) == 0 {
		c.handler.Add("Not sent to a handler yet.", 0)
	}
	c.asked = len(outcomes) > 0
	c.request = requestOf(&first, body, outcomes, of.masked)
	if e := model.Decode(&first); e.Task != nil {
		task = e.Task.ID
	}
	return c, task
}

func statusContent(sc *screen.Screen, s *model.Status, of contentOf) content {
	if s == nil {
		return said(of, "This row is no longer in memory.")
	}
	if s.Rejected == nil {
		c := said(of, sc.Notice(s))
		c.headers = draw.TextDocument([]byte("A notice from aspectop itself; there was no request."))
		return c
	}
	r := s.Rejected
	c := bodyContent(r.Body, of)
	if of.masked { // a stranger's request may hold anything
		c = content{of: of, payload: draw.TextDocument([]byte("(hidden in presentation mode)")), kind: "hidden"}
	}
	c.size = r.Size
	if more := r.Size - int64(len(r.Body)); more > 0 && !of.masked {
		c.payload.Add("", 0)
		c.payload.Add(fmt.Sprintf("(the first %d bytes of %d; no more is kept of rejected requests)", len(r.Body), r.Size), 0)
	}
	c.headers = rejectedHeaders(s, of.masked)
	return c
}

// said is a text in both panes.
func said(of contentOf, text string) content {
	doc := draw.TextDocument([]byte(text))
	return content{of: of, payload: doc, headers: doc}
}

func bodyContent(body []byte, of contentOf) content {
	c := content{of: of}
	doc, isJSON := draw.JSONDocument(body, of.masked)
	switch {
	case len(body) == 0:
		c.payload, c.kind = draw.TextDocument([]byte("(empty body)")), "empty"
	case isJSON:
		c.payload, c.kind = doc, "JSON"
	case of.masked: // what is private in it cannot be told
		c.payload, c.kind = draw.TextDocument([]byte("(not JSON; hidden in presentation mode)")), "hidden"
	case draw.Readable(body):
		c.payload, c.kind = draw.TextDocument(body), "text"
	default:
		c.payload, c.kind = draw.HexDocument(body), "bytes"
	}
	return c
}

// read shows content, unless another row is selected by now. task is the delivery's.
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
	same := c.of.row == d.shown.of.row
	d.shown = c
	d.payload.Show(c.payload, same)
	d.headers.Show(c.headers, same)
	if c.handler == nil {
		c.handler, c.request = &draw.Document{}, &draw.Document{}
	}
	d.handler.Show(c.handler, same)
	d.request.Show(c.request, same)
}

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
	if d.pane == panePayload && c.kind != "" && sc.W >= 60 {
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

// requestOf is what was posted to the handlers, but for the headers that the user adds.
func requestOf(d *model.Delivery, body []byte, outcomes []model.Forward, mask bool) *draw.Document {
	t := &draw.Document{Paint: draw.PaintNamed}
	switch {
	case len(outcomes) == 0:
	case outcomes[0].Resigned:
		t.Add("signature: new, made at the time of the try; the rest as it arrived", 0)
	default:
		t.Add("signature: as it arrived, and so is the rest", 0)
	}
	t.Add("", 0)
	addHeaders(t, d.PassedOn(), mask)
	if !t.AddJSON(body, 0, mask) && !mask && draw.Readable(body) {
		t.AddText(body, 0)
	}
	return t
}

// deliveryHeaders lists a delivery's headers and what was found out about it.
func deliveryHeaders(d *model.Delivery, repeats int, mask bool) *draw.Document {
	t := &draw.Document{Paint: draw.PaintNamed}
	addHeaders(t, d.Header, mask)
	t.Add("verdict: "+words.Source(d.Source, d.Secret), 0)
	t.Add("source: "+string(d.Source), 0)
	t.Add("message: "+model.ValidText(d.ID), 0)
	t.Add("received: "+d.Received.Local().Format("2006-01-02 15:04:05.000 -07:00"), 0)
	if d.Repeat() {
		t.Add("attempt: "+words.Repeat(d.Attempt, d.Message, d.Differs).Text, 0)
	} else {
		t.Add(fmt.Sprintf("attempt: %d, the first to arrive here", d.Attempt), 0)
	}
	if repeats == 0 {
		t.Add("duplicates: none", 0)
	} else {
		t.Add("duplicates: "+words.Count(repeats, "more delivery", "more deliveries")+" of this message", 0)
	}
	return t
}

func rejectedHeaders(s *model.Status, mask bool) *draw.Document {
	r := s.Rejected
	t := &draw.Document{Paint: draw.PaintNamed}
	v := &r.Verdict
	if mask {
		t.Add("(headers hidden in presentation mode)", 0)
		t.Add("", 0)
	} else {
		addHeaders(t, r.Header, mask)
	}
	t.Add("verdict: rejected, "+words.RejectedFor(r, mask), 0)
	if v.Hint != "" {
		t.Add("hint: "+v.Hint, 0)
	}
	t.Add("reason: "+string(v.Reason), 0)
	if v.Evidence != "" {
		t.Add("evidence: "+v.Evidence, 0)
	}
	if v.ToleranceSeconds != 0 {
		t.Add(fmt.Sprintf("skew: %d s, %d s allowed", v.SkewSeconds, v.ToleranceSeconds), 0)
	}
	if r.Path != "" && !mask {
		t.Add("request: "+r.Method+" "+r.Path, 0)
	}
	t.Add("message: "+words.OrNone(r.ID)+", as claimed by the sender", 0)
	t.Add("received: "+s.At.Local().Format("2006-01-02 15:04:05.000 -07:00"), 0)
	t.Add("kept: among the newest 1,000 rejected requests; about no task", 0)
	return t
}

func addHeaders(t *draw.Document, header map[string][]string, mask bool) {
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			if mask && privateHeader(name, value) {
				value = "(hidden)"
			} else if name == "Authorization" && len(value) > 6 && strings.EqualFold(value[:6], "Basic ") {
				value = "Basic (hidden: Svix sends the password in the endpoint's URL this way)"
			}
			t.Add(name+": "+value, 0)
		}
	}
	if len(header) == 0 {
		t.Add("(no headers)", 0)
	}
	t.Add("", 0)
}

// privateHeader reports whether a header tells where the receiver is, who calls or secrets.
func privateHeader(name, value string) bool {
	switch name {
	case "Host", "Forwarded", "Authorization", "Proxy-Authorization", "Cookie", "Via", "X-Real-Ip":
		return true
	}
	return strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "Cf-") ||
		name != "User-Agent" && strings.Contains(value, "://")
}
