package journal

import (
	"context"
	"time"
)

// Commits go to the write-ahead log. A checkpoint copies them into the journal's
// file, after which the log is written from its start again; SQLite would do it
// in the middle of a commit. Here a goroutine does it on a connection of its
// own, so that an acknowledgement need not wait for it.
const (
	// checkpointBytes is how much is appended, about, before a checkpoint.
	checkpointBytes = 4 << 20
	// checkpointDelay is how long anything stays in the log alone. Who copies
	// the file without its log misses no more than that.
	checkpointDelay = 5 * time.Second
	// logPages is how long the log may get, in pages, before commits wait for a
	// checkpoint. Under steady load there is always something new in the log
	// when a checkpoint ends, so that it would never start over.
	logPages = 32 << 20 / pageSize
)

// noteWritten counts what was committed and wakes the keeper. The caller holds
// writing.
func (j *Journal) noteWritten(n int64) {
	before := j.written.Add(n) - n
	if before == 0 || before < checkpointBytes && before+n >= checkpointBytes {
		select {
		case j.dirty <- struct{}{}:
		default:
		}
	}
}

// keep does the housekeeping until Close.
func (j *Journal) keep() {
	defer close(j.stopped)
	for {
		select {
		case <-j.stop:
			return
		case <-j.dirty:
		}
		if j.written.Load() < checkpointBytes {
			select {
			case <-j.stop:
				return
			case <-j.dirty:
			case <-time.After(checkpointDelay):
			}
		}
		j.checkpoint(context.Background())
	}
}

// checkpoint copies the log into the file. A failure (a full disk, a reader in
// the way) harms nothing: the log stays, and the next one tries again.
func (j *Journal) checkpoint(ctx context.Context) {
	j.written.Store(0)
	var busy, log, copied int
	err := j.keeper.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &log, &copied)
	if err != nil || log < logPages {
		return
	}
	// Commits wait in Go: SQLite would poll for the file.
	j.writing.Lock()
	defer j.writing.Unlock()
	j.keeper.QueryRowContext(ctx, "PRAGMA wal_checkpoint(RESTART)").Scan(&busy, &log, &copied)
}
