package sqlite

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/binary"
	"errors"
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

func (i *ids) remove(gone []journal.Removal) {
	for _, r := range gone {
		delete(i.seqs, i.hash(r.ID))
		delete(i.attempts, r.Seq)
	}
}

// load reads the ids of a journal. Messages whose ids cannot be read count as new if
// they arrive again.
func (i *ids) load(ctx context.Context, s *session, damaged func(error)) error {
	id := func(row []driver.Value) bool {
		id, ok := row[1].(string)
		i.add(i.hash(id), row[0].(int64))
		return ok
	}
	attempt := func(row []driver.Value) bool {
		message, _ := row[1].(int64)
		attempt, ok := row[2].(int64)
		i.attempts[message] = max(i.attempts[message], int(attempt))
		return ok
	}
	for _, t := range []struct {
		query string
		add   func(row []driver.Value) bool
	}{
		{`SELECT seq, id FROM removed WHERE seq >= ? ORDER BY seq LIMIT ?`, id},
		{`SELECT seq, id FROM deliveries WHERE seq >= ? ORDER BY seq LIMIT ?`, id},
		{`SELECT seq, message, attempt FROM repeats WHERE seq >= ? ORDER BY seq LIMIT ?`, attempt},
	} {
		err := s.scan(tableScan{t.query, 1, 1, math.MaxInt64, func(row []driver.Value, _ bool) error {
			if !t.add(row) {
				return &rowError{errors.New("a row has no id")}
			}
			return ctx.Err()
		}, func(_ span, why error) { damaged(why) }})
		if err != nil && !isDamage(err) {
			return err
		}
	}
	return nil
}
