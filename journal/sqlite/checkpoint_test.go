package sqlite

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"aspectop/journal"
)

// appendMiB appends deliveries of a quarter MiB.
func appendMiB(t *testing.T, j *Journal, n int) {
	t.Helper()
	body := strings.Repeat("x", 1<<18)
	for i := range 4 * n {
		mustAppend(t, j, delivery(fmt.Sprint("msg_", i), body))
	}
}

func TestALongLogStartsOverUnderSteadyLoad(t *testing.T) {
	path := newPath(t)
	j, err := open(path, journal.Options{}, "synchronous(OFF)")
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	go j.keep()

	stop := make(chan struct{})
	var wg sync.WaitGroup
	for g := range 4 { // so that there is something new whenever a checkpoint ends
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := j.Append(t.Context(), delivery(fmt.Sprintf("msg_%d_%d", g, i), "{}")); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	appendMiB(t, j, 100)
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if longest := int64(3 * mostLog); info.Size() > longest {
		t.Errorf("the log grew to %d bytes, over %d", info.Size(), longest)
	}
	close(stop)
	wg.Wait()
}

func TestCheckpointsHappenByThemselves(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	appendMiB(t, j, mostLog>>20+2)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > mostLog/2 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the file has %d bytes", info.Size())
		}
	}
}

func TestACheckpointBringsEverythingIntoTheFile(t *testing.T) {
	path := newPath(t)
	j := mustOpenUnkept(t, path, journal.Options{})
	mustAppend(t, j, delivery("msg_1", "{}"))
	j.checkpoint()
	r, err := openReader(path, "immutable=1") // without the log
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n := len(all(t, r)); n != 1 {
		t.Errorf("%d deliveries in the file alone", n)
	}
}

func TestAReaderInATransactionDelaysTheLogOnly(t *testing.T) {
	path := newPath(t)
	j := mustOpenUnkept(t, path, journal.Options{})
	mustAppend(t, j, delivery("msg_1", "{}"))
	other, err := connect(path, "mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer other.close()
	var n int64
	if _, err := other.exec("BEGIN"); err != nil {
		t.Fatal(err)
	}
	if err := other.row("SELECT count(*) FROM deliveries", nil, &n); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, delivery("msg_2", "{}"))
	j.checkpoint()
	mustAppend(t, j, delivery("msg_3", "{}"))
	if n := len(all(t, mustRead(t, path))); n != 3 {
		t.Errorf("%d deliveries", n)
	}
}

func TestAReaderInATransactionHoldsUpNoCommit(t *testing.T) {
	path := newPath(t)
	j := mustOpenUnkept(t, path, journal.Options{})
	mustAppend(t, j, delivery("msg_first", "{}"))
	other, err := connect(path, "mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer other.close()
	var n int64
	if _, err := other.exec("BEGIN"); err != nil {
		t.Fatal(err)
	}
	if err := other.row("SELECT count(*) FROM deliveries", nil, &n); err != nil {
		t.Fatal(err)
	}
	var longest time.Duration
	timed := func(f func()) {
		start := time.Now()
		f()
		longest = max(longest, time.Since(start))
	}
	for range 3 * leastLog >> 20 { // long enough for the log to start over
		timed(func() { appendMiB(t, j, 1) })
	}
	timed(j.checkpoint)
	if longest >= busyTimeout {
		t.Errorf("a reader held commits up for %s", longest)
	}
}
