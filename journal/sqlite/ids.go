package sqlite

import (
	"crypto/rand"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"math"

	"aspectop/journal"
)

// ids maps the id of each message to its number. It stores keyed hashes, because a
// million ids as text would take 90 MB. The key is chosen anew in each process, so
// nobody can prepare ids that collide. Only hash is safe for concurrent use.
type ids struct {
	key  [16]byte
	seqs map[idHash]shortSeq
	// attempts counts the arrivals of messages that arrived more than once.
	attempts map[int64]int
}

type idHash [16]byte

// shortSeq is a sequence number in five bytes, which keeps a map entry under 48
// bytes at any load. 2^40 deliveries are 300 years at a hundred a second.
type shortSeq [5]byte

const maxSeq = 1<<40 - 1

func newIDs() *ids {
	i := &ids{seqs: make(map[idHash]shortSeq), attempts: make(map[int64]int)}
	rand.Read(i.key[:])
	return i
}

func (i *ids) hash(id string) idHash {
	var room [128]byte
	sum := sha256.Sum256(append(append(room[:0], i.key[:]...), id...))
	return idHash(sum[:16])
}

// message returns the message with the id, if there is one.
func (i *ids) message(h idHash) (int64, bool) {
	s, ok := i.seqs[h]
	return int64(s[0])<<32 | int64(binary.BigEndian.Uint32(s[1:])), ok
}

func (i *ids) add(h idHash, seq int64) {
	var s shortSeq
	s[0] = byte(seq >> 32)
	binary.BigEndian.PutUint32(s[1:], uint32(seq))
	i.seqs[h] = s
}

// remove forgets the ids of removed deliveries.
func (i *ids) remove(gone []journal.Removal) {
	for _, r := range gone {
		delete(i.seqs, i.hash(r.ID))
		delete(i.attempts, r.Seq)
	}
}

// load reads the ids of a journal. Messages whose ids
// cannot be read count as new if they arrive again. It returns journal.ErrClosed when
// stop returns true.
func (i *ids) load(s *session, d *damage, stop func() bool) error {
	id := func(seq int64, row []driver.Value) bool {
		id, ok := row[1].(string)
		i.add(i.hash(id), seq)
		return ok
	}
	attempt := func(_ int64, row []driver.Value) bool {
		message, _ := row[1].(int64)
		attempt, ok := row[2].(int64)
		i.attempts[message] = max(i.attempts[message], int(attempt))
		return ok
	}
	for _, t := range []struct {
		query string
		add   func(seq int64, row []driver.Value) bool
	}{
		{`SELECT seq, id FROM removed WHERE seq >= ? ORDER BY seq LIMIT ?`, id},
		{`SELECT seq, id FROM deliveries WHERE seq >= ? ORDER BY seq LIMIT ?`, id},
		{`SELECT seq, message, attempt FROM repeats WHERE seq >= ? ORDER BY seq LIMIT ?`, attempt},
	} {
		next := int64(1)
		read := func(from int64, limit int) error {
			return s.values(t.query, []driver.Value{from, int64(limit)}, func(row []driver.Value) error {
				seq, ok := row[0].(int64)
				if ok = ok && seq >= from && seq <= maxSeq && t.add(seq, row); !ok {
					return &rowError{fmt.Errorf("the row at number %d is none of a journal", seq)}
				}
				next = seq + 1
				if seq%1024 == 0 && stop() {
					return journal.ErrClosed
				}
				return nil
			})
		}
		for {
			err := read(next, math.MaxInt)
			if err == nil {
				break
			} else if !isDamage(err) {
				return err
			}
			d.found(err)
			damaged := next - 1
			at, err := passOver(maxSeq-damaged, func(at int64) error { return read(damaged+at, 1) })
			if isDamage(err) {
				break // there is no more
			} else if err != nil {
				return err
			}
			next = damaged + at
		}
	}
	return nil
}
