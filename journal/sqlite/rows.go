package sqlite

import (
	"encoding/binary"
	"regexp"
)

// A place says where in an image a row was found.
type place struct {
	table   *shape
	number  int64 // the row's key; of deliveries and repeats, its seq
	rank    rank
	page    uint32
	version int
	offset  int
}

// rank says how reliable a place is; smaller is better.
type rank byte

const (
	inTree rank = iota // it is where SQLite would find it
	older              // it is in an older version of a page whose newest is damaged
	astray             // nothing leads to its page any more
)

// shape identifies the table of a row by the kinds of its columns. Nothing else
// tells it on a page that is astray.
type shape struct {
	name  string
	kinds *regexp.Regexp
}

var shapes = []*shape{
	{"deliveries", regexp.MustCompile(`^ntittt[bn]$`)},
	{"repeats", regexp.MustCompile(`^niiitittt[bn]$`)},
	{"removed", regexp.MustCompile(`^ntib$`)},
	{"meta", regexp.MustCompile(`^ti$`)},
	{"forward_targets", regexp.MustCompile(`^ntti$`)},
	{"forwards", regexp.MustCompile(`^i{9}tt[bn]$`)},
	{"sqlite_schema", regexp.MustCompile(`^ttti[tn]$`)},
}

// shapeOf returns the table of a row, or nil if no table has such rows.
func shapeOf(columns []value) *shape {
	var room [16]byte
	kinds := room[:0]
	for _, c := range columns {
		kinds = append(kinds, byte(c.kind))
	}
	for _, s := range shapes {
		if s.kinds.Match(kinds) {
			return s
		}
	}
	return nil
}

// A search finds the rows in an image.
type search struct {
	image   *image
	places  []place
	seen    []bool // by page number: looked at, or free
	damaged int    // pages that could not be read completely
	// lost says that a damaged page may have pointed to pages that were not found.
	lost bool

	page []byte // that columns read last
	at   place  // of that page
}

// searchRows finds all rows of an image, some of them at several places.
func searchRows(m *image) *search {
	s := &search{image: m, seen: make([]bool, m.pages+1)}
	s.seen[0] = true
	s.follow(1)
	roots := s.places // of the schema, which is on the first page
	for _, p := range roots {
		if _, columns, ok := s.columns(p); ok && p.table.name == "sqlite_schema" && string(columns[0].b) == "table" {
			s.follow(uint32(columns[3].n))
		}
	}
	if !s.lost {
		return s
	}
	s.passOverFree()
	for page := range s.image.pages {
		if !s.seen[page+1] {
			s.look(page+1, astray)
		}
	}
	return s
}

// follow looks at a page and all below it.
func (s *search) follow(page uint32) {
	if page == 0 || page > s.image.pages {
		s.lost = true
		return
	}
	if s.seen[page] {
		return
	}
	for _, child := range s.look(page, inTree) {
		s.follow(child)
	}
}

// look adds the rows on a page to places, and returns the pages it points to. If
// its newest version is damaged, it looks at the others too: rows never change, so
// any version of a row is right.
func (s *search) look(page uint32, r rank) (children []uint32) {
	s.seen[page] = true
	spoiled := len(s.image.spoiled[page]) > 0
	s.lost = s.lost || spoiled
	b := make([]byte, s.image.pageSize)
	for version := range s.image.versions(page) {
		if s.image.read(page, version, b) != nil {
			continue
		}
		found, whole := s.image.children(page, b)
		isLeaf := b[headerOffset(page)] == leafPage
		if isLeaf {
			whole = s.rows(place{rank: r, page: page, version: version}, b)
		}
		children = append(children, found...)
		if whole && !spoiled {
			return children
		}
		if r == astray && len(found) == 0 && !isLeaf {
			return nil // it is not a page of rows
		}
		if version == 0 {
			s.damaged++
		}
		s.lost = s.lost || !isLeaf
		r = max(r, older)
	}
	return children
}

// rows adds the rows on a leaf page to places, and reports whether all could be
// read.
func (s *search) rows(p place, b []byte) (whole bool) {
	offsets, whole := s.image.cells(p.page, b)
	if offsets == nil && !whole {
		s.lost = true
	}
	for _, offset := range offsets {
		number, columns, ok := s.image.row(b, offset)
		table := shapeOf(columns)
		if !ok || table == nil || number < 1 || number > maxSeq {
			whole = false
			continue
		}
		p.table, p.number, p.offset = table, number, offset
		s.places = append(s.places, p)
	}
	return whole
}

// columns reads the row at a place. Rows in order are mostly on the same page.
func (s *search) columns(p place) (number int64, columns []value, ok bool) {
	if s.page == nil || s.at.page != p.page || s.at.version != p.version {
		s.page, s.at = make([]byte, s.image.pageSize), p
		if s.image.read(p.page, p.version, s.page) != nil {
			return 0, nil, false
		}
	}
	return s.image.row(s.page, p.offset)
}

// passOverFree excludes the free pages: rows that are still on them were removed
// or moved.
func (s *search) passOverFree() {
	b := make([]byte, s.image.pageSize)
	if s.image.read(1, 0, b) != nil {
		return
	}
	trunk := binary.BigEndian.Uint32(b[32:])
	for trunk > 0 && trunk <= s.image.pages && !s.seen[trunk] && s.image.read(trunk, 0, b) == nil {
		s.seen[trunk] = true
		next, count := binary.BigEndian.Uint32(b), int(binary.BigEndian.Uint32(b[4:]))
		for i := range min(count, len(b)/4-2) {
			if page := binary.BigEndian.Uint32(b[8+4*i:]); page <= s.image.pages {
				s.seen[page] = true
			}
		}
		trunk = next
	}
}
