package feed_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/feed"
	"aspectop/feed/feedtest"
	"aspectop/model"
)

// running starts a feed of the journal in a bubble and lets it read.
func running(t *testing.T, j feed.Journal, status *model.StatusLog) *feed.Feed {
	t.Helper()
	f := feed.New(feed.Options{Journal: j, Status: status})
	ctx, cancel := context.WithCancel(t.Context())
	go f.Run(ctx)
	t.Cleanup(func() {
		cancel()
		time.Sleep(time.Minute)
	})
	time.Sleep(time.Second)
	return f
}

// tasks tells n tasks, each once.
func tasks(n int) []model.Delivery {
	ds := make([]model.Delivery, n)
	for i := range ds {
		ds[i] = feedtest.Event(i, "task.progress", time.Duration(i)*time.Millisecond, "proxy=processing")
	}
	return ds
}

func TestHistoryAndWhatComesAreEachFoldedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &feedtest.Memory{}
		j.Append(tasks(2*feed.FullBatch + 7)...)
		f := running(t, j, nil)
		j.Append(feedtest.Event(3, "task.completed", time.Minute, "proxy=completed"), feedtest.Event(-1, "task.progress", 0, "proxy=queued"))
		time.Sleep(time.Second)
		f.RLock()
		defer f.RUnlock()
		if loading, done, all := f.Loading(); loading || done != all || f.Index().Len() != 2*feed.FullBatch+9 {
			t.Errorf("loading %t, %d of %d, %d in the index", loading, done, all, f.Index().Len())
		}
		if n := f.Board().Len(); n != 2*feed.FullBatch+8 {
			t.Errorf("%d tasks", n)
		}
		if c := f.Counters(); c.Verified != 2 || c.Late != 0 {
			t.Errorf("of this run, %d are verified and %d late", c.Verified, c.Late)
		}
		if f.Recent(f.Seen()) == nil || f.Recent(1) != nil {
			t.Error("what came is not at hand, or history is")
		}
	})
}

func TestTheChangesSinceACursorAreToldOrThatTheyAreTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &feedtest.Memory{}
		f := running(t, j, nil)
		since := func(c feed.Cursor) (ids []string, ended []string, all bool, next feed.Cursor) {
			f.RLock()
			defer f.RUnlock()
			changed, all, next := f.Since(c)
			for _, ch := range changed {
				id := f.Board().At(int(ch.Task)).ID()
				ids = append(ids, id)
				if ch.Ended {
					ended = append(ended, id)
				}
			}
			return ids, ended, all, next
		}
		_, _, _, start := since(feed.Cursor{})
		j.Append(feedtest.Event(1, "task.progress", 0, "proxy=processing"), feedtest.Event(2, "task.failed", 0, "proxy=failed"))
		time.Sleep(time.Second)
		ids, ended, all, next := since(start)
		if len(ids) != 2 || len(ended) != 1 || ended[0] != feedtest.TaskID(2) || all {
			t.Errorf("changed %v, ended %v, all %t", ids, ended, all)
		}
		j.Append(feedtest.Event(2, "task.failed", time.Second, "proxy=failed"))
		time.Sleep(time.Second)
		if ids, ended, _, next = since(next); len(ids) != 1 || len(ended) != 0 {
			t.Errorf("changed %v, ended again %v", ids, ended)
		}
		j.Append(tasks(20_000)...)
		time.Sleep(10 * time.Second)
		if _, _, all, _ = since(next); !all {
			t.Error("20,000 changes are told one by one")
		}
	})
}

func TestWaitReturnsAtOnceWhenSomethingWasFoldedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &feedtest.Memory{}
		f := running(t, j, nil)
		version := f.Version()
		j.Append(tasks(1)...)
		time.Sleep(time.Second)
		began := time.Now()
		if err := f.Wait(t.Context(), version); err != nil || time.Since(began) > 0 {
			t.Errorf("it waited %v: %v", time.Since(began), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := f.Wait(ctx, f.Version()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without news it returned %v", err)
		}
	})
}

func TestAFloodIsFoldedThirtyTimesASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &feedtest.Memory{}
		f := running(t, j, nil)
		before := f.Version()
		for i := range 1000 {
			j.Append(feedtest.Event(i, "task.progress", 0, "proxy=processing"))
			time.Sleep(time.Millisecond)
		}
		if folds := f.Version() - before; folds < 15 || folds > 31 {
			t.Errorf("%d folds in a second", folds)
		}
	})
}

// failing is a journal that cannot be read for a while.
type failing struct {
	*feedtest.Memory
	mu     sync.Mutex
	broken bool
}

func (j *failing) set(broken bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.broken = broken
}

func (j *failing) After(ctx context.Context, seq int64, limit int) ([]model.Delivery, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken {
		return nil, errors.New("database is locked")
	}
	return j.Memory.After(ctx, seq, limit)
}

func TestWhatCameWhileTheJournalCouldNotBeReadIsFoldedAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &failing{Memory: &feedtest.Memory{}}
		f := running(t, j, nil)
		look := func() (trouble string, rows int) {
			f.RLock()
			defer f.RUnlock()
			return f.Trouble(), f.Index().Len()
		}
		j.set(true)
		j.Append(tasks(3)...)
		time.Sleep(3 * time.Second)
		if trouble, rows := look(); trouble != "cannot read the journal: database is locked" || rows != 0 {
			t.Errorf("%q, %d rows", trouble, rows)
		}
		j.set(false)
		time.Sleep(3 * time.Second)
		if trouble, rows := look(); trouble != "" || rows != 3 {
			t.Errorf("%q, %d rows", trouble, rows)
		}
	})
}

func TestStatusesStandBehindTheDeliveryThatWasNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, status := &feedtest.Memory{}, model.NewStatusLog(10)
		f := running(t, j, status)
		j.Append(tasks(2)...)
		time.Sleep(time.Second)
		status.Add(model.Status{Notice: "a notice"})
		status.Add(model.Status{Rejected: &model.Rejected{ID: "msg_1"}})
		status.Add(model.Status{Tunnel: &model.Tunnel{State: model.TunnelConnected}})
		status.Add(model.Status{Forward: &model.Forward{Seq: 2, To: "http://handler", Status: 204}})
		time.Sleep(time.Second)
		f.RLock()
		defer f.RUnlock()
		notes := f.Notes()
		if len(notes) != 3 || notes[0].Key != (feed.RowKey{Seq: 2, Pos: 1}) || f.Note(notes[1].Key).Rejected == nil {
			t.Errorf("the notes are %v", notes)
		}
		if f.Counters().Rejected != 1 || f.Tunnel().State != model.TunnelConnected || len(f.Forwards(2)) != 1 {
			t.Errorf("rejected %d, tunnel %v, forwards %v", f.Counters().Rejected, f.Tunnel(), f.Forwards(2))
		}
	})
}

// Under the race detector this fails if anything that readers may call writes.
func TestAnyNumberOfReadersMayReadWhileItFolds(t *testing.T) {
	j := &feedtest.Memory{}
	for i := range 200 {
		for step, state := range []string{"queued", "processing", "completed"} {
			j.Append(feedtest.Event(i, "task.progress", time.Duration(i+5*step)*time.Second, "proxy="+state, "visual=processing"))
		}
	}
	f := feed.New(feed.Options{Journal: j})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var running sync.WaitGroup
	running.Go(func() { f.Run(ctx) })
	filter, err := model.ParseFilter("is:late visual")
	if err != nil {
		t.Fatal(err)
	}
	now := feedtest.Midnight.Add(time.Hour)
	for range 4 {
		running.Go(func() {
			for version := int64(0); ; version = f.Version() {
				f.RLock()
				b := f.Board()
				for i := range b.Len() {
					task := b.At(i)
					task.Timeline("proxy")
					task.Seqs()
					task.AsOf(f.Seen()/2, now)
					b.ETA(task, now)
					b.Stalled(task, now)
					filter.MatchTask(task, "", now)
				}
				for _, name := range b.Stats().Features() {
					b.Stats().Feature(name).Processing().Quantile(0.5)
				}
				f.Pace().Last(now, 100)
				f.Counters().LastMinute(now)
				f.Since(feed.Cursor{})
				f.RUnlock()
				if f.Wait(ctx, version) != nil {
					return
				}
			}
		})
	}
	for i := range 40 {
		version := f.Version()
		j.Append(feedtest.Event(i, "task.completed", time.Duration(i)*time.Minute, "proxy=completed", "visual=completed"))
		if err := f.Wait(ctx, version); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	running.Wait()
}
