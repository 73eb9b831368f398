package ui

import "time"

// rate counts arrivals over the latest stretches of equal length.
type rate struct {
	each   time.Duration
	counts []int // a ring, by the number of the stretch since 1970
	newest int64 // number of the stretch counted last
}

// newRate counts in n stretches of the length each, whole seconds.
func newRate(each time.Duration, n int) rate { return rate{each: each, counts: make([]int, n)} }

func (r *rate) number(at time.Time) int64 { return at.Unix() / int64(r.each/time.Second) }

// slot is where a stretch is counted.
func (r *rate) slot(number int64) *int {
	n := int64(len(r.counts))
	return &r.counts[(number%n+n)%n]
}

// add counts an arrival, unless it is too long ago.
func (r *rate) add(at time.Time) {
	number := r.number(at)
	r.advance(number)
	if r.newest-number < int64(len(r.counts)) {
		*r.slot(number)++
	}
}

// advance forgets what is too long ago when the stretch has begun.
func (r *rate) advance(number int64) {
	if number-r.newest >= int64(len(r.counts)) {
		clear(r.counts)
		r.newest = number
	}
	for r.newest < number {
		r.newest++
		*r.slot(r.newest) = 0
	}
}

// last returns the counts up to now in n equal parts, oldest first; n divides
// the number of stretches.
func (r *rate) last(now time.Time, n int) []int {
	r.advance(r.number(now))
	out := make([]int, n)
	each := len(r.counts) / n
	for i := range r.counts {
		out[i/each] += *r.slot(r.newest - int64(len(r.counts)-1-i))
	}
	return out
}
