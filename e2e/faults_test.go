//go:build unix

package e2e

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"aspectop/journal"
	"aspectop/journal/sqlite"
	"aspectop/model"
	receive "aspectop/receiver"
)

var long = flag.Bool("long", false, "run the faults in their long form, as make faults does")

// either is the first in the short form, which the gate runs, and the second in
// the long one.
func either[T any](short, longer T) T {
	if *long {
		return longer
	}
	return short
}

// TestFaults does to a watch under load what machines and people do, and holds
// each time that nothing is lost that was acknowledged, and nothing is there
// twice. Deliveries that are not acknowledged are sent again, as Svix does. It
// prints a line for each fault; make faults has the long form.
func TestFaults(t *testing.T) {
	for _, f := range []struct {
		name string
		run  func(*trial)
	}{
		{"kill -9", killed},
		{"SIGTERM", terminated},
		{"timeout(1), which sends SIGTERM twice", timedOut},
		{"a second writer", secondWriter},
		{"a stop (SIGSTOP)", stopped},
		{"a terminal that stops reading", unread},
		{"no file descriptors left", descriptors},
		{"forged deliveries", forged},
		{"the clock jumps", clockJumps},
		{"the journal is removed", removed},
		{"the journal is moved away and back", movedAndBack},
		{"the journal is replaced", replaced},
		{"the write-ahead log is removed", logRemoved},
		{"a page of the journal is overwritten", pageOverwritten},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			try(t, f.name, f.run)
		})
	}
	for _, f := range diskFaults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			try(t, f.name, func(trial *trial) {
				if why := f.leftOut(); why != "" {
					trial.leaveOut(why)
				}
				f.run(trial)
			})
		})
	}
}

// diskFault is a fault of a disk, which not every machine lets a test make.
type diskFault struct {
	name    string
	leftOut func() string // why it cannot be tried here, "" if it can
	run     func(*trial)
}

// try runs one fault and prints its line.
func try(t *testing.T, name string, run func(*trial)) {
	f := &trial{t: t, name: name, journal: filepath.Join(t.TempDir(), "state", "journal.db"), acked: make(map[string]bool), client: &http.Client{
		Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}}
	run(f)
	if !t.Failed() {
		f.verdict()
	}
}

// leaveOut ends a trial that cannot be made here.
func (f *trial) leaveOut(why string) {
	fmt.Printf("%-40s left out: %s\n", f.name, why)
	f.t.Skip("runs where a disk can be made to fail and coreutils are, as in the gate as root: " + why)
}

// trial is a watch under a fault, and what it has acknowledged.
type trial struct {
	t       *testing.T
	name    string
	journal string
	client  *http.Client
	watch   *piped
	url     atomic.Value // string
	note    string       // what else is to be said in the line

	mu      sync.Mutex
	acked   map[string]bool // ids answered 204
	refused int             // answers 503, and none
	next    int
	cuts    int                          // of the power, and its returns: odd while there is none
	span    int                          // how often none has begun
	since   struct{ acked, refused int } // of what was sent since then

	kept func() []keptOne // what is there in the end; nil: what export tells
	gone int              // how many the program itself says are lost, rightly
}

// keptOne is a delivery that is there, as export tells it.
type keptOne struct {
	ID      string
	Attempt int
}

// start starts the watch; a load that is under way goes on with it.
func (f *trial) start(args ...string) {
	f.t.Helper()
	f.watch = inPipe(f.t, watching(f.t, append([]string{"--json", "--journal", f.journal}, args...)...))
	f.url.Store(f.watch.next("ready")["url"].(string))
	go func(p *piped) {
		for range p.lines { // one for each delivery
		}
	}(f.watch)
}

// kill ends the watch as a crash does.
func (f *trial) kill() {
	f.watch.cmd.Process.Kill()
	f.watch.ends()
}

// stop ends the watch and wants it to end well.
func (f *trial) stop() {
	f.t.Helper()
	f.watch.signal(syscall.SIGTERM)
	if code := f.watch.ends(); code != 0 {
		f.t.Errorf("the watch ended with %d: %s", code, f.watch.errors())
	}
}

// load posts from so many senders until the returned function is called. Each
// sends a delivery until it is acknowledged.
func (f *trial) load(senders int) (stop func()) {
	done := make(chan struct{})
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			var d delivery
			for {
				select {
				case <-done:
					return
				default:
				}
				if d.id == "" {
					f.mu.Lock()
					f.next++
					d = delivery{id: fmt.Sprintf("msg_%07d", f.next), body: tells(fmt.Sprint("task-", f.next%50), "task.progress", time.Now(), feature("proxy", "queued"))}
					f.mu.Unlock()
				}
				if f.send(d) == http.StatusNoContent {
					d.id = ""
				} else {
					time.Sleep(10 * time.Millisecond) // Svix waits longer
				}
			}
		})
	}
	return sync.OnceFunc(func() { close(done); all.Wait() })
}

// send posts a delivery and notes the answer; 0 is none.
func (f *trial) send(d delivery) (status int) {
	d.at = time.Now()
	f.mu.Lock()
	cuts, span := f.cuts, f.span
	f.mu.Unlock()
	resp, err := f.client.Do(d.request(f.t, f.url.Load().(string)))
	if err == nil {
		resp.Body.Close()
		status = resp.StatusCode
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if cuts%2 == 1 || cuts < f.cuts {
		status = 0 // a machine without power answers nothing
	}
	switch status {
	case http.StatusNoContent:
		f.acked[d.id] = true
	default:
		f.refused++
	}
	switch {
	case span < f.span:
	case status == http.StatusNoContent:
		f.since.acked++
	default:
		f.since.refused++
	}
	return status
}

// count is how many were acknowledged by now.
func (f *trial) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.acked)
}

// more waits until so many more are acknowledged.
func (f *trial) more(n int) {
	f.t.Helper()
	want := f.count() + n
	for deadline := time.Now().Add(patience); f.count() < want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("%d were acknowledged, not %d; the watch said: %s", f.count(), want, f.watch.errors())
		}
	}
}

// none wants that nothing is acknowledged that is sent from now on, for a while.
func (f *trial) none(what string) {
	f.t.Helper()
	f.mu.Lock()
	f.span++
	f.since.acked, f.since.refused = 0, 0
	f.mu.Unlock()
	time.Sleep(either(300*time.Millisecond, 2*time.Second))
	until(f.t, "a refusal while "+what, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.since.acked > 0 {
			f.t.Fatalf("%d were acknowledged while %s", f.since.acked, what)
		}
		return f.since.refused >= 20
	})
}

// verdict compares what was acknowledged with what is there, and prints the line.
func (f *trial) verdict() {
	f.t.Helper()
	if f.watch != nil && f.watch.cmd.ProcessState == nil {
		f.stop()
	}
	if f.kept == nil {
		f.kept = func() []keptOne { return f.exported(f.journal) }
	}
	first := make(map[string]int)
	for _, k := range f.kept() {
		if k.Attempt == 1 {
			first[k.ID]++
		}
	}
	lost, twice := 0, 0
	for id := range f.acked {
		if first[id] == 0 {
			lost++
		}
	}
	for _, n := range first {
		if n > 1 {
			twice++
		}
	}
	fmt.Printf("%-40s acknowledged %d, lost %d, twice %d%s\n", f.name, len(f.acked), lost, twice, f.note)
	if lost > f.gone || twice > 0 {
		f.t.Errorf("of %d acknowledged, %d are lost and %d are there twice", len(f.acked), lost, twice)
	}
	if len(f.acked) < 50 {
		f.t.Errorf("only %d were acknowledged", len(f.acked))
	}
}

// exported is what export tells of a journal.
func (f *trial) exported(journal string) (found []keptOne) {
	f.t.Helper()
	cmd := program(f.t, "export", "--journal", journal)
	out, err := cmd.Output()
	if err != nil {
		f.t.Errorf("export: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		var k keptOne
		if err := json.Unmarshal([]byte(line), &k); err != nil {
			f.t.Fatalf("%v in %s", err, line)
		}
		found = append(found, k)
	}
	return found
}

func killed(f *trial) {
	n := either(4, 100)
	f.start()
	defer f.load(8)()
	for range n {
		f.more(40)
		f.kill()
		f.start()
	}
	f.note = fmt.Sprintf(" (killed %d times)", n)
}

func terminated(f *trial) {
	n := either(2, 20)
	f.start()
	defer f.load(8)()
	for range n {
		f.more(100)
		f.stop()
		f.start()
	}
	f.note = fmt.Sprintf(" (%d times, each a clean end)", n)
}

func timedOut(f *trial) {
	if _, err := exec.LookPath("timeout"); err != nil {
		f.leaveOut("there is no timeout(1)")
	}
	n := either(1, 5)
	for range n {
		cmd := watching(f.t, "--json", "--journal", f.journal)
		cmd.Args = append([]string{"timeout", "600", cmd.Path}, cmd.Args[1:]...)
		cmd.Path, _ = exec.LookPath("timeout")
		f.watch = inPipe(f.t, cmd)
		f.url.Store(f.watch.next("ready")["url"].(string))
		stop := f.load(4)
		f.more(60)
		f.watch.signal(syscall.SIGALRM) // by which it learns that the time is over
		f.watch.next("end")
		stop()
		if code := f.watch.ends(); code != 124 {
			f.t.Errorf("timeout ended with %d: %s", code, f.watch.errors())
		}
	}
	f.note = fmt.Sprintf(" (%d times, each with an end line)", n)
}

func secondWriter(f *trial) {
	f.start()
	defer f.load(8)()
	for range either(1, 10) {
		f.more(50)
		second := inPipe(f.t, watching(f.t, "--json", "--journal", f.journal))
		if code := second.ends(); code != 3 {
			f.t.Errorf("the second watch ended with %d", code)
		}
	}
	f.more(50)
}

func stopped(f *trial) {
	d := either(1500*time.Millisecond, 70*time.Second)
	f.start()
	defer f.load(8)()
	f.more(100)
	f.watch.signal(syscall.SIGSTOP)
	time.Sleep(d) // what is tested is the time
	f.watch.signal(syscall.SIGCONT)
	f.more(100)
	f.note = fmt.Sprintf(" (%v)", d)
}

// unread draws on a terminal that nobody reads.
func unread(f *trial) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	cmd := with(program(f.t, "watch", "--listen", address, "--journal", f.journal), "ASPECT_WEBHOOK_SECRET="+secret)
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 120, Rows: 40})
	if err != nil {
		f.t.Fatal(err)
	}
	defer terminal.Close()
	f.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	f.url.Store("http://" + address + "/webhooks/aspect")
	f.watch = &piped{t: f.t, cmd: cmd}
	stop := f.load(64)
	f.more(50)
	time.Sleep(either(time.Second, 5*time.Second)) // until the terminal is full
	began, n := time.Now(), either(200, 2000)
	f.more(n)
	stop()
	f.note = fmt.Sprintf(" (%.0f a second)", float64(n)/time.Since(began).Seconds())
	cmd.Process.Kill() // a terminal that is not read is not given back
	cmd.Wait()
	f.watch = nil
}

func descriptors(f *trial) {
	const most = 64
	cmd := watching(f.t, "--json", "--journal", f.journal)
	cmd.Args = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, most), cmd.Path}, cmd.Args[1:]...)
	cmd.Path, _ = exec.LookPath("sh")
	f.watch = inPipe(f.t, cmd)
	f.url.Store(f.watch.next("ready")["url"].(string))
	defer f.load(4)()
	f.more(50)
	host, _, _ := strings.Cut(strings.TrimPrefix(f.url.Load().(string), "http://"), "/")
	for range 2 * most {
		c, err := net.Dial("tcp", host)
		if err != nil {
			f.t.Fatal(err)
		}
		defer c.Close()
	}
	time.Sleep(either(500*time.Millisecond, 5*time.Second)) // what is tested is that they are held
	f.more(50)
	f.note = fmt.Sprintf(" (%d allowed, %d connections held)", most, 2*most)
}

func forged(f *trial) {
	f.start()
	stop := f.load(2)
	defer stop()
	f.more(20)
	var forgeries atomic.Int64
	var all sync.WaitGroup
	done := make(chan struct{})
	began := time.Now()
	for range 32 {
		all.Go(func() {
			d := delivery{id: "msg_forged", body: "{}", key: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", at: time.Now()}
			for {
				select {
				case <-done:
					return
				default:
				}
				resp, err := f.client.Do(d.request(f.t, f.url.Load().(string)))
				if err != nil {
					continue
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusBadRequest {
					f.t.Errorf("a forged delivery was answered %d", resp.StatusCode)
				}
				forgeries.Add(1)
			}
		})
	}
	before := f.count()
	for end := began.Add(either(1500*time.Millisecond, 20*time.Second)); time.Now().Before(end); {
		f.more(40) // however many of the others there are
	}
	good := f.count() - before
	took := time.Since(began).Seconds()
	close(done)
	all.Wait()
	f.note = fmt.Sprintf(" (%.0f forged a second, %.0f good ones)", float64(forgeries.Load())/took, float64(good)/took)
}

// clockJumps runs the receiver in this process, because a process cannot be given
// a clock of its own.
func clockJumps(f *trial) {
	var offset atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
	j, err := sqlite.Open(f.journal, journal.Options{Now: now})
	if err != nil {
		f.t.Fatal(err)
	}
	secrets, err := receive.ParseSecrets(secret)
	if err != nil {
		f.t.Fatal(err)
	}
	server, err := receive.New(receive.Config{Path: "/", Secrets: secrets, Journal: j, Status: model.NewStatusLog(100), Now: now})
	if err != nil {
		f.t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	go server.Serve(l)
	f.url.Store("http://" + l.Addr().String() + "/")
	f.watch = &piped{t: f.t}
	stop := f.load(8)
	for range either(1, 10) {
		for _, jump := range []time.Duration{time.Hour, 0, -time.Hour, 0, 2 * time.Minute, -2 * time.Minute, 0} {
			offset.Store(int64(jump))
			if jump.Abs() > 5*time.Minute {
				f.none("the clock was off by " + jump.String())
			} else {
				f.more(50)
			}
		}
	}
	stop()
	f.client.CloseIdleConnections()
	if err := errors.Join(server.Shutdown(f.t.Context()), j.Close()); err != nil {
		f.t.Error(err)
	}
	f.watch = nil
}

// linked gives the journal's file a second name, under which it outlives what
// happens to the first.
func (f *trial) linked() string {
	f.t.Helper()
	name := filepath.Join(f.t.TempDir(), "linked.db")
	if err := os.Link(f.journal, name); err != nil {
		f.t.Fatal(err)
	}
	return name
}

func removed(f *trial) {
	f.start()
	stop := f.load(8)
	f.more(100)
	saved := f.linked()
	if err := os.Remove(f.journal); err != nil {
		f.t.Fatal(err)
	}
	f.none("the journal was removed")
	stop()
	f.watch.signal(syscall.SIGTERM)
	f.watch.ends()
	f.kept = func() []keptOne { return f.exported(saved) }
}

func movedAndBack(f *trial) {
	f.start()
	defer f.load(8)()
	for range either(2, 10) {
		f.more(100)
		if err := os.Rename(f.journal, f.journal+".away"); err != nil {
			f.t.Fatal(err)
		}
		f.none("the journal was away")
		if err := os.Rename(f.journal+".away", f.journal); err != nil {
			f.t.Fatal(err)
		}
	}
	f.more(100)
}

func replaced(f *trial) {
	f.start()
	stop := f.load(8)
	f.more(100)
	saved := f.linked()
	other := filepath.Join(filepath.Dir(f.journal), "other.db")
	if err := os.WriteFile(other, []byte("a backup of something"), 0o600); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(other, f.journal); err != nil {
		f.t.Fatal(err)
	}
	f.none("another file was in the journal's place")
	stop()
	f.watch.signal(syscall.SIGTERM)
	f.watch.ends()
	f.kept = func() []keptOne { return f.exported(saved) }
	if b, err := os.ReadFile(f.journal); err != nil || string(b) != "a backup of something" {
		f.t.Errorf("the other file was written (%v)", err)
	}
}

func logRemoved(f *trial) {
	f.start()
	defer f.load(8)()
	for range either(1, 10) {
		f.more(100)
		if err := os.Remove(f.journal + "-wal"); err != nil {
			f.t.Fatal(err)
		}
		f.none("the log was removed")
		f.watch.signal(syscall.SIGTERM)
		f.watch.ends()
		f.start()
	}
	f.more(50)
}

// pageOverwritten spoils a page of a journal at rest. What was on it is lost, and
// named; all the rest is used, and copied.
func pageOverwritten(f *trial) {
	f.start()
	stop := f.load(8)
	f.more(200)
	stop()
	f.stop()
	file, err := os.OpenFile(f.journal, os.O_RDWR, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte(strings.Repeat("damage", 2730)), 8*16384); err != nil {
		f.t.Fatal(err)
	}
	file.Close()
	before := len(f.acked)
	f.start()
	stop = f.load(8)
	f.more(100)
	stop()
	f.stop()
	saved := filepath.Join(f.t.TempDir(), "saved.db")
	out, _, code := finished(f.t, program(f.t, "journal", "copy", f.journal, saved))
	if f.gone = unreadable(f.t, out); code != 1 || f.gone == 0 || f.gone > before/2 {
		f.t.Errorf("the copy ended with %d and says: %s", code, out)
	}
	f.kept = func() []keptOne { return f.exported(saved) }
	f.note = fmt.Sprintf(" (%d named as lost)", f.gone)
}
