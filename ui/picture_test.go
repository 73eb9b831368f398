package ui

import (
	"context"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aspectop/demo"
	"aspectop/model"
	"aspectop/ui/picture"
)

// pictures are those of the README, drawn from the demo in virtual time. They
// are SVG, made from the very frames that a terminal would get.
var pictures = []struct {
	name  string
	w, h  int
	after time.Duration
	theme string
	keys  []string
}{
	{"tasks", 120, 24, 75 * time.Second, "dark", nil},
	{"board", 132, 34, 75 * time.Second, "dark", []string{"2"}},
	{"events", 120, 24, 75 * time.Second, "dark", []string{"3"}},
	{"task", 120, 30, 75 * time.Second, "dark", []string{"j", "j", "j", "enter"}},
	{"stats", 120, 30, 150 * time.Second, "dark", []string{"5"}},
	{"narrow", 44, 16, 75 * time.Second, "dark", nil},
	{"light", 120, 24, 75 * time.Second, "light", nil},
}

const pictureFolder = "../docs/pictures"

// TestPicturesShowTheRealScreen fails when a picture no longer shows what the
// screen looks like; make pictures draws them anew.
func TestPicturesShowTheRealScreen(t *testing.T) {
	for _, p := range pictures {
		t.Run(p.name, func(t *testing.T) {
			onScreen(t, p.w, p.h, nil, func(s *terminal) {
				stop := s.play(7)
				s.wait(p.after)
				s.press(p.keys...)
				got := picture.SVG(s.m.View().Content, p.w, p.h, p.theme)
				stop()
				compare(t, filepath.Join(pictureFolder, p.name+".svg"), got)
			}, func(o *options) { o.Theme = p.theme })
		})
	}
}

// compare holds a file against what it should be, or writes it with -update.
func compare(t *testing.T, path, want string) {
	t.Helper()
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s does not show the screen as it is now (%v); make pictures draws it anew", path, err)
	}
}

// play runs the demo into the screen's journal until the returned function is
// called.
func (s *terminal) play(seed int64) (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := demo.Run(ctx, &demo.Sender{
			URL:    "http://127.0.0.1:8787/webhooks/aspect",
			Sign:   func(id string, at time.Time, body []byte) string { return "v1," + id },
			Client: &http.Client{Transport: loopback{s}},
		}, demo.Options{Seed: seed})
		if err != nil {
			s.t.Errorf("the demo ended: %v", err)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// loopback takes posts straight into the journal. It knows a right signature by
// the id in it.
type loopback struct{ s *terminal }

func (l loopback) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	id := r.Header.Get("Svix-Id")
	status := http.StatusNoContent
	if r.Header.Get("Svix-Signature") == "v1,"+id {
		l.s.journal.Receive(model.Delivery{
			ID: id, Source: model.SourceWebhook, Secret: "default", Received: time.Now(), Header: r.Header, Body: body,
		})
	} else {
		status = http.StatusBadRequest
		l.s.status.Add(model.Status{At: time.Now(), Rejected: &model.Rejected{ID: id, Verdict: model.Verdict{
			Reason: model.NoMatch, Detail: "no secret matches (body altered, or another endpoint's secret)",
		}}})
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Request: r, Header: http.Header{}}, nil
}

<<<<<<< HEAD
const (
	cellWidth, cellHeight = 8.4, 18.0
	margin                = 12.0
)

// drawSVG draws a frame. Every run of cells of one style is placed on the grid
// by its own position and length, so no font can shift it.
func drawSVG(frame string, w, h int, theme string) string {
	fore, back := "#d8dbe6", "#16181f"
	if theme == "light" {
		fore, back = "#20242e", "#fbfcfe"
	}
	buf := uv.NewScreenBuffer(w, h)
	uv.NewStyledString(frame).Draw(buf, buf.Bounds())

	var b strings.Builder
	width, height := float64(w)*cellWidth+2*margin, float64(h)*cellHeight+2*margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" `+
		`font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", back)
	for y := range h {
		for x := 0; x < w; {
			from, style, text := x, buf.CellAt(x, y).Style, ""
			for x < w && buf.CellAt(x, y).Style.Equal(&style) {
				c := buf.CellAt(x, y)
				text += c.Content
				x += max(1, c.Width)
			}
			drawRun(&b, text, from, x, y, style, fore, back)
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func drawRun(b *strings.Builder, text string, from, to, y int, style uv.Style, fore, back string) {
	left, top := margin+float64(from)*cellWidth, margin+float64(y)*cellHeight
	width := float64(to-from) * cellWidth
	fg, bg := hexOf(style.Fg, fore), hexOf(style.Bg, "")
	if style.Attrs&uv.AttrReverse != 0 {
		fg, bg = back, fg
	}
	if bg != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", left, top, width, cellHeight, bg)
	}
	trimmed := strings.TrimRight(text, " ")
	if trimmed == "" {
		return
	}
	width -= float64(len(text)-len(trimmed)) * cellWidth
	more := ""
	if style.Attrs&uv.AttrBold != 0 {
		more += ` font-weight="bold"`
	}
	if style.Attrs&uv.AttrFaint != 0 {
		more += ` opacity="0.6"`
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs" fill="%s" xml:space="preserve"%s>%s</text>`+"\n",
		left, top+13.5, width, fg, more, html.EscapeString(trimmed))
}

func hexOf(c color.Color, otherwise string) string {
	if c == nil {
		return otherwise
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
=======
// keep appends a delivery, as a repeat if its id was there before.
func (j *memory) keep(d model.Delivery) {
	j.mu.Lock()
	for i := range j.deliveries {
		if first := &j.deliveries[i]; first.ID == d.ID {
			d.Message = first.Message
			d.Attempt++
			d.Body = nil
		}
	}
	j.mu.Unlock()
	if d.Message != 0 {
		d.Attempt++
	}
	j.append(d)
>>>>>>> 2a180da (ui/picture: frames as SVG, out of the tests)
}
