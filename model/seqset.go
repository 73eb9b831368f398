package model

// seqSet is a set of sequence numbers. Numbers that follow each other cost one
// bit each.
type seqSet map[int64]*[8]uint64

// add reports whether n was not yet in the set.
func (s seqSet) add(n int64) bool {
	chunk := s[n>>9]
	if chunk == nil {
		chunk = new([8]uint64)
		s[n>>9] = chunk
	}
	word, bit := &chunk[n>>6&7], uint64(1)<<(n&63)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}
