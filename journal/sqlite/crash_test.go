package sqlite

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"

	"aspectop/journal"
	"aspectop/model"
)

// acknowledged is what a child said of an Append after it had returned.
type acknowledged struct {
	id           string
	seq, message int64
	attempt      int
}

// loadUntilKilled appends from several goroutines until the process is killed:
// the ids of its own round and, as a sender does that had no answer, those of the
// round before; every third of them twice, by two goroutines.
func loadUntilKilled(args []string) error {
	j, err := Open(args[0], journal.Options{})
	if err != nil {
		return err
	}
	round, _ := strconv.Atoi(args[1])
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				who := g
				if i%3 == 0 {
					who = g &^ 1
				}
				d := delivery(fmt.Sprintf("msg_%d_%d_%d", round-i%2, who, i/2), fmt.Sprint("body ", g))
				if err := j.Append(context.Background(), d); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				// One write, so that no line is torn.
				fmt.Fprintf(os.Stdout, "%s %d %d %d\n", d.ID, d.Seq, d.Message, d.Attempt)
			}
		})
	}
	wg.Wait()
	return nil
}

func TestWhatWasAcknowledgedSurvivesKillingTheProcess(t *testing.T) {
	const rounds = 24
	path := newPath(t)
	acks := make(map[int64]acknowledged)
	for round := range rounds {
		c := startChild(t, "load", path, strconv.Itoa(round))
		for n := 0; ; n++ {
			var a acknowledged
			line, ok := "", false
			if n < 150+37*round%200 { // somewhere in the middle of the load
				line, ok = c.line(t), true
			} else {
				if n == 150+37*round%200 {
					c.Process.Kill()
				}
				line, ok = <-c.lines // what it had said before it died counts as well
			}
			if !ok {
				break
			}
			if _, err := fmt.Sscan(line, &a.id, &a.seq, &a.message, &a.attempt); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			if before, twice := acks[a.seq]; twice {
				t.Fatalf("number %d was given to %s and to %s", a.seq, before.id, a.id)
			}
			acks[a.seq] = a
		}
		if err := c.Wait(); err == nil {
			t.Fatal("the child was not killed")
		}
		if t.Failed() {
			return
		}
		checkAcknowledged(t, path, acks)
	}
	t.Logf("%d acknowledged in %d processes, all found", len(acks), rounds)
}

func checkAcknowledged(t *testing.T, path string, acks map[int64]acknowledged) {
	t.Helper()
	kept := all(t, mustRead(t, path))
	first := make(map[string]model.Delivery)
	attempts := make(map[int64]int)
	for i, d := range kept {
		if d.Seq != int64(i+1) {
			t.Fatalf("number %d stands at place %d", d.Seq, i+1)
		}
		attempts[d.Message]++
		if d.Attempt != attempts[d.Message] {
			t.Errorf("%s: arrival %d of it says %d", d.ID, attempts[d.Message], d.Attempt)
		}
		f, known := first[d.ID]
		switch {
		case !known && d.Repeat():
			t.Errorf("%s has a repeat, %d, but no first", d.ID, d.Seq)
		case known && d.Message != f.Seq:
			t.Errorf("%s is stored twice, as %d and as %d", d.ID, f.Seq, d.Seq)
		case !known:
			first[d.ID] = d
		}
		if a, ok := acks[d.Seq]; ok && (a.id != d.ID || a.message != d.Message || a.attempt != d.Attempt) {
			t.Errorf("acknowledged %+v, kept %s as %d of %d, attempt %d", a, d.ID, d.Seq, d.Message, d.Attempt)
		}
	}
	for seq, a := range acks {
		if seq > int64(len(kept)) {
			t.Errorf("%s was acknowledged as %d and is lost", a.id, seq)
		}
	}
}
