// Package sqlite stores a journal in one SQLite file that people can also open with
// sqlite3. One [Journal] at a time writes it, which an OS lock beside it ensures; any
// number of [Reader]s read it. A damaged file is used as far as it can be read; [Check]
// says what is damaged, and [journal.Copy] saves the rest.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"

	"aspectop/journal"
	"aspectop/private"
)

// Journal is the writer of a file; see [journal.Journal].
type Journal struct {
	path    string
	options journal.Options
	lock    *os.File
	folder  *private.Temp // of a temporary journal

	group *journal.Group

	// writing is held by whoever changes the file, and guards the fields below.
	writing sync.Mutex
	file    *openFile // of the writer
	moved   bool      // the path is lost, and the log was copied into the file
	// unsynced is set when a sync fails. Nothing is written from then on.
	unsynced atomic.Pointer[Error]
	writer   *session
	ids      *ids
	loadErr  error // why the ids could not be read
	failed   bool  // the last commit failed
	last     int64 // the greatest sequence number used
	logged   int64 // bytes, about, that the log has grown by since it started over
	*Damage
	// loose is where loosely writes, nil before its first call; extended says that the
	// optional tables are there.
	loose    *session
	extended bool

	copying sync.Mutex // held during a checkpoint: SQLite allows one at a time
	keeper  *session   // for checkpoints and retention
	stop    context.CancelFunc
	ctx     context.Context // ended by Close, with stop
	stopped chan struct{}   // closed when the keeper's goroutine has ended
	written atomic.Int64    // bytes, roughly, since the last checkpoint
	logDue  atomic.Int64    // the next one is due after so many bytes
	dirty   chan struct{}   // signals that there is something to checkpoint
}

// Open opens the journal at path for writing. If there is none, it creates one that
// only this user can read. It does not change a file that is [Locked], [Corrupt] or
// [Newer], nor one whose log is so damaged that SQLite would drop a part of it. Other
// damage is reported by OnDamage.
//
// Append waits until the ids in the journal were read, a million in about a second.
func Open(path string, o journal.Options) (*Journal, error) {
	j, err := open(path, o, "synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	go j.keep()
	return j, nil
}

// OpenMemory opens an empty journal that ends with this process: a file in a
// temporary folder, written without waiting for the disk and removed by Close.
func OpenMemory(o journal.Options) (*Journal, error) {
	folder, err := private.NewTemp("journal")
	if err != nil {
		return nil, err
	}
	j, err := open(filepath.Join(folder.Path, "journal.db"), o, "synchronous(OFF)")
	if err != nil {
		folder.Remove()
		return nil, err
	}
	j.folder = folder
	go j.keep()
	return j, nil
}

// open opens a journal without starting its housekeeping.
func open(path string, o journal.Options, synchronous string) (*Journal, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	j := &Journal{
		path:    path,
		options: o,
		ids:     newIDs(),
		Damage:  new(Damage),
		stopped: make(chan struct{}),
		dirty:   make(chan struct{}, 1),
	}
	j.ctx, j.stop = context.WithCancel(background)
	j.group = journal.NewGroup(&j.writing, j.commitBatch)
	if err := j.start(synchronous); err != nil {
		j.release()
		return nil, unopened(path, err)
	}
	return j, nil
}

func (j *Journal) start(synchronous string) (err error) {
	if err := sharesMemory(existing(filepath.Dir(j.path))); err != nil {
		return err // before anything is made
	}
	if err := os.MkdirAll(filepath.Dir(j.path), 0o700); err != nil {
		return err
	}
	if j.lock, err = takeLock(j.path); err != nil {
		return err
	}
	if err := prepareFile(j.path); err != nil {
		return err
	}
	if err := checkLog(j.path); err != nil {
		return &Error{Corrupt, j.path + "-wal", err}
	}
	// Time stamps need not be durable. Systems without fdatasync use fsync.
	sqlite.Fdatasync(true)
	if j.writer, err = connect(j.path, settings(synchronous)...); err != nil {
		return err
	}
	if err := format(j.writer, j.path); err != nil {
		return err
	}
	err = j.writer.row(lastQuery, nil, &j.last)
	if err == nil && j.last > maxSeq {
		err = &rowError{fmt.Errorf("its last number is %d", j.last)}
	}
	if isDamage(err) {
		j.loadErr = &Error{Damaged, j.path, err} // it can be read, but not added to
	} else if err != nil {
		return err
	}
	if j.file, err = openedAt(j.path); err != nil {
		return err
	}
	if j.keeper, err = connect(j.path, settings(synchronous)...); err != nil {
		return err
	}
	j.guard(j.writer)
	j.guard(j.keeper)
	j.keeper.before = j.check
	j.sizeLog()
	j.writing.Lock()
	go func() {
		defer j.writing.Unlock()
		err := j.ids.load(j.ctx, j.writer, func(why error) { j.found(j.path, why) })
		if j.loadErr == nil {
			j.loadErr = explain(j.path, err)
		}
	}()
	return nil
}

// guard has a failed sync of a session noticed.
func (j *Journal) guard(s *session) {
	s.failed = func(err error) {
		if isSyncFailure(err) {
			j.unsynced.CompareAndSwap(nil, &Error{Unsynced, j.path, err})
		}
	}
}

// check says why the open file must not be written.
func (j *Journal) check() error {
	if err := j.unsynced.Load(); err != nil {
		return err
	}
	return j.file.present()
}

func settings(synchronous string) []string {
	return []string{
		"_pragma=" + synchronous,
		"_pragma=fullfsync(1)",
		"_pragma=checkpoint_fullfsync(1)",
		"_pragma=wal_autocheckpoint(0)",
		fmt.Sprintf("_pragma=busy_timeout(%d)", busyTimeout.Milliseconds()),
	}
}

// busyTimeout is how long another program, such as sqlite3, is waited for.
const busyTimeout = 5 * time.Second

// lastQuery gives the greatest number given so far. Retention may have removed
// what bore it.
const lastQuery = `SELECT max(
	(SELECT value FROM meta WHERE name = 'last_seq'),
	(SELECT ifnull(max(seq), 0) FROM deliveries),
	(SELECT ifnull(max(seq), 0) FROM repeats))`

// setLast stores the greatest number given, before the row that has it is removed.
const setLast = `UPDATE meta SET value = ? WHERE name = 'last_seq'`

// Place returns the absolute path of the file.
func (j *Journal) Place() string { return j.path }

// Reader opens one more reader.
func (j *Journal) Reader() (journal.Reader, error) {
	r, err := openAt(j.path)
	if err != nil {
		return nil, err
	}
	r.Damage = j.Damage
	return r, nil
}

// Ready says why nothing could be appended now. After a failed commit it tries
// another: a load balancer may send nothing until it is ready.
func (j *Journal) Ready(context.Context) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.group.Closed() {
		return journal.ErrClosed
	}
	if j.loadErr != nil {
		return j.loadErr
	}
	if err := j.present(); err != nil || !j.failed {
		return err
	}
	err := j.writer.transaction(func() error {
		_, err := j.writer.exec(`UPDATE meta SET value = value`)
		return err
	})
	j.failed = err != nil
	return explain(j.path, err)
}

// WithLease runs f at once: the process that has the file open for writing holds all leases.
func (j *Journal) WithLease(ctx context.Context, _ string, report func(journal.LeaseOwner), f func(context.Context) error) error {
	report(journal.LeaseOwner{Self: true})
	return f(ctx)
}

// Close waits for the Appends under way, refuses further ones with journal.ErrClosed,
// and lets another process write the journal.
func (j *Journal) Close() error {
	if !j.group.Close() {
		return nil
	}
	j.stop()
	<-j.stopped
	j.writing.Lock()
	defer j.writing.Unlock()
	return j.release()
}

// release gives back what start took, in reverse.
func (j *Journal) release() error {
	var errs []error
	for _, s := range []*session{j.loose, j.keeper, j.writer} {
		// SQLite copies the log into the file at the last close. One that was not synced
		// is left to the next start, which uses it as far as it is whole.
		if s != nil && j.unsynced.Load() == nil {
			errs = append(errs, s.close())
		}
	}
	if j.lock != nil {
		errs = append(errs, j.lock.Close())
	}
	if j.folder != nil {
		errs = append(errs, j.folder.Remove())
	}
	return errors.Join(errs...)
}
