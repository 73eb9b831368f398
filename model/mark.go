package model

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"strings"
)

// mark is what the board keeps of one message: its place in the one order of
// all messages of a task, and its feature states. 56 bytes, no pointer.
//
// The order is (data.task.updated, envelope timestamp, rank, number of terminal
// features, event_id, SHA-256 of the body, seq). Of the hash, the first eight bytes
// count.
type mark struct {
	updated, stamp int64    // nanoseconds since 1970
	event          [16]byte // event_id, if origin says so
	sum            uint64
	seq            int64
	shape          uint32 // in board.shapes
	origin         uint32 // in board.origins
}

// origin is what many messages have in common beside the features they tell.
type origin struct {
	typ  string // event_type
	kind Kind
	rank uint8
	// uuid: event_id is a UUID in its usual spelling, and in the mark. Any other
	// is here, at the price of an origin for each.
	uuid  bool
	event string
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
		sum: e.sum, seq: e.Seq, shape: b.shapes.intern(e.Task.Features),
	}
	o := origin{typ: e.Type, kind: e.Kind, rank: rankProgress}
	switch {
	case e.Source == SourceAPI:
		o.rank = rankAPI
	case e.Kind == Done || e.Kind == Failure:
		o.rank = rankEnd
	}
	if o.uuid = parseUUID(e.EventID, &m.event); !o.uuid {
		o.event = e.EventID
	}
	m.origin = b.origins.intern(o)
	return m
}

// compare tells which mark is newer: positive if m is.
func (b *Board) compare(m, n *mark) int {
	if m.updated != n.updated {
		return cmp.Compare(m.updated, n.updated)
	}
	if m.stamp != n.stamp {
		return cmp.Compare(m.stamp, n.stamp)
	}
	o, p := b.origins.at(m.origin), b.origins.at(n.origin)
	if o.rank != p.rank {
		return cmp.Compare(o.rank, p.rank)
	}
	if c := cmp.Compare(b.shapes.at(m.shape).terminal, b.shapes.at(n.shape).terminal); c != 0 {
		return c
	}
	if o.uuid && p.uuid { // in hexadecimal, the bytes are in the order of the text
		if c := bytes.Compare(m.event[:], n.event[:]); c != 0 {
			return c
		}
	} else if c := cmp.Compare(o.eventID(m), p.eventID(n)); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(m.sum, n.sum), cmp.Compare(m.seq, n.seq))
}

func (o *origin) eventID(m *mark) string {
	if !o.uuid {
		return o.event
	}
	h := hex.EncodeToString(m.event[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// parseUUID reads a UUID in lower case with hyphens, the only spelling that
// its sixteen bytes give back exactly. Nothing else touches into.
func parseUUID(s string, into *[16]byte) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' || strings.ContainsAny(s, "ABCDEF") {
		return false
	}
	var digits [32]byte
	copy(digits[:], s[:8])
	copy(digits[8:], s[9:13])
	copy(digits[12:], s[14:18])
	copy(digits[16:], s[19:23])
	copy(digits[20:], s[24:])
	var id [16]byte
	if _, err := hex.Decode(id[:], digits[:]); err != nil {
		return false
	}
	*into = id
	return true
}
