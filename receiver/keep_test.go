package receiver

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/model"
)

// rigThatKeeps is a rig whose rejected requests are kept in batches.
func rigThatKeeps(t *testing.T, batches *[][]model.Rejected, failure *error) *rig {
	return newRig(t, func(c *Config) {
		c.Now = time.Now
		c.Keep = func(batch []model.Rejected) error {
			if *failure != nil {
				return *failure
			}
			*batches = append(*batches, batch)
			return nil
		}
	})
}

func ids(batch []model.Rejected) (ids []string) {
	for _, r := range batch {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestTenRejectedRequestsASecondAreKeptFirstThoseThatAreNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var batches [][]model.Rejected
		var failure error
		r := rigThatKeeps(t, &batches, &failure)
		post := func(id string) { r.do(t, r.signed(id, "x")) } // signed at another time than now
		for range 50 {
			r.do(t, httptest.NewRequest("POST", DefaultPath, nil)) // without any header
		}
		for range 20 {
			post("again")
		}
		post("new")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		want := append([]string{"again", "new"}, slices.Repeat([]string{""}, 8)...)
		if len(batches) != 1 || !slices.Equal(ids(batches[0]), want) {
			t.Fatalf("kept %q, want %q", ids(batches[0]), want)
		}
		if got := r.NotKept(); got != 61 {
			t.Errorf("%d are not kept, want 61 of 71", got)
		}
		for i := range 100_000 { // a flood of five seconds
			if i%20_000 == 0 {
				time.Sleep(time.Second)
			}
			r.reject(httptest.NewRecorder(), r.signed(fmt.Sprint("flood_", i), "x"), time.Now(), fmt.Sprint("flood_", i),
				model.Verdict{Reason: model.NoMatch}, nil)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		for _, batch := range batches[1:] {
			if len(batch) != keptPerSecond {
				t.Errorf("kept %d in a second", len(batch))
			}
		}
		if n := len(batches) - 1; n < 5 || n > 6 {
			t.Errorf("%d transactions in five seconds", n)
		}
		if len(r.keeper.known) > knownMost+2 {
			t.Errorf("%d ids are remembered", len(r.keeper.known))
		}
	})
}

func TestWhatCannotBeKeptIsCountedAndTheLastIsKeptAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var batches [][]model.Rejected
		failure := errors.New("the disk is full")
		r := rigThatKeeps(t, &batches, &failure)
		r.do(t, r.signed("msg_1", "x"))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if r.NotKept() != 1 {
			t.Errorf("%d are not kept, want 1", r.NotKept())
		}
		failure = nil
		r.do(t, r.signed("msg_2", "x"))
		_ = r.Shutdown(t.Context())
		if len(batches) != 1 || !slices.Equal(ids(batches[0]), []string{"msg_2"}) || r.NotKept() != 1 {
			t.Errorf("kept %v, %d not", batches, r.NotKept())
		}
	})
}
