package ssh

import (
	"testing"
	"testing/synctest"
	"time"

	"charm.land/ssh"
)

func TestALargeWindowIsDrawnInPart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ w, h, width, height int }{
		{1000, 400, 400, 120}, {300, 100, 300, 100}, {400, 120, 400, 120}, {401, 120, 400, 120}, {80, 500, 80, 120},
		{2000, 24, 2000, 24}, {2001, 24, 2000, 24}, {0, 0, 0, 0}, {-1, -1, 0, 0}, {1 << 31, 1, 48_000, 1}, {1 << 31, 0, 48_000, 0},
	} {
		if w, h := drawn(ssh.Window{Width: c.w, Height: c.h}); w != c.width || h != c.height {
			t.Errorf("%dx%d is drawn as %dx%d, not %dx%d", c.w, c.h, w, h, c.width, c.height)
		}
	}
}

func TestMemoryIsGivenBackOnceForManySessionsAndNeverForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		freed := make(chan time.Time, 100)
		r := released{after: 3 * time.Second, free: func() { freed <- time.Now() }}
		begin := time.Now()
		for range 1000 { // sessions end for ten seconds
			r.soon()
			time.Sleep(10 * time.Millisecond)
		}
		last := time.Now()
		time.Sleep(time.Minute)
		if n := len(freed); n != 5 {
			t.Fatalf("a flood of %s gives memory back %d times, not 5", last.Sub(begin), n)
		}
		var at time.Time
		for range 5 {
			at = <-freed
		}
		if after := at.Sub(last); after < 0 || after > 6*time.Second {
			t.Errorf("the last session's is given back after %s", after)
		}
	})
}
