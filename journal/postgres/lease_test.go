package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"aspectop/journal"
	"aspectop/journal/postgres/pgtest"
)

func TestAJobIsTakenOverFromAProcessThatDied(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "fsync = off")
	d := database(s.URL("aspectop", "aspectop"))
	first, second := d.Open(t, journal.Options{}).(*Journal), d.Open(t, journal.Options{})
	if h, err := first.acquire(t.Context(), "lease"); err != nil || !h.Self {
		t.Fatalf("%+v, %v", h, err) // and never renews it, like the dead
	}
	began := time.Now()
	var told []journal.LeaseOwner
	err := second.WithLease(t.Context(), "lease", func(h journal.LeaseOwner) { told = append(told, h) }, func(context.Context) error { return nil })
	if took := time.Since(began); err != nil || took > 40*time.Second {
		t.Errorf("taken over after %v, %v", took, err)
	}
	if len(told) != 2 || told[0].Self || told[0].Name != first.name || !told[1].Self {
		t.Errorf("told %+v", told)
	}
}

func TestAnOwnerThatCannotRenewALeaseStopsBeforeAnotherBegins(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "fsync = off")
	d := database(s.URL("aspectop", "aspectop"))
	j := d.Open(t, journal.Options{}).(*Journal)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	held, lost := make(chan time.Time, 1), make(chan time.Time, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- j.WithLease(ctx, "lease", func(journal.LeaseOwner) {}, func(ctx context.Context) error {
			held <- time.Now()
			<-ctx.Done()
			lost <- time.Now()
			return ctx.Err()
		})
	}()
	began := <-held
	s.Kill()
	if took := (<-lost).Sub(began); took > leaseTime {
		t.Errorf("it went on for %v after it had acquired the lease for %v", took, leaseTime)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// An end just after the loss is an end, and no failure of the session.
func TestALostLeaseIsNoErrorAtTheEnd(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "fsync = off")
	j := database(s.URL("aspectop", "aspectop")).Open(t, journal.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := j.WithLease(ctx, "lease", func(journal.LeaseOwner) {}, func(ctx context.Context) error {
		s.Exec("aspectop", `UPDATE aspectop.holders SET token = 'another', until = until + interval '1 hour'`)
		<-ctx.Done()
		cancel()
		return context.Cause(ctx)
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestWhoDoesRetentionIsTold(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "fsync = off")
	d := database(s.URL("aspectop", "aspectop"))
	options := func(told chan journal.LeaseOwner) journal.Options {
		return journal.Options{Retain: time.Hour, RetentionOwner: func(h journal.LeaseOwner) { told <- h }}
	}
	mine, theirs := make(chan journal.LeaseOwner, 10), make(chan journal.LeaseOwner, 10)
	first := d.Open(t, options(mine)).(*Journal)
	if h := <-mine; !h.Self {
		t.Fatalf("told %+v", h)
	}
	d.Open(t, options(theirs))
	if h := <-theirs; h.Self || h.Name != first.name {
		t.Errorf("the second is told %+v", h)
	}
	first.Close()
	if h := <-theirs; !h.Self {
		t.Errorf("after the first has ended it is told %+v", h)
	}
}
