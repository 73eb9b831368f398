package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Commits go to the write-ahead log. A checkpoint copies them into the journal's
// file, after which the log is written from its start again; SQLite would do it
// in the middle of a commit. Here a goroutine does it on a connection of its
// own, so that an acknowledgement need not wait for it.
const (
	// A checkpoint is due when this much was appended (bytes): half of what the
	// journal's file holds, within these bounds, and no more than an eighth of the
	// free space, so that on a small disk the log does not take the room that the
	// deliveries need.
	leastLog = 4 << 20
	mostLog  = 16 << 20
	// tightLog is when a checkpoint is due at the earliest, however small the disk.
	tightLog = 256 << 10
	// checkpointDelay is how long anything stays in the log alone. Whoever copies
	// the file without its log misses no more than that.
	checkpointDelay = 5 * time.Second
	// logLimit is how many times its due size the log may reach before commits
	// wait for a checkpoint.
	logLimit = 2
	// readersPause is how long commits wait, at most, for readers that keep the log
	// from starting over.
	readersPause = 20 * time.Millisecond
)

// noteWritten counts what was committed and wakes the keeper. The caller holds
// writing.
func (j *Journal) noteWritten(n int64) {
	j.logged += n
	before := j.written.Add(n) - n
	if due := j.logDue.Load(); before == 0 || before < due && before+n >= due {
		select {
		case j.dirty <- struct{}{}:
		default:
		}
	}
}

// keep does the housekeeping until Close: checkpoints, and retention. What fails
// harms nothing that is kept, and is tried again.
func (j *Journal) keep() {
	defer close(j.stopped)
	var old <-chan time.Time // never, without retention
	if j.options.Retain > 0 {
		j.retain()
		ticker := time.NewTicker(retainEvery)
		defer ticker.Stop()
		old = ticker.C
	}
	var idle <-chan time.Time // set while something is in the log
	for {
		select {
		case <-j.stop:
			return
		case <-old:
			j.retain()
		case <-j.dirty:
			if j.written.Load() < j.logDue.Load() {
				idle = time.After(checkpointDelay)
				continue
			}
			idle = nil
			j.checkpoint()
		case <-idle:
			idle = nil
			j.checkpoint()
		}
	}
}

// sizeLog sets when the next checkpoint is due.
func (j *Journal) sizeLog() {
	due := int64(mostLog)
	if info, err := os.Lstat(j.path); err == nil {
		due = min(due, max(info.Size()/2, leastLog))
	}
	if free, err := freeSpace(filepath.Dir(j.path)); err == nil {
		due = min(due, max(free/8, tightLog))
	}
	j.logDue.Store(due)
}

// checkpoint copies the log into the file. After a failure (a full disk, a reader
// in the way) the log stays as it is.
func (j *Journal) checkpoint() {
	j.written.Store(0)
	if j.check() != nil {
		return // the log would spoil the file
	}
	j.copying.Lock()
	var busy, log, copied int64
	j.keeper.row("PRAGMA wal_checkpoint(PASSIVE)", nil, &busy, &log, &copied)
	j.copying.Unlock()
	j.sizeLog()
	// Under steady load something was appended meanwhile. Commits wait for as long
	// as it takes to copy that little.
	j.writing.Lock()
	defer j.writing.Unlock()
	j.restartLog(1)
}

// restartLog makes the log start over if it has reached so many times its due
// size. The caller holds writing, so that commits wait in Go: SQLite would poll
// for the file.
func (j *Journal) restartLog(times int64) {
	if j.logged < times*j.logDue.Load() {
		return
	}
	j.copying.Lock()
	defer j.copying.Unlock()
	j.writer.exec(fmt.Sprintf("PRAGMA busy_timeout = %d", readersPause.Milliseconds()))
	defer j.writer.exec(fmt.Sprintf("PRAGMA busy_timeout = %d", busyTimeout.Milliseconds()))
	var busy, log, copied int64
	j.writer.row("PRAGMA wal_checkpoint(RESTART)", nil, &busy, &log, &copied)
	j.logged = 0
	j.sizeLog()
}

// emptyLog copies the log into the file and gives its space back. The caller
// holds writing.
func (j *Journal) emptyLog() error {
	defer j.sizeLog()
	j.copying.Lock()
	defer j.copying.Unlock()
	var busy, log, copied int64
	if err := j.writer.row("PRAGMA wal_checkpoint(TRUNCATE)", nil, &busy, &log, &copied); err != nil {
		return err
	}
	if busy != 0 {
		return errors.New("a reader is in the way")
	}
	j.logged = 0
	return nil
}
