package cli

import (
	"context"
	"errors"
	"math"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

const (
	// patience is how long a journal that cannot be read is waited for: a database
	// may be failing over.
	patience = 30 * time.Second
	// writerEvery is how often it is made sure that somebody still writes it.
	writerEvery = 500 * time.Millisecond
	// followed is how many deliveries are read at once at most.
	followed = 1000
)

// errNoWriter says that nobody writes the journal any more.
var errNoWriter = errors.New("nobody writes the journal")

// unreadError says that the journal could not be read.
type unreadError struct{ error }

func (e *unreadError) Unwrap() error { return e.error }

// following follows a journal until a goal is reached.
type following struct {
	goal   *model.Wait
	reader journal.Reader
	tell   func(model.Outcome) error
	// writer reports whether the journal still has a writer; nil if it is this
	// process.
	writer func() (alive bool, err error)
	seq    int64 // the last delivery that was taken
	// shift is added to the numbers of deliveries, where those of another
	// journal were taken before.
	shift int64
}

// catchUp takes what the journal holds by now, as if it had come at once: a
// task that failed yesterday and is on its way again is not done. It reports
// whether the goal is reached.
func (f *following) catchUp(ctx context.Context) (over bool, err error) {
	_, last, err := f.reader.Range(ctx)
	if err == nil {
		err = f.take(ctx, last, nil)
	}
	if err == nil {
		err = f.look()
	}
	over, _ = f.goal.Over()
	return over, err
}

// follow takes what comes, one delivery after another, and returns nil when the
// goal is reached.
func (f *following) follow(ctx context.Context) error {
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	news := model.News(waiting, f.reader.Wait)
	var check <-chan time.Time // never, if this process is the writer
	if f.writer != nil {
		tick := time.NewTicker(writerEvery)
		defer tick.Stop()
		check = tick.C
	}
	var since time.Time // of trouble with the journal
	for gone := false; ; {
		err := f.take(ctx, math.MaxInt64, f.look)
		switch {
		case err == nil:
			since = time.Time{}
		case ctx.Err() != nil || !errors.As(err, new(*unreadError)):
			return err
		case since.IsZero():
			since = time.Now()
		case time.Since(since) > patience:
			return err
		}
		if over, _ := f.goal.Over(); over {
			return nil
		}
		if gone {
			return errNoWriter
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-news:
		case <-check:
			if alive, err := f.writer(); err == nil {
				gone = !alive
			}
		}
	}
}

// take folds the deliveries up to a number, and calls each after every one.
func (f *following) take(ctx context.Context, until int64, each func() error) error {
	for {
		deliveries, err := f.reader.After(ctx, f.seq, followed)
		if err != nil {
			return &unreadError{err}
		}
		if len(deliveries) == 0 {
			return nil
		}
		for i := range deliveries {
			d := &deliveries[i]
			if d.Seq > until {
				return nil
			}
			f.seq = d.Seq
			if d.Repeat() || !f.goal.Concerns(d.Body) {
				continue
			}
			e := model.Decode(d)
			e.Seq += f.shift
			e.Message += f.shift
			f.goal.Fold(&e)
			if each == nil {
				continue
			}
			if err := each(); err != nil {
				return err
			}
		}
	}
}

// look tells what was found done.
func (f *following) look() error {
	outcomes, err := f.goal.Look()
	for _, o := range outcomes {
		if err == nil {
			err = f.tell(o)
		}
	}
	return err
}
