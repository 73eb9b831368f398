package model

// table gives each different value a number, from 0 up. It is how the board
// keeps what many messages have in common only once.
type table[T comparable] struct {
	all []T
	ids map[T]uint32
}

func newTable[T comparable]() table[T] { return table[T]{ids: map[T]uint32{}} }

func (t *table[T]) intern(v T) uint32 {
	if i, ok := t.ids[v]; ok {
		return i
	}
	i := uint32(len(t.all))
	t.all = append(t.all, v)
	t.ids[v] = i
	return i
}

func (t *table[T]) at(i uint32) *T { return &t.all[i] }
