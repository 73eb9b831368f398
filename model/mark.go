package model

import (
	"cmp"
	"encoding/hex"
)

// mark is what the board keeps of one message: its place in the one order of
// all messages of a task, and the feature states it told. 64 bytes, no pointer.
//
// The order is (data.task.updated, envelope timestamp, rank, number of terminal
// features, event_id, SHA-256 of the body). Of the hash the first eight bytes
// serve: two bodies that agree in all that stands before it and in these too
// are taken for equal. Marks that are equal in the order are kept apart by seq.
type mark struct {
	updated, stamp int64    // nanoseconds since 1970
	event          [16]byte // event_id if it is a UUID in its usual spelling
	sum            uint64
	seq            int64
	shape          uint32
	oddEvent       uint32 // else 1 + its index in shapes.odd, 0 if event is set
	kind           Kind
	rank           uint8
	typ            uint32 // index in shapes.types
}

// Ranks: a snapshot from the API knows least, an event that ends a task most.
const (
	rankAPI = iota
	rankProgress
	rankEnd
)

func (b *Board) mark(e *Event) mark {
	m := mark{
		updated: toNano(e.Task.Updated), stamp: toNano(e.Timestamp),
		sum: e.sum, seq: e.Seq, kind: e.Kind, rank: rankProgress,
		shape: b.shapes.intern(e.Task.Features),
		typ:   b.shapes.types.intern(e.Type),
	}
	switch {
	case e.Source == SourceAPI:
		m.rank = rankAPI
	case e.Kind == Done || e.Kind == Failure:
		m.rank = rankEnd
	}
	if !parseUUID(e.EventID, &m.event) {
		m.oddEvent = b.shapes.odd.intern(e.EventID) + 1
	}
	return m
}

// compare tells which mark is newer: positive if m is.
func (b *Board) compare(m, n *mark) int {
	if c := cmp.Compare(m.updated, n.updated); c != 0 {
		return c
	}
	if c := cmp.Compare(m.stamp, n.stamp); c != 0 {
		return c
	}
	if c := cmp.Compare(m.rank, n.rank); c != 0 {
		return c
	}
	if m.shape != n.shape {
		if c := cmp.Compare(b.shapes.at(m.shape).terminal, b.shapes.at(n.shape).terminal); c != 0 {
			return c
		}
	}
	if m.event != n.event || m.oddEvent != n.oddEvent {
		if c := cmp.Compare(b.eventID(m), b.eventID(n)); c != 0 {
			return c
		}
	}
	return cmp.Compare(m.sum, n.sum)
}

func (b *Board) eventID(m *mark) string {
	if m.oddEvent != 0 {
		return b.shapes.odd.all[m.oddEvent-1]
	}
	h := hex.EncodeToString(m.event[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// parseUUID reads a UUID in lower case with hyphens, the only spelling that
// its sixteen bytes give back exactly.
func parseUUID(s string, into *[16]byte) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	at := 0
	for i := 0; i < 36; i += 2 {
		if s[i] == '-' {
			i++
		}
		hi, lo := nibble(s[i]), nibble(s[i+1])
		if hi > 15 || lo > 15 {
			return false
		}
		into[at] = hi<<4 | lo
		at++
	}
	return true
}

func nibble(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}
