package journal

import "time"

// Commits go to the write-ahead log. A checkpoint copies them into the journal's
// file, after which the log is written from its start again; SQLite would do it
// in the middle of a commit. Here a goroutine does it on a connection of its
// own, so that an acknowledgement need not wait for it.
const (
	// checkpointBytes is how much is appended, about, before a checkpoint.
	checkpointBytes = 16 << 20
	// checkpointDelay is how long anything stays in the log alone. Who copies
	// the file without its log misses no more than that.
	checkpointDelay = 5 * time.Second
	// logPages is how long the log may get, in pages, before commits wait for a
	// checkpoint. Under steady load there is always something new in the log
	// when a checkpoint ends, so that it would never start over.
	logPages = 64 << 20 / pageSize
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
			if j.written.Load() < checkpointBytes {
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

// checkpoint copies the log into the file. After a failure (a full disk, a reader
// in the way) the log stays as it is.
func (j *Journal) checkpoint() {
	j.written.Store(0)
	var busy, log, copied int
	err := j.keeper.row("PRAGMA wal_checkpoint(PASSIVE)", nil, &busy, &log, &copied)
	if err != nil || log < logPages {
		return
	}
	// Commits wait in Go: SQLite would poll for the file.
	j.writing.Lock()
	defer j.writing.Unlock()
	j.keeper.row("PRAGMA wal_checkpoint(RESTART)", nil, &busy, &log, &copied)
}
