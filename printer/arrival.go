package printer

import (
	"sync"

	"aspectop/model"
)

// arrival is one delivery and what it meant when it arrived.
type arrival struct {
	model.Event
	delivery *model.Delivery
	task     *model.Task    // as the delivery left it, nil if it belongs to none
	before   model.State    // the task's own state before, "" if it was not there
	late     bool           // the task had newer news
	changes  []model.Change // on the board
}

// decode decodes deliveries, on all cores if they are many: that is what most
// of the time goes into while a long history is folded.
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

// fold folds a message into the board. What it says of late and changes is
// right if messages are folded in the order of their arrival.
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

// tellAs makes a repeat tell what the message's first delivery told.
func (a *arrival) tellAs(first *model.Delivery, b *model.Board) {
	seq, received := a.Seq, a.Received
	a.Event = model.Decode(first)
	a.Seq, a.Received = seq, received
	if a.Task != nil {
		a.task = b.Task(a.Task.ID)
	}
}
