package sqlite

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// An image is a journal's file as Salvage reads it: page by page and without
// SQLite, which gives up on a whole table if a page near its root is damaged. It
// understands the part of SQLite's format that journals use: tables with an integer
// key (https://www.sqlite.org/fileformat2.html#b_tree_pages).
type image struct {
	main, log *os.File // log may be nil
	pageSize  int
	pages     uint32             // how many there are
	logged    map[uint32][]int64 // offsets in the log of a page's versions, newest first
	spoiled   map[uint32][]int64 // the same for versions with a wrong checksum
}

// openImage opens the file at path with its log. Nobody may write them meanwhile.
func openImage(path string) (*image, error) {
	main, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	m := &image{main: main, pageSize: pageSize, logged: make(map[uint32][]int64), spoiled: make(map[uint32][]int64)}
	info, err := main.Stat()
	if err != nil {
		m.close()
		return nil, err
	}
	header := make([]byte, 18)
	main.ReadAt(header, 0)
	if size := int(binary.BigEndian.Uint16(header[16:])); string(header[:16]) == "SQLite format 3\x00" && size >= minDatabase && size&(size-1) == 0 {
		m.pageSize = size
	}
	m.pages = uint32((info.Size() + int64(m.pageSize) - 1) / int64(m.pageSize))
	if err := m.readLog(path + "-wal"); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (m *image) readLog(path string) error {
	frames, _, err := readLog(path, m.pageSize)
	if err != nil || len(frames) == 0 {
		return err
	}
	if m.log, err = os.Open(path); err != nil {
		return err
	}
	last := len(frames) // what follows the last commit was never acknowledged
	for last > 0 && frames[last-1].commit == 0 {
		last--
	}
	most := m.pages + uint32(last) // a log adds at most a page with each frame
	before := true                 // the frame before is whole
	for _, f := range frames[:last] {
		if f.page == 0 || f.page > most {
			before = false
			continue
		}
		// The checksum of a frame after a damaged one proves nothing.
		into := m.logged
		if before && !f.whole {
			into = m.spoiled
		}
		into[f.page] = append([]int64{f.offset}, into[f.page]...)
		m.pages = max(m.pages, f.page)
		before = f.whole
	}
	return nil
}

func (m *image) close() {
	m.main.Close()
	if m.log != nil {
		m.log.Close()
	}
}

// versions returns how many versions of a page there are: those in the log, the
// one in the file, and last the damaged ones in the log.
func (m *image) versions(page uint32) int {
	return len(m.logged[page]) + 1 + len(m.spoiled[page])
}

var errNoPage = errors.New("there is no such page")

// read reads a version of a page into a buffer of the page's size. Bytes beyond the
// end of the file are zero.
func (m *image) read(page uint32, version int, into []byte) error {
	if page == 0 || page > m.pages {
		return errNoPage
	}
	logged := m.logged[page]
	var n int
	var err error
	switch {
	case version < len(logged):
		n, err = m.log.ReadAt(into, logged[version])
	case version == len(logged):
		n, err = m.main.ReadAt(into, int64(page-1)*int64(m.pageSize))
	default:
		n, err = m.log.ReadAt(into, m.spoiled[page][version-len(logged)-1])
	}
	clear(into[n:])
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// Kinds of pages.
const (
	interiorPage = 0x05 // points to other pages of a table
	leafPage     = 0x0d // holds rows of a table
)

// children returns the pages that an interior page points to; ok is false if the
// page is of another kind or damaged.
func (m *image) children(page uint32, b []byte) (children []uint32, ok bool) {
	at := headerOffset(page)
	if b[at] != interiorPage {
		return nil, false
	}
	cells := int(binary.BigEndian.Uint16(b[at+3:]))
	if at+12+2*cells > len(b) {
		return nil, false
	}
	ok = true
	for i := range cells {
		cell := int(binary.BigEndian.Uint16(b[at+12+2*i:]))
		if cell+4 > len(b) {
			ok = false
			continue
		}
		children = append(children, binary.BigEndian.Uint32(b[cell:]))
	}
	return append(children, binary.BigEndian.Uint32(b[at+8:])), ok
}

// headerOffset returns where the header of a page begins.
func headerOffset(page uint32) int {
	if page == 1 {
		return 100
	}
	return 0
}

// cells returns where the rows of a leaf page begin; ok is false if the page is of
// another kind or damaged.
func (m *image) cells(page uint32, b []byte) (offsets []int, ok bool) {
	at := headerOffset(page)
	if b[at] != leafPage {
		return nil, false
	}
	cells := int(binary.BigEndian.Uint16(b[at+3:]))
	first := at + 8 + 2*cells
	if first > len(b) {
		return nil, false
	}
	ok = true
	for i := range cells {
		cell := int(binary.BigEndian.Uint16(b[at+8+2*i:]))
		if cell < first || cell >= len(b) {
			ok = false
			continue
		}
		offsets = append(offsets, cell)
	}
	return offsets, ok
}

// maxRow is more than a row has in bytes: a body of 1 MiB and headers.
const maxRow = 8 << 20

// row reads the row at an offset of a leaf page: its key and its columns. Overflow
// pages are read in their newest versions.
func (m *image) row(b []byte, offset int) (number int64, columns []value, ok bool) {
	size, n := varint(b[offset:])
	if n == 0 || size > maxRow {
		return 0, nil, false
	}
	offset += n
	key, n := varint(b[offset:])
	if n == 0 {
		return 0, nil, false
	}
	offset += n
	payload, ok := m.payload(b[offset:], int(size))
	if !ok {
		return 0, nil, false
	}
	columns, ok = record(payload)
	return int64(key), columns, ok
}

// payload returns the size bytes of a row that begin with b and continue on
// overflow pages.
func (m *image) payload(b []byte, size int) ([]byte, bool) {
	local := size
	if most := m.pageSize - 35; size > most {
		least := (m.pageSize-12)*32/255 - 23
		if local = least + (size-least)%(m.pageSize-4); local > most {
			local = least
		}
	}
	if local == size {
		return b[:min(size, len(b))], size <= len(b)
	}
	if local+4 > len(b) {
		return nil, false
	}
	whole := append(make([]byte, 0, size), b[:local]...)
	next := binary.BigEndian.Uint32(b[local:])
	page := make([]byte, m.pageSize)
	for len(whole) < size {
		if m.read(next, 0, page) != nil {
			return nil, false
		}
		whole = append(whole, page[4:min(len(page), 4+size-len(whole))]...)
		next = binary.BigEndian.Uint32(page)
	}
	return whole, next == 0
}

// value is a column of a row.
type value struct {
	kind kindOf
	n    int64
	b    []byte
}

type kindOf byte

const (
	isNull kindOf = 'n'
	isInt  kindOf = 'i'
	isText kindOf = 't'
	isBlob kindOf = 'b'
)

// record decodes the columns of a row.
func record(b []byte) (columns []value, ok bool) {
	size, n := varint(b)
	if n == 0 || size < uint64(n) || size > uint64(len(b)) {
		return nil, false
	}
	types, body := b[n:size], b[size:]
	for len(types) > 0 {
		code, n := varint(types)
		if n == 0 {
			return nil, false
		}
		types = types[n:]
		v, length, ok := valueOf(code, body)
		if !ok {
			return nil, false
		}
		columns, body = append(columns, v), body[length:]
	}
	return columns, len(body) == 0
}

// valueOf decodes one column of the type with that code.
func valueOf(code uint64, b []byte) (v value, length int, ok bool) {
	switch {
	case code == 0:
		return value{kind: isNull}, 0, true
	case code == 8 || code == 9:
		return value{kind: isInt, n: int64(code - 8)}, 0, true
	case code <= 6:
		length = [...]int{0, 1, 2, 3, 4, 6, 8}[code]
		if length > len(b) {
			return v, 0, false
		}
		n := int64(int8(b[0])) // which holds the sign
		for _, c := range b[1:length] {
			n = n<<8 | int64(c)
		}
		return value{kind: isInt, n: n}, length, true
	case code >= 12 && (code-12)/2 <= uint64(len(b)):
		length = int((code - 12) / 2)
		v = value{kind: isBlob, b: b[:length]}
		if code%2 == 1 {
			v.kind = isText
		}
		return v, length, true
	}
	return v, 0, false
}

// varint decodes an integer of one to nine bytes; n is 0 if b is too short.
func varint(b []byte) (v uint64, n int) {
	for n < min(8, len(b)) {
		v = v<<7 | uint64(b[n]&0x7f)
		if n++; b[n-1] < 0x80 {
			return v, n
		}
	}
	if len(b) < 9 {
		return 0, 0
	}
	return v<<8 | uint64(b[8]), 9
}
