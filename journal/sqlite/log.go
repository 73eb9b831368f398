package sqlite

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
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

// checkLog says so if opening the journal at path, which nobody
// has open, would drop something that was acknowledged. A log that is missing or
// cannot be read drops nothing.
func checkLog(path string) error {
	f, err := os.Open(path + "-wal")
	if err != nil {
		return nil
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
