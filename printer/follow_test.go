package printer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/model"
)

func progress(second int) model.Delivery {
	return delivery(fmt.Sprintf("msg_%d", second), second, envelope("task.progress", taskA, second, "visual", "queued"))
}

// seqs are the numbers of the event lines.
func seqs(printed string) []string {
	var found []string
	for line := range strings.Lines(printed) {
		if _, rest, ok := strings.Cut(line, `"seq":`); ok && strings.HasPrefix(line, `{"type":"event"`) {
			seq, _, _ := strings.Cut(rest, ",")
			found = append(found, seq)
		}
	}
	return found
}

func TestHistoryIsFoldedAndNotPrinted(t *testing.T) {
	printed := perform(t, Options{Format: JSON}, func(j *memory) { j.keep(progress(-20), progress(-10)) }, func(s *stage) {
		s.at(1, func() { s.journal.keep(progress(-30)) })
	})
	if got := seqs(printed); !slices.Equal(got, []string{"3"}) || !strings.Contains(printed, `"late":true`) {
		t.Errorf("events %q, want the one that arrived later, and late:\n%s", got, printed)
	}
}

func TestSincePrintsOlderOnesAheadOfReadyAndDoesNotCountThem(t *testing.T) {
	printed := perform(t, Options{Format: JSON, Since: noon.Add(-20 * time.Second)},
		func(j *memory) { j.keep(progress(-30), progress(-20), progress(-10)) },
		func(s *stage) { s.at(1, func() { s.journal.keep(progress(1)) }) })
	if got := seqs(printed); !slices.Equal(got, []string{"2", "3", "4"}) {
		t.Errorf("events %q", got)
	}
	older, newer, _ := strings.Cut(printed, `{"type":"ready"`)
	if len(seqs(older)) != 2 || len(seqs(newer)) != 1 || !strings.Contains(newer, `"verified":1,`) {
		t.Error(printed)
	}
}

func TestWhatArrivesIsPrintedAtOnce(t *testing.T) {
	perform(t, Options{Format: JSON}, nil, func(s *stage) {
		for i := 1; i < 50; i++ {
			s.at(i, func() { s.journal.keep(progress(i)) })
			time.Sleep(newsTime)
			synctest.Wait()
			if got := len(seqs(s.out.String())); got != i {
				t.Fatalf("%d events are printed %v after event %d was kept", got, newsTime, i)
			}
		}
	})
}

func TestABacklogIsPrintedWithoutWaiting(t *testing.T) {
	perform(t, Options{Format: JSON}, nil, func(s *stage) {
		s.at(1, func() { s.journal.keep(lives(3*batch + 1).kept...) })
		time.Sleep(newsTime)
		synctest.Wait()
		if got := len(seqs(s.out.String())); got != 3*batch+1 {
			t.Errorf("%d events are printed %v later", got, newsTime)
		}
	})
}

// busy is a journal to which a delivery comes right after its range was asked.
type busy struct{ *memory }

func (b busy) Range(ctx context.Context) (first, last int64, err error) {
	defer b.keep(progress(1))
	return b.memory.Range(ctx)
}

func TestWhatArrivesWhileTheHistoryIsFoldedIsPrinted(t *testing.T) {
	journal := busy{new(memory)}
	journal.keep(progress(-10))
	var out bytes.Buffer
	if err := upToReady(t.Context(), Options{Format: JSON, Out: &out}, journal); err != nil {
		t.Error(err)
	}
	if !slices.Equal(seqs(out.String()), []string{"2"}) || !strings.Contains(out.String(), `"verified":1,`) {
		t.Error(out.String())
	}
}

func TestTheEndDrainsWhatIsDurable(t *testing.T) {
	printed := perform(t, Options{Format: JSON}, nil, func(s *stage) {
		s.at(1, func() {
			for i := range 2500 {
				s.journal.keep(progress(i))
			}
			s.reject(1)
			s.end()
		})
	})
	if n := len(seqs(printed)); n != 2500 || !strings.Contains(printed, `"verified":2500,"unsigned":0,"rejected":1,`) {
		t.Errorf("%d of 2500 events are printed", n)
	}
}

// growing is a journal to which something is added whenever it is read.
type growing struct{ *memory }

func (g growing) After(ctx context.Context, seq int64, limit int) ([]model.Delivery, error) {
	defer func() {
		for i := range limit {
			g.keep(progress(i))
		}
	}()
	return g.memory.After(ctx, seq, limit)
}

func TestAJournalThatGoesOnGrowingDoesNotKeepTheRunFromEnding(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ready := func(b []byte) (int, error) { cancel(); return len(b), nil }
	journal := growing{new(memory)}
	journal.keep(progress(1))
	if err := run(ctx, Options{Format: JSON, Out: writer(ready)}, journal); err != nil {
		t.Error(err)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

func TestARunThatEndsBeforeItIsReadyPrintsTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	journal := new(memory)
	journal.keep(progress(1))
	if err := run(ctx, Options{Format: JSON, Out: &out}, journal); err != nil {
		t.Error(err)
	}
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, `{"type":"end"`) {
		t.Error(got)
	}
}

func TestEachWriteIsOfWholeLinesAndOfABatchAtMost(t *testing.T) {
	const n = 10*batch + 7
	journal := lives(n)
	writes, events := 0, 0
	out := writer(func(b []byte) (int, error) {
		writes++
		for _, seq := range seqs(string(b)) {
			if events++; seq != fmt.Sprint(events) {
				t.Errorf("event %s comes as number %d", seq, events)
			}
		}
		if !bytes.HasPrefix(b, []byte("{")) || !bytes.HasSuffix(b, []byte("}\n")) {
			t.Errorf("a torn write: %.40q … %q", b, b[max(0, len(b)-40):])
		}
		return len(b), nil
	})
	if err := upToReady(t.Context(), Options{Format: JSON, Out: out, Since: time.Unix(0, 0)}, journal); err != nil {
		t.Error(err)
	}
	if events != n || writes > n/batch+3 {
		t.Errorf("%d events in %d writes, want %d in at most %d", events, writes, n, n/batch+3)
	}
}

func TestAClosedPipeEndsTheRunCleanly(t *testing.T) {
	for _, when := range []string{"from the start", "later"} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		journal := new(memory)
		if when == "later" {
			go func() {
				r.Read(make([]byte, 1)) // the ready line has come
				r.Close()
				journal.keep(progress(1))
			}()
		} else {
			r.Close()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := run(ctx, Options{Format: JSON, Out: w}, journal); err != nil || ctx.Err() != nil {
			t.Errorf("closed %s: %v, %v", when, err, ctx.Err())
		}
	}
}

func TestOtherErrorsOfTheOutputAreTold(t *testing.T) {
	out := writer(func([]byte) (int, error) { return 0, syscall.ENOSPC })
	err := run(t.Context(), Options{Format: JSON, Out: out}, new(memory))
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "output") {
		t.Error(err)
	}
}

func TestAnErrorOfTheJournalEndsTheRunWithItsCounts(t *testing.T) {
	broken := errors.New("the journal is broken")
	journal := new(memory)
	var out bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	ready := writer(func(b []byte) (int, error) {
		journal.fail(broken)
		cancel()
		return out.Write(b)
	})
	if err := run(ctx, Options{Format: JSON, Out: ready}, journal); !errors.Is(err, broken) {
		t.Error(err)
	}
	if !strings.Contains(out.String(), `{"type":"end"`) {
		t.Error(out.String())
	}
	if err := run(t.Context(), Options{Out: io.Discard}, journal); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestTheEndTellsWhatNoHandlerHas(t *testing.T) {
	for _, c := range []struct {
		format    Format
		temporary bool
		want      string
	}{
		{Plain, false, "0 late; forwarding: 2 given up, 5 waiting for the next watch"},
		{Plain, true, "0 late; forwarding: 2 given up, 5 not forwarded"},
		{JSON, false, `"late":0,"forward_gave_up":2,"forward_waiting":5}`},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var out bytes.Buffer
		o := Options{Format: c.format, Temporary: c.temporary, Out: &out, Forwarding: func() (int, int) { return 2, 5 }}
		if err := run(ctx, o, new(memory)); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(strings.TrimSpace(out.String()), c.want) {
			t.Errorf("it ended with %s, not %s", out.String(), c.want)
		}
	}
	for _, c := range []struct {
		format    Format
		temporary bool
		left      int
		want      string
	}{
		{Plain, false, 5, "0 late; --exec: 5 tasks that ended wait for the next watch with the same command"},
		{Plain, true, 1, "0 late; --exec: not run for 1 task that ended: a journal in memory leaves nothing to the next watch"},
		{Plain, false, 0, "0 late; --exec: 0 tasks that ended wait for the next watch with the same command"},
		{Plain, false, -1, "0 late; --exec: the tasks it has yet to run for could not be counted"},
		{JSON, false, 5, `"late":0,"exec_waiting":5}`},
		{JSON, false, -1, `"late":0,"exec_waiting":null}`},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var out bytes.Buffer
		o := Options{Format: c.format, Temporary: c.temporary, Out: &out, Owed: func() int { return c.left }}
		if err := run(ctx, o, new(memory)); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(strings.TrimSpace(out.String()), c.want) {
			t.Errorf("it ended with %s, not %s", out.String(), c.want)
		}
	}
	page, err := os.ReadFile("../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"`forward_gave_up`", "`forward_waiting`", "`exec_waiting`"} {
		if !bytes.Contains(page, []byte(key)) {
			t.Errorf("docs/json.md does not tell %s", key)
		}
	}
}

func TestSentencesTellATaskThatStallsOnce(t *testing.T) {
	stalls := func(o Options) string {
		return perform(t, o, func(j *memory) { // the first task stalled long before
			j.keep(delivery("msg_0", -7200, envelope("task.progress", "11111111", -7200, "visual", "queued")))
		}, func(s *stage) {
			s.at(1, func() { s.journal.keep(progress(1)) })
			s.at(3600, func() { s.journal.keep(progress(3600)) })
			s.at(7200, func() {})
		})
	}
	printed := stalls(Options{})
	if n := strings.Count(printed, "task 2e1c7e42: stalled; no event for 10 min"); n != 2 || strings.Count(printed, "stalled") != 2 {
		t.Errorf("told %d times, want once for each silence:\n%s", n, printed)
	}
	if printed := stalls(Options{Format: JSON}); strings.Contains(printed, "stalled") {
		t.Errorf("lines of JSON have no line for it:\n%s", printed)
	}
	done, err := model.ParseFilter("is:done")
	if err != nil {
		t.Fatal(err)
	}
	if printed := stalls(Options{Filter: done}); strings.Contains(printed, "stalled") {
		t.Errorf("the filter does not match the task:\n%s", printed)
	}
}
