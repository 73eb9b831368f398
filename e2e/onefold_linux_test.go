package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// counting is the program with a line on stderr for each body that it decodes.
func counting(t *testing.T) string {
	t.Helper()
	source, err := filepath.Abs("../model/event.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	const begin = "func Decode(d *Delivery) Event {\n"
	if strings.Count(string(text), begin) != 1 {
		t.Fatal("model/event.go has no Decode to count")
	}
	folder := t.TempDir()
	changed, overlay := filepath.Join(folder, "event.go"), filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(text), begin, begin+"\tprintln(\"decoded\", d.ID)\n", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	files, _ := json.Marshal(map[string]any{"Replace": map[string]string{source: changed}})
	if err := os.WriteFile(overlay, files, 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(folder, "aspectop")
	if out, err := exec.Command("go", "build", "-overlay", overlay, "-o", program, "..").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

func TestABodyIsDecodedOnceForAllReaders(t *testing.T) {
	t.Parallel()
	const messages, repeats = 200, 20
	h1, h2 := newHandler(t, nil), newHandler(t, nil)
	folder := t.TempDir()
	journal, ended := filepath.Join(folder, "journal.db"), filepath.Join(folder, "ended")
	cmd := watching(t, "--json", "--journal", journal, "--web", "127.0.0.1:0", "--exec", "echo x >> "+ended,
		"--forward-to", h1.URL, "--forward-to", h2.URL)
	cmd.Path = counting(t)
	p := inPipe(t, cmd)
	url := p.next("receiving")["url"].(string)
	begin := time.Now()
	for i := range messages {
		d := delivery{id: fmt.Sprint("msg_", i), body: tells(fmt.Sprint("task-", i/10), "task.progress", begin.Add(time.Duration(i)*time.Millisecond), feature("visual", []string{"processing", "completed"}[i%10/9]))}
		keeps(t, url, d)
		if i < repeats {
			keeps(t, url, d)
		}
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		text, _ := os.ReadFile(ended)
		if got := [3]int{len(h1.ids()), len(h2.ids()), strings.Count(string(text), "x")}; got == [3]int{messages, messages, messages / 10} {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("the handlers and the command had %v", got)
		}
	}
	if n := openOn(t, p.cmd.Process.Pid, journal); n > 5 {
		t.Errorf("%d descriptors on the journal, want 5 at most", n)
	}
	p.signal(syscall.SIGINT)
	if code := p.ends(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	if n := strings.Count(p.errors(), "decoded msg_"); n != messages {
		t.Errorf("%d bodies were decoded for %d messages and %d repeats", n, messages, repeats)
	}
}

// openOn is how many descriptors of a process are of the file.
func openOn(t *testing.T, pid int, path string) (n int) {
	t.Helper()
	folder := fmt.Sprintf("/proc/%d/fd", pid)
	open, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range open {
		if to, _ := os.Readlink(filepath.Join(folder, fd.Name())); to == path {
			n++
		}
	}
	return n
}
