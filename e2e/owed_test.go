//go:build unix

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"aspectop/journal/postgres/pgtest"
)

// logged are the tasks that a command has logged as JSON, each with how often.
func logged(path string) (runs map[string]int, all []string) {
	text, _ := os.ReadFile(path)
	runs = map[string]int{}
	for line := range strings.Lines(string(text)) {
		var task struct {
			ID string `json:"task_id"`
		}
		if json.Unmarshal([]byte(line), &task) == nil {
			runs[task.ID]++
			all = append(all, task.ID)
		}
	}
	return runs, all
}

// runsFor waits until the command has run for so many tasks.
func runsFor(t *testing.T, path string, tasks int) (runs map[string]int, all []string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if runs, all = logged(path); len(runs) >= tasks {
			return runs, all
		}
		if time.Now().After(deadline) {
			t.Fatalf("the command ran for %d of %d tasks", len(runs), tasks)
		}
	}
}

// ended posts the ends of tasks.
func ended(t *testing.T, url string, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		keeps(t, url, delivery{id: fmt.Sprint("msg_end_", n), body: tells(fmt.Sprintf("task-%03d", n), "task.completed", time.Now(), feature("proxy", "completed"))})
	}
}

// killed ends a program at once.
func (p *piped) killed() {
	p.cmd.Process.Kill()
	p.ends()
}

func TestWhatTheCommandWasNotRunForIsRunByTheNextWatch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	told, journal := filepath.Join(dir, "told"), filepath.Join(dir, "journal.db")
	watch := func(command string) *piped {
		return inPipe(t, watching(t, "--json", "--journal", journal, "--exec", command))
	}
	p := inPipe(t, watching(t, "--json", "--journal", journal))
	ended(t, p.next("ready")["url"].(string), 900, 905) // before the first
	p.signal(syscall.SIGTERM)
	p.ends()

	hurry := filepath.Join(dir, "hurry")
	slow := "cat >> " + told + "; test -e " + hurry + " || sleep 0.2"
	p = watch(slow)
	url := p.next("ready")["url"].(string)
	ended(t, url, 0, 60)
	runsFor(t, told, 1)
	p.killed() // in the middle of commands
	killed, _ := logged(told)

	p = inPipe(t, watching(t, "--json", "--journal", journal)) // without the command
	ended(t, p.next("ready")["url"].(string), 60, 100)
	p.signal(syscall.SIGTERM)
	if end := p.next("end"); end["exec_waiting"] != nil {
		t.Errorf("without a command the end says %v", end)
	}
	p.ends()

	p = watch(slow)
	owed := p.says(`aspectop: --exec: (\d+) tasks have ended since the command last ran: running it for them one at a time, oldest first`)
	var n int
	if fmt.Sscan(owed, &n); n > 100 || n < 100-len(killed) {
		t.Errorf("%d are owed after %d ran", n, len(killed))
	}
	runsFor(t, told, len(killed)+3)
	p.signal(syscall.SIGTERM)
	end := p.next("end")
	if code := p.ends(); code != 0 {
		t.Errorf("it ended with %d: %s", code, p.errors())
	}
	runs, _ := logged(told)
	if waiting, _ := end["exec_waiting"].(float64); int(waiting) != 100-len(runs) {
		t.Errorf("after %d ran, the end says %v", len(runs), end)
	}

	p = watch("cat >> /dev/null")
	p.says(`(this command line is new to the journal)`)
	p.next("ready")
	p.signal(syscall.SIGTERM)
	if end := p.next("end"); end["exec_waiting"] != 0.0 {
		t.Errorf("another command line ends with %v", end)
	}
	p.ends()

	if err := os.WriteFile(hurry, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p = watch(slow)
	p.next("ready")
	runs, all := runsFor(t, told, 100)
	p.signal(syscall.SIGTERM)
	if end := p.next("end"); end["exec_waiting"] != 0.0 && end["exec_waiting"] != 1.0 { // the last has just begun
		t.Errorf("it ended with %v", end)
	}
	p.ends()
	for task, times := range runs {
		if task >= "task-900" || times > 3 {
			t.Errorf("%s was run for %d times", task, times)
		}
	}
	if twice := len(all) - 100; twice > 4 {
		t.Errorf("%d were run for again", twice)
	}
	t.Logf("%d ran before the kill, %d twice", len(killed), len(all)-100)
}

func TestAJournalInMemorySaysWhatTheCommandWasNotRunFor(t *testing.T) {
	t.Parallel()
	told := filepath.Join(t.TempDir(), "told")
	p := inPipe(t, watching(t, "--plain", "--journal", "memory", "--exec", "cat >> "+told+"; sleep 30"))
	ended(t, p.line(`receiving on (http://\S+/webhooks/aspect)`), 0, 20)
	runsFor(t, told, 4)
	p.signal(syscall.SIGTERM)
	p.line(`(--exec: not run for 20 tasks that ended: a journal in memory leaves nothing)`)
	if code := p.ends(); code != 0 {
		t.Errorf("it ended with %d: %s", code, p.errors())
	}
}

func TestTheScreenSaysAtItsEndWhatTheCommandWasNotRunFor(t *testing.T) {
	t.Parallel()
	told := filepath.Join(t.TempDir(), "told")
	screen := inTerminal(t, 120, 24, watching(t, "--exec", "cat >> "+told+"; sleep 30"))
	ended(t, screen.find(`receiving on (http://\S+)`), 0, 6)
	runsFor(t, told, 4)
	screen.press("q")
	screen.shows("--exec: 6 tasks that ended wait for the next watch with the same command")
	screen.ends(0)
}

// Each end is run for by one of the receivers, also when that one ends or is killed.
func TestOfTwoReceiversOnOneJournalOneRunsTheCommand(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, "fsync = off")
	dir := t.TempDir()
	told := filepath.Join(dir, "told")
	start := func() (*piped, string) {
		p := inPipe(t, watching(t, "--json", "--journal", server.URL("aspectop", "aspectop"), "--exec", "cat >> "+told))
		return p, p.next("ready")["url"].(string)
	}
	first, a := start()
	second, b := start()
	ended(t, a, 0, 20)
	ended(t, b, 20, 40)
	runsFor(t, told, 40)
	first.signal(syscall.SIGTERM)
	first.ends()
	ended(t, b, 40, 60)
	third, c := start()
	runsFor(t, told, 60)
	ended(t, c, 60, 80)
	runsFor(t, told, 80)
	if _, all := logged(told); len(all) != 80 {
		t.Errorf("the command ran %d times for 80 tasks", len(all))
	}
	second.killed() // the third waits for its lease to run out
	ended(t, c, 80, 100)
	runsFor(t, told, 100)
	third.signal(syscall.SIGTERM)
	if end := third.next("end"); end["exec_waiting"] != 0.0 {
		t.Errorf("it ended with %v", end)
	}
	third.ends()
}
