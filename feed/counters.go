package feed

import (
	"time"

	"aspectop/model"
)

// Counters are about this run: what came since the feed was made. What stood in
// the journal before is not counted.
type Counters struct {
	Verified, Rejected, Duplicate, Late int
	Lost                                int64     // statuses that were overwritten before they were read
	Last                                time.Time // the newest arrival; zero: none
	rate                                rate
}

// count counts arrivals that were folded.
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
		c.Verified++
		if a.Task != nil {
			if late, _, _ := b.Task(a.Task.ID).Arrival(a.Seq); late {
				c.Late++
			}
		}
	}
}

// LastMinute are the numbers of arrivals in twelve parts of the minute up to
// now, oldest first.
func (c *Counters) LastMinute(now time.Time) []int { return c.rate.last(now, 12) }
