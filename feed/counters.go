package feed

import (
	"time"

	"aspectop/model"
)

// rate counts arrivals over the latest stretches of equal length.
type rate struct {
	each   time.Duration
	counts []count // a ring, by number
	newest int64   // number of the newest stretch counted
}

type count struct {
	number int64 // of the stretch since 1970
	n      int
}

// newRate counts in n stretches of the length each, whole seconds.
func newRate(each time.Duration, n int) rate { return rate{each: each, counts: make([]count, n)} }

func (r *rate) number(at time.Time) int64 { return at.Unix() / int64(r.each/time.Second) }

// slot is where a stretch is counted, or one that is a multiple of the ring away.
func (r *rate) slot(number int64) *count { return &r.counts[uint64(number)%uint64(len(r.counts))] }

// add counts an arrival, unless a later stretch has taken its place.
func (r *rate) add(at time.Time) {
	number := r.number(at)
	c := r.slot(number)
	if c.number < number {
		*c = count{number: number}
	}
	if c.number == number {
		c.n++
	}
	r.newest = max(r.newest, number)
}

// last returns the counts up to now in n equal parts, oldest first; n divides
// the number of stretches.
func (r *rate) last(now time.Time, n int) []int {
	out := make([]int, n)
	end := max(r.number(now), r.newest) // another machine's clock may be ahead
	for i := range r.counts {
		number := end - int64(len(r.counts)-1-i)
		if c := r.slot(number); c.number == number {
			out[i/(len(r.counts)/n)] += c.n
		}
	}
	return out
}

// paceColumns is how many stretches of each length a [Pace] counts: three hours
// by the minute, half an hour by ten seconds.
const paceColumns = 180

// Pace counts deliveries over time, in two grains: the last hours should be
// seen, and what has just begun as well.
type Pace struct{ fine, coarse rate }

// NewPace returns a pace of nothing.
func NewPace() Pace {
	return Pace{newRate(10*time.Second, paceColumns), newRate(time.Minute, paceColumns)}
}

// Add counts a delivery.
func (p *Pace) Add(at time.Time) {
	p.fine.add(at)
	p.coarse.add(at)
}

// Last returns the counts up to now, oldest first, and the length of the
// stretches: the fine ones if n of them hold all there is.
func (p *Pace) Last(now time.Time, n int) (counts []int, each time.Duration) {
	counts = p.coarse.last(now, paceColumns)
	within := n * int(p.fine.each/time.Second) / int(p.coarse.each/time.Second)
	for _, before := range counts[:paceColumns-min(within, paceColumns)] {
		if before > 0 {
			return counts, p.coarse.each
		}
	}
	return p.fine.last(now, paceColumns), p.fine.each
}

// Counters are about this run: what came since the feed was made. What stood in
// the journal before is not counted.
type Counters struct {
	Verified, Rejected, Duplicate, Late int
	Unsigned                            int       // messages of the event stream and the API
	Lost                                int64     // statuses that were overwritten before they were read
	Last                                time.Time // the newest arrival; zero: none
	rate                                rate
}

func (c *Counters) count(b *model.Board, arrivals []Arrival) {
	for i := range arrivals {
		a := &arrivals[i]
		if a.Received.After(c.Last) {
			c.Last = a.Received
		}
		c.rate.add(a.Received)
		if a.Repeat() {
			c.Duplicate++
			continue
		}
		if a.Source == model.SourceWebhook {
			c.Verified++
		} else {
			c.Unsigned++
		}
		if a.Task != nil {
			if effect, _ := b.Task(a.Task.ID).Effect(a.Seq); effect.Late {
				c.Late++
			}
		}
	}
}

// LastMinute are the numbers of arrivals in twelve parts of the minute up to
// now, oldest first.
func (c *Counters) LastMinute(now time.Time) []int { return c.rate.last(now, 12) }
