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
