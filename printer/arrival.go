package printer

import "aspectop/model"

// arrival is one delivery and what it meant when it arrived.
type arrival struct {
	model.Event
	delivery *model.Delivery
	task     *model.Task    // as the delivery left it, nil if it belongs to none
	before   model.State    // the task's own state before, "" if it was not there
	late     bool           // the task had newer news
	changes  []model.Change // on the board
}

// fold folds a message into the board. What it says of late and changes is
// right if messages are folded in the order of their arrival.
func fold(b *model.Board, d *model.Delivery) *arrival {
	a := &arrival{Event: model.Decode(d), delivery: d}
	if a.Task == nil {
		return a
	}
	var features []model.Feature
	if t := b.Task(a.Task.ID); t != nil {
		features, a.before = t.Features(), t.State()
	}
	a.task = b.Fold(&a.Event)
	if a.late = a.task.Newest() != a.Seq; !a.late {
		a.changes = model.Changes(features, a.task.Features())
	}
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
