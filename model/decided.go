package model

// DecidedBy is the type of the message that gives the task its own state, and
// whether that is worked out from the features which the message tells: it is
// not for an event that ends the task, task.completed or task.failed, even if
// newer messages tell features.
func (t *Task) DecidedBy() (typ string, byFeatures bool) {
	newest := t.origin(t.newest)
	switch {
	case newest.kind == Done || newest.kind == Failure:
		return newest.typ, false
	case t.state != t.shapeOf(t.newest).state:
		return t.origin(t.end).typ, false
	}
	return newest.typ, true
}
