package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"aspectop/broadcast"
	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/feed"
	"aspectop/journal"
	"aspectop/model"
)

// statusEntries is how many refusals and notices are held for slow readers.
const statusEntries = 1000

// rejectedPause is between two looks at what another process has kept of rejected requests.
const rejectedPause = time.Second

// Store is the journal of a session with the feed that folds it, and the log of what
// is no delivery. All other parts of a session read from it or write to it, so it is
// opened first and closed last.
type Store struct {
	Feed    *feed.Feed
	journal journal.Journal // nil if another process writes it
	rows    journal.Reader  // for details, and for how far forwards came
	folded  journal.Reader
	status  *model.StatusLog // without a receiver it contains viewers alone

	rejected  model.Rejected // the newest that the journal had
	place     string         // for display
	temporary bool           // deleted at the end
	home      settings.Location
	remarks   []string // to show at the start

	mu     sync.Mutex
	damage string // as last reported
}

// OpenStore opens the journal that a flag names for appending.
func OpenStore(ctx context.Context, flag string, retain time.Duration) (*Store, error) {
	h, err := settings.LocationOf(flag)
	if err != nil {
		return nil, err
	}
	_, missing := os.Lstat(h.File())
	st := &Store{home: h, temporary: h.InMemory(), status: model.NewStatusLog(statusEntries)}
	st.journal, err = h.Open(ctx, journal.Options{
		Retain: retain, RetentionOwner: st.reportOwner("retention"),
		Committed: func(deliveries []model.Delivery) { st.Feed.Committed(deliveries) },
	})
	if err != nil {
		if !strings.Contains(err.Error(), "--journal") {
			err = fmt.Errorf("%w (use --journal to choose another)", err)
		}
		return nil, err
	}
	if flag != "" && h.File() != "" && errors.Is(missing, fs.ErrNotExist) {
		st.Remark("created a new journal at " + h.File()) // the name may be misspelt
	}
	st.place = st.journal.Place()
	st.onDamage(st.journal)
	if err := st.read(st.journal.Reader, time.Now); err != nil {
		return nil, err
	}
	return st, nil
}

// ViewStore opens a journal that another process writes. The clock tells since when
// it is viewed.
func ViewStore(h settings.Location, now func() time.Time) (*Store, error) {
	st := &Store{home: h, place: h.String(), status: model.NewStatusLog(statusEntries)}
	if err := st.read(h.Reader, now); err != nil {
		return nil, err
	}
	return st, nil
}

func (st *Store) read(open func() (journal.Reader, error), now func() time.Time) (err error) {
	if st.rows, err = open(); err == nil {
		st.folded, err = open()
	}
	if err != nil {
		st.Close()
		return exit.Setup(err)
	}
	st.onDamage(st.rows)
	st.onDamage(st.folded)
	st.folded.OmitHeader()
	// What cannot be read of them is no reason not to start.
	earlier, _ := st.rows.Rejections(context.Background(), journal.RejectionsKept)
	if len(earlier) > 0 {
		st.rejected = earlier[0]
	}
	st.remarks = append(st.remarks, st.home.Remarks()...)
	st.home.OnRemark(st.notice)
	st.Feed = feed.New(feed.Options{
		Journal: st.folded, Rows: st.rows, Status: st.status, Now: now, Rejected: earlier,
		Sole: st.journal != nil && !st.home.Shared(),
	})
	return nil
}

// fold opens the feed and runs it until the returned function is called.
func (st *Store) fold(ctx context.Context) (stop func(), err error) {
	if err := st.Feed.Open(ctx); err != nil {
		return nil, exit.Setup(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { st.Feed.Run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}, nil
}

// followRejected takes over the rejected requests that another process keeps, until ctx
// ends.
func (st *Store) followRejected(ctx context.Context) {
	for broadcast.Sleep(ctx, rejectedPause) == nil {
		var found []model.Rejected // newest first: mostly none is new
		known, err := -1, error(nil)
		for _, limit := range []int{1, 32, journal.RejectionsKept} {
			if found, err = st.rows.Rejections(ctx, limit); err != nil {
				break
			}
			known = slices.IndexFunc(found, func(r model.Rejected) bool {
				return r.At.Equal(st.rejected.At) && r.ID == st.rejected.ID && r.Verdict == st.rejected.Verdict
			})
			if known >= 0 || len(found) < limit {
				break
			}
		}
		if err != nil || len(found) == 0 {
			continue
		}
		if known >= 0 {
			found = found[:known]
		}
		for i, r := range slices.Backward(found) {
			st.status.Add(model.Status{At: r.At, Rejected: &found[i]})
		}
		if len(found) > 0 {
			st.rejected = found[0]
		}
	}
}

// Close closes the readers and the journal.
func (st *Store) Close() {
	for _, r := range []journal.Reader{st.rows, st.folded} {
		if r != nil {
			r.Close()
		}
	}
	if st.journal != nil {
		st.journal.Close()
	}
}

// Remark adds a sentence that is shown at the start.
func (st *Store) Remark(text string) { st.remarks = append(st.remarks, text) }

// Journal is the journal that the session writes, nil if another process writes it.
func (st *Store) Journal() journal.Journal { return st.journal }

// notice adds a sentence about the program to the status log.
func (st *Store) notice(text string) {
	st.status.Notice(text)
}

// onDamage reports what turns out to be unreadable. Several readers find the same,
// which is reported once.
func (st *Store) onDamage(journalOrReader any) {
	settings.OnDamage(journalOrReader, func(err error) {
		st.mu.Lock()
		defer st.mu.Unlock()
		if text := err.Error(); text != st.damage {
			st.damage = text
			st.notice(text)
		}
	})
}

// withLease runs what only one of the processes on a journal may do at a time. If
// another process does it, withLease says so and waits.
func (st *Store) withLease(ctx context.Context, job string, run func(context.Context) error) error {
	err := st.journal.WithLease(ctx, job, st.reportOwner(job), run)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// reportOwner says who does a job, if it is or was another process.
func (st *Store) reportOwner(job string) func(journal.LeaseOwner) {
	elsewhere := false
	return func(h journal.LeaseOwner) {
		switch {
		case !h.Self && h.Name != "":
			st.notice(fmt.Sprintf("%s: done by %s; this process takes over when it ends", job, h.Name))
		case h.Self && elsewhere:
			st.notice("this process has taken over " + job)
		}
		elsewhere = !h.Self
	}
}
