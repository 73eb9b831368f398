package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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

// frame describes a frame. One that is too damaged to tell is zero.
type frame struct {
	page   uint32
	commit uint32 // the file's size in pages after this commit; 0: not its last frame
	offset int64  // of the page, in the log
	// whole says that the checksum is right, taking that of the frame before as
	// given.
	whole bool
}

// readLog returns the frames that were written to the log at path since it last
// started over, oldest first, whole or not, and how many of them SQLite would use.
// A missing log has none.
func readLog(path string, pageSize int) (frames []frame, valid int, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	} else if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	header := make([]byte, logHeader)
	if _, err := io.ReadFull(f, header); err != nil {
		return nil, 0, nil // nothing was ever committed
	}
	var order binary.ByteOrder = binary.LittleEndian
	if header[3]&1 != 0 {
		order = binary.BigEndian
	}
	sum := logSum{order: order}
	sum.add(header[:24])
	intact := binary.BigEndian.Uint32(header)&^1 == logMagic && sum.is(header[24:])
	salt := string(header[16:24])
	buffer := make([]byte, frameHeader+pageSize)
	usable := intact
	for offset := int64(logHeader); ; offset += int64(len(buffer)) {
		if _, err := io.ReadFull(f, buffer); err != nil {
			break // the rest is no whole frame
		}
		if len(frames) == 0 && !intact {
			salt = string(buffer[8:16]) // the header's may be damaged
		}
		sum.add(buffer[:8])
		sum.add(buffer[frameHeader:])
		fr := frame{
			page:   binary.BigEndian.Uint32(buffer),
			commit: binary.BigEndian.Uint32(buffer[4:]),
			offset: offset + frameHeader,
			whole:  sum.is(buffer[16:24]),
		}
		sum.set(buffer[16:24])
		if string(buffer[8:16]) != salt {
			fr = frame{} // of an earlier use of the log, or damaged
		}
		frames = append(frames, fr)
		if usable = usable && fr.whole; usable && fr.commit != 0 {
			valid = len(frames)
		}
	}
	for len(frames) > 0 && frames[len(frames)-1] == (frame{}) {
		frames = frames[:len(frames)-1] // of an earlier use
	}
	return frames, valid, nil
}

// acknowledgedBehind reports whether the frames that SQLite would drop contain
// something that was acknowledged. The last commit may not have been: a power cut
// leaves a commit that was under way in pieces.
func acknowledgedBehind(frames []frame, valid int) bool {
	commits := 0
	for _, f := range frames[valid:] {
		if f.commit != 0 {
			commits++
		}
	}
	return commits > 1
}

// checkLog returns a [*CorruptError] if opening the journal at path, which nobody
// has open, would drop something that was acknowledged.
func checkLog(path string) error {
	frames, valid, err := readLog(path+"-wal", pageSize)
	if err == nil && acknowledgedBehind(frames, valid) {
		err = &CorruptError{path + "-wal", fmt.Errorf("it is damaged at page %d of %d, and what comes after it would be dropped", valid+1, len(frames))}
	}
	return err
}

// logSum is the checksum of SQLite's logs.
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

func (s *logSum) set(b []byte) {
	s.s0, s.s1 = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
}
