package broadcast

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestASendWakesAllThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Signal
		s.Send() // nobody waits
		woken := make(chan int, 3)
		for i := range 3 {
			next := s.Next()
			go func() { <-next; woken <- i }()
		}
		synctest.Wait()
		if len(woken) > 0 {
			t.Error("woken before the change")
		}
		s.Send()
		synctest.Wait()
		if len(woken) != 3 {
			t.Errorf("%d are woken", len(woken))
		}
		select {
		case <-s.Next():
			t.Error("a change that was before the wait ends it")
		default:
		}
	})
}

func TestSleepEndsWithItsTimeOrItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if err := Sleep(ctx, time.Second); err != nil || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if err := Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
