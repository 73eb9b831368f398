package sqlite

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"aspectop/broadcast"
)

// SQLite's write-ahead log (https://www.sqlite.org/fileformat2.html#walformat) is
// a header followed by frames. A frame is a page as of a commit, with a checksum
// that covers all frames before it as well. When SQLite opens a log that nobody
// else has open, it uses the frames up to the first wrong checksum and silently
// drops the rest.
const (
	logHeader   = 32 // bytes
	frameHeader = 24 // bytes, before the page

	logMagic = 0x377f0682 // with the lowest bit set, checksums are big-endian
)

// checkLog returns an error if opening the journal at path, which nobody has open,
// would drop something that was acknowledged.
func checkLog(path string) error {
	f, err := os.Open(path + "-wal")
	if err != nil {
		return nil // it drops nothing
	}
	defer f.Close()
	log := bufio.NewReaderSize(f, 1<<20)
	header, frame := make([]byte, logHeader), make([]byte, frameHeader+pageSize)
	if _, err := io.ReadFull(log, header); err != nil {
		return nil // nothing was ever committed
	}
	var order binary.ByteOrder = binary.LittleEndian
	if header[3]&1 != 0 {
		order = binary.BigEndian
	}
	sum := logSum{order: order}
	sum.add(header[:24])
	usable := binary.BigEndian.Uint32(header)&^1 == logMagic && sum.is(header[24:])
	salt := bytes.Clone(header[16:24]) // frames with another are of an earlier use of the log
	frames, used, behind := 0, 0, 0    // behind: commits after what SQLite uses
	for n := 1; ; n++ {
		if _, err := io.ReadFull(log, frame); err != nil {
			break // the rest is no whole frame
		}
		if n == 1 && !usable {
			copy(salt, frame[8:]) // the header's may be damaged
		}
		ours := bytes.Equal(frame[8:16], salt)
		if usable {
			sum.add(frame[:8])
			sum.add(frame[frameHeader:])
			usable = ours && sum.is(frame[16:24])
		}
		if !ours {
			continue
		}
		frames = n
		switch commits := binary.BigEndian.Uint32(frame[4:]) != 0; {
		case commits && usable:
			used = n
		case commits:
			behind++
		}
	}
	// The last commit may not have been acknowledged: a power cut leaves one that was
	// under way in pieces.
	if behind > 1 {
		return fmt.Errorf("it is damaged at page %d of %d, and what comes after it would be dropped", used+1, frames)
	}
	return nil
}

type logSum struct {
	order  binary.ByteOrder
	s0, s1 uint32
}

// add adds bytes, a multiple of eight.
func (s *logSum) add(b []byte) {
	for ; len(b) >= 8; b = b[8:] {
		s.s0 += s.order.Uint32(b) + s.s1
		s.s1 += s.order.Uint32(b[4:]) + s.s0
	}
}

func (s *logSum) is(b []byte) bool {
	return binary.BigEndian.Uint32(b) == s.s0 && binary.BigEndian.Uint32(b[4:]) == s.s1
}

// A checkpoint copies the commits in the log into the journal's file, after which the
// log is written from its start again. SQLite would do it in the middle of a commit;
// here a goroutine does it on a connection of its own.
const (
	// A checkpoint is due when this much was appended (bytes): half of what the
	// journal's file holds, within these bounds, and no more than an eighth of the
	// free space, so that on a small disk the log does not take the room that the
	// deliveries need.
	leastLog = 4 << 20
	mostLog  = 16 << 20
	// tightLog is when a checkpoint is due at the earliest, however small the disk.
	tightLog = 256 << 10
	// checkpointDelay is how long anything stays in the log alone.
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
		broadcast.Nudge(j.dirty)
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
		case <-j.ctx.Done():
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
	j.copyLog(j.keeper, "PASSIVE")
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
	j.writer.exec(fmt.Sprintf("PRAGMA busy_timeout = %d", readersPause.Milliseconds()))
	defer j.writer.exec(fmt.Sprintf("PRAGMA busy_timeout = %d", busyTimeout.Milliseconds()))
	j.copyLog(j.writer, "RESTART")
}

// emptyLog copies the log into the file and gives its space back. The caller
// holds writing.
func (j *Journal) emptyLog() error { return j.copyLog(j.writer, "TRUNCATE") }

func (j *Journal) copyLog(s *session, mode string) error {
	j.copying.Lock()
	defer j.copying.Unlock()
	defer j.sizeLog()
	if s == j.writer {
		j.logged = 0 // also after a failure, so that not each commit tries again
	}
	var busy int64
	err := s.row("PRAGMA wal_checkpoint("+mode+")", nil, &busy)
	if err == nil && busy != 0 {
		err = errors.New("a reader is in the way")
	}
	return err
}
