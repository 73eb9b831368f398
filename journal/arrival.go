package journal

import (
	"time"

	"aspectop/model"
)

// Arrival is a delivery that is being committed, and the numbers it was given.
type Arrival struct {
	Delivery *model.Delivery
	Header   string // as stored; see [AppendHeader]

	Seq, Message int64
	Attempt      int
	Differs      bool
}

// Repeat reports whether the message had arrived before.
func (a *Arrival) Repeat() bool { return a.Seq != a.Message }

// Acknowledge fills in the numbers of the delivery.
func (a *Arrival) Acknowledge() {
	d := a.Delivery
	d.Seq, d.Message, d.Attempt, d.Differs = a.Seq, a.Message, a.Attempt, a.Differs
}

// Stored returns the delivery as a [Reader] returns it. It shares the headers and
// the body.
func (a *Arrival) Stored() model.Delivery {
	d := *a.Delivery
	d.Seq, d.Message, d.Attempt, d.Differs = a.Seq, a.Message, a.Attempt, a.Differs
	d.Received = d.Received.UTC().Truncate(time.Microsecond)
	if len(d.Body) == 0 || a.Repeat() && !a.Differs {
		d.Body = nil
	}
	return d
}
