//go:build unix

package e2e

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aspectop/journal"
	"aspectop/journal/sqlite"
)

var update = flag.Bool("update", false, "draw the README's pictures anew")

// The README's pictures, as arguments of view.
var pictures = map[string][]string{
	"board":    {"--size", "132x34", "--view", "board"},
	"events":   {"--size", "120x24", "--view", "events"},
	"task":     {"--size", "120x30", "--task", "8348e0b1"},
	"stats":    {"--size", "120x30", "--view", "stats"},
	"narrow":   {"--size", "44x16"},
	"timeline": {"--size", "120x24", "--view", "timeline"},
	"light":    {"--size", "120x24", "--theme", "light"},
}

// playedJournal is a folder with a journal, demo.db, of what the demo delivers in
// so long.
func playedJournal(t *testing.T, duration time.Duration) (folder string) {
	t.Helper()
	deliveries, _ := played(t, 7, duration)
	folder = t.TempDir()
	j, err := sqlite.Open(filepath.Join(folder, "demo.db"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range deliveries {
		d := deliveries[i]
		if d.Repeat() {
			d.Body = deliveries[d.Message-1].Body
		}
		if err := j.Append(t.Context(), &d); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return folder
}

// drawing is view with a picture of the folder's journal.
func drawing(t *testing.T, folder, file string, args ...string) (stderr string, code int) {
	t.Helper()
	cmd := program(t, append([]string{"view", "--journal", "demo.db", "--picture", file}, args...)...)
	cmd.Dir = folder
	stdout, stderr, code := finished(t, cmd)
	if stdout != "" {
		t.Errorf("%s on stdout", stdout)
	}
	return stderr, code
}

// TestPicturesInTheREADMEShowTheScreenAsItIs fails when a picture no longer shows
// what the screen looks like; make pictures draws them anew.
func TestPicturesInTheREADMEShowTheScreenAsItIs(t *testing.T) {
	folder := playedJournal(t, 75*time.Second)
	for name, args := range pictures {
		if stderr, code := drawing(t, folder, name+".svg", args...); code != 0 || stderr != "" {
			t.Fatalf("%s: ended with %d: %s", name, code, stderr)
		}
		drawn, err := os.ReadFile(filepath.Join(folder, name+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("..", "docs", "pictures", name+".svg")
		if *update {
			if err := os.WriteFile(path, drawn, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if kept, err := os.ReadFile(path); err != nil || !bytes.Equal(kept, drawn) {
			t.Errorf("%s does not show the screen as it is now (%v); make pictures draws it anew", path, err)
		}
	}
}

// TestTheFirstPictureShowsALiveWatch: one that has received what it shows.
func TestTheFirstPictureShowsALiveWatch(t *testing.T) {
	path := filepath.Join("..", "docs", "pictures", "tasks.svg")
	if *update {
		watch := with(program(t, "watch", "--theme", "dark"), "ASPECT_WEBHOOK_SECRET="+secret)
		watch.Dir = t.TempDir()
		screen := inTerminal(t, 120, 24, watch)
		url, n := screen.find(`receiving on (http://\S+)`), 0
		features := []string{"proxy", "preview", "visual", "transcription"}
		for task := range 14 {
			id := fmt.Sprintf("%08x-4f8d-4e10-8d7a-0a6c0d3b1234", 0x9e3779b1*uint32(task+1))
			start, last := time.Now().Add(time.Duration(task-14)*4*time.Second), 9
			if task > 8 {
				last = 14 - task // the newest are under way
			}
			for step := 0; step <= last; step++ {
				var states []string
				typ := map[bool]string{true: "task.completed", false: "task.progress"}[last == 9 && step == last]
				for i, name := range features {
					state := []string{"queued", "processing", "completed"}[min(2, max(0, (step-i+1)/2))]
					if step == 9 {
						state = "completed"
						if task == 4 && name == "visual" {
							state, typ = "failed", "task.failed"
						}
					}
					states = append(states, feature(name, state))
				}
				n++
				at := start.Add(time.Duration(step*(15+task%4)) * 100 * time.Millisecond)
				keeps(t, url, delivery{id: fmt.Sprintf("msg_%d", n), body: tells(id, typ, at, strings.Join(states, ","))})
			}
		}
		screen.shows("14 tasks", "1 failed")
		screen.press("S")
		screen.shows("wrote a picture to")
		screen.press("q")
		screen.ends(0)
		files, err := filepath.Glob(filepath.Join(watch.Dir, "*.svg"))
		if err != nil || len(files) != 1 {
			t.Fatalf("the pictures are %v, %v", files, err)
		}
		drawn, err := os.ReadFile(files[0])
		if err == nil {
			err = os.WriteFile(path, drawn, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	shown := texts(t, path)
	says(t, shown, "receiving on http://127.0.0.1:", "14 tasks", "verified", "processing", "failed", "1 Tasks")
	if strings.Contains(shown, "read-only") {
		t.Error("the README's first picture shows no watch that receives")
	}
}

// texts are those of a picture, which must be XML.
func texts(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b strings.Builder
	for d := xml.NewDecoder(f); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatalf("%s is no XML: %v", path, err)
		}
		if text, ok := token.(xml.CharData); ok {
			b.Write(text)
		}
	}
}

func TestAPictureIsDrawnWholeOrNotAtAll(t *testing.T) {
	folder := playedJournal(t, 75*time.Second)
	if err := os.WriteFile(filepath.Join(folder, "kept.svg"), []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"--size 29x24", 2, "from 30x6 to 1000x400"}, {"--size 120x401", 2, "out of bounds"}, {"--size 120", 2, "invalid --size"}, {"--size 120x24x3", 2, "invalid --size"},
		{"--view cards", 2, "tasks, board, events, messages, stats, timeline"}, {"--task 00000000", 1, `no task "00000000"`}, {"--task f", 1, "fits"},
		{"--plain", 2, "--plain has no use"}, {"--record x.cast", 2, "--record has no use"}, {"--theme blue", 2, "blue"},
	} {
		stderr, code := drawing(t, folder, "kept.svg", strings.Fields(c.args)...)
		if code != c.code {
			t.Errorf("%s: ended with %d: %s", c.args, code, stderr)
		}
		says(t, stderr, c.says)
	}
	if text, err := os.ReadFile(filepath.Join(folder, "kept.svg")); err != nil || string(text) != "before" {
		t.Errorf("the picture that was there is now %.40q, %v", text, err)
	}
	if stderr, code := drawing(t, folder, "none/new.svg"); code != 1 {
		t.Errorf("in a folder that is not there: %d, %s", code, stderr)
	}
	if stderr, code := drawing(t, folder, "kept.svg", "--filter", "state:failed"); code != 0 {
		t.Errorf("ended with %d: %s", code, stderr)
	}
	says(t, texts(t, filepath.Join(folder, "kept.svg")), "failed", "8348e0b1")
	files, err := filepath.Glob(filepath.Join(folder, "*svg*"))
	if err != nil || len(files) != 1 {
		t.Errorf("left over: %v, %v", files, err)
	}
	stdout, stderr, code := finished(t, program(t, "view", "--size", "100x30"))
	if code != 2 || stdout != "" {
		t.Errorf("--size alone: ended with %d", code)
	}
	says(t, stderr, "--size is for --picture")
}

func TestTheScreenIsSavedAsAPicture(t *testing.T) {
	folder := playedJournal(t, 75*time.Second)
	cmd := program(t, "view", "--journal", "demo.db", "--filter", "task:8348e0b1")
	cmd.Dir = folder
	screen := inTerminal(t, 100, 24, cmd)
	screen.shows("8348e0b1")
	screen.press("S")
	screen.shows("wrote a picture to aspectop-tasks-")
	screen.press("q")
	screen.ends(0)
	files, err := filepath.Glob(filepath.Join(folder, "aspectop-tasks-*.svg"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the files are %v, %v", files, err)
	}
	says(t, texts(t, files[0]), "8348e0b1", "failed", "1 Tasks")
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is open to others: %v, %v", info.Mode(), err)
	}
}
