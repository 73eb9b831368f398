package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"aspectop/journal"
)

// holdOpen writes a journal until its standard input ends.
func holdOpen(args []string) error {
	j, err := Open(args[0], journal.Options{})
	if err != nil {
		return err
	}
	fmt.Println("open")
	io.Copy(io.Discard, os.Stdin)
	return j.Close()
}

func TestASecondWriterIsRefusedWithTheFirstOnesPID(t *testing.T) {
	path := newPath(t)
	c := startChild(t, "hold", path)
	c.line(t)

	_, err := Open(path, journal.Options{})
	if !errors.Is(err, Locked) {
		t.Fatalf("while process %d writes: %v", c.Process.Pid, err)
	}
	for _, say := range []string{path, fmt.Sprint(c.Process.Pid), "aspectop view"} {
		if !strings.Contains(err.Error(), say) {
			t.Errorf("%q does not name %q", err, say)
		}
	}

	c.finish(t)
	mustOpen(t, path, journal.Options{})
	if _, err := Open(path, journal.Options{}); !errors.Is(err, Locked) || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("twice in one process: %v", err)
	}
}

// followLive prints the id of everything that comes into a journal, as it comes,
// until its standard input ends.
func followLive(args []string) error {
	r, err := OpenReader(args[0])
	if err != nil {
		return err
	}
	end := make(chan struct{})
	go func() {
		defer close(end)
		io.Copy(io.Discard, os.Stdin)
	}()
	fmt.Println("open")
	for last := int64(0); ; {
		select {
		case <-end:
			return r.Close()
		case <-time.After(5 * time.Millisecond):
		}
		changed, err := r.changed(context.Background())
		if err != nil {
			return err
		}
		if !changed {
			continue
		}
		found, err := r.After(context.Background(), last, 100)
		if err != nil {
			return err
		}
		for _, d := range found {
			fmt.Println(d.ID, d.Attempt)
			last = d.Seq
		}
	}
}

func TestReadersInOtherProcessesSeeDeliveriesLive(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	readers := []*child{startChild(t, "follow", path), startChild(t, "follow", path)}
	for _, c := range readers {
		c.line(t)
	}
	for i, id := range []string{"msg_1", "msg_2", "msg_1"} {
		mustAppend(t, j, delivery(id, "{}"))
		want := fmt.Sprint(id, " ", i/2+1)
		for _, c := range readers {
			if got := c.line(t); got != want {
				t.Errorf("reader says %q, not %q", got, want)
			}
		}
	}
	// The writer may come and go meanwhile.
	j.Close()
	j = mustOpen(t, path, journal.Options{})
	mustAppend(t, j, delivery("msg_3", "{}"))
	for _, c := range readers {
		if got := c.line(t); got != "msg_3 1" {
			t.Errorf("after reopening, reader says %q", got)
		}
		c.finish(t)
	}
}
