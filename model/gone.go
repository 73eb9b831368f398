package model

// TypeGone is the event type shown for the note that Aspect's API no longer
// knows a task.
const TypeGone = "gone"

// Gone reports whether the last thing that arrived about the task is that
// Aspect's API no longer knows it. The task keeps the state it was in; whatever
// arrives later brings it back. It costs the number of the task's messages.
func (t *Task) Gone() bool {
	last := int32(0)
	for i := range t.marks {
		if t.marks[i].seq > t.marks[last].seq {
			last = int32(i)
		}
	}
	return t.origin(last).kind == Gone
}
