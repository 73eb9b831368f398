package printer

import (
	"sync"

	"aspectop/model"
)

// arrival is a delivery and its effect when it arrived.
type arrival struct {
	model.Event
	delivery *model.Delivery
	task     *model.Task    // after the delivery; nil if it is not about one
	before   model.State    // the task's state before, "" if it is new
	late     bool           // something newer had arrived before
	changes  []model.Change // on the board
}

// decode decodes deliveries, using all cores if there are many: decoding takes most
// of the time of folding a long history.
func decode(deliveries []model.Delivery) []model.Event {
	const share = 250
	events := make([]model.Event, len(deliveries))
	var work sync.WaitGroup
	for i := 0; i < len(deliveries); i += share {
		some := func() {
			for j := i; j < min(i+share, len(deliveries)); j++ {
				events[j] = model.Decode(&deliveries[j])
			}
		}
		if len(deliveries) <= share {
			some()
		} else {
			work.Go(some)
		}
	}
	work.Wait()
	return events
}

// fold folds a message into the board. For late and changes to be right, messages
// must be folded in the order they arrived.
func fold(b *model.Board, d *model.Delivery, e model.Event) *arrival {
	a := &arrival{Event: e, delivery: d}
	if a.Task == nil {
		return a
	}
	var features []model.Feature
	if t := b.Task(a.Task.ID); t != nil {
		features, a.before = t.Features(), t.State()
	}
	a.task = b.Fold(&a.Event)
	a.late = a.task.Newest() != a.Seq
	a.changes = model.Changes(features, a.task.Features())
	return a
}

// tellAs gives a repeat the content of the message's first delivery.
func (a *arrival) tellAs(first *model.Delivery, b *model.Board) {
	seq, received := a.Seq, a.Received
	a.Event = model.Decode(first)
	a.Seq, a.Received = seq, received
	if a.Task != nil {
		a.task = b.Task(a.Task.ID)
	}
}
