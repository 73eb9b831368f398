package model

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Task is one task as its messages tell it: the snapshot of the newest message,
// and the timeline of all of them. It keeps 56 bytes a message, whatever the number
// of features, and about 300 more. The messages are sorted on demand.
type Task struct {
	board *Board
	index int32
	shape uint32 // of the newest message
	user  uint32 // in board.users

	id, asset string
	created   int64
	heard     int64 // the newest arrival of a message, by the local clock
	news      int64 // the same without notes that the API no longer knows the task; 0: none
	marks     []mark
	newest    int32 // index in marks
	end       int32 // index of the newest event that ends the task; -1: none
	ordered   int32 // that many marks are in order, oldest first; the others came since
	state     State

	lower   bool // the ids have no capitals
	late    bool // one of the messages was late; complete when all marks are in order
	changed bool // listed in board.changed
	unsure  bool // listed in board.unsure
}

// ID is the task's id, never empty.
func (t *Task) ID() string { return t.id }

// Index is the task's place in [Board.At].
func (t *Task) Index() int { return int(t.index) }

// AssetID, UserID, Created and Updated are those of the newest message.
func (t *Task) AssetID() string    { return t.asset }
func (t *Task) UserID() string     { return *t.board.users.at(t.user) }
func (t *Task) Created() time.Time { return fromNano(t.created) }
func (t *Task) Updated() time.Time { return fromNano(t.marks[t.newest].updated) }

// Heard is when the last message of the task arrived, by the local clock.
func (t *Task) Heard() time.Time { return fromNano(t.heard) }

// News is when the last message arrived that says how the task is. The note that Aspect's
// API no longer knows the task says nothing of that, and counts only if there is nothing
// else.
func (t *Task) News() time.Time { return fromNano(cmp.Or(t.news, t.heard)) }

// State is the task's own state, one of the documented ones but na.
func (t *Task) State() State { return t.state }

// Active reports whether more is expected of the task.
func (t *Task) Active() bool { return !t.state.Terminal() }

// Took is how long the task took, or has taken until now; 0 if it does not tell
// when it was created.
func (t *Task) Took(now time.Time) time.Duration {
	if t.created == noTime {
		return 0
	}
	if !t.Active() {
		now = t.Ended()
	}
	return max(0, now.Sub(t.Created()))
}

// Ended is the time of the newest event that ends the task, if it has been in that state
// ever since: what an internal feature does afterwards prolongs nothing. Else it is that of
// the newest message: of a task that a feature failed, others may go on. It is the zero
// time for an active task, and where no message tells.
func (t *Task) Ended() time.Time {
	if t.Active() {
		return time.Time{}
	}
	t.sort()
	if t.end < 0 || t.marks[t.end].updated == noTime {
		return t.Updated()
	}
	for i := t.end; int(i) < len(t.marks); i++ {
		if t.derive(i, t.end) != t.state {
			return t.Updated()
		}
	}
	return fromNano(t.marks[t.end].updated)
}

// Features are the states in the newest message. They belong to the
// board: do not change them.
func (t *Task) Features() []Feature { return t.newestShape().features }

// Feature returns the state of one feature and whether the task has it.
func (t *Task) Feature(name string) (State, bool) { return t.newestShape().find(name) }

// Progress tells how many features are in a terminal state, out of how many.
// Internal features do not count.
func (t *Task) Progress() (done, total int) {
	s := t.newestShape()
	return s.done, s.total
}

// Messages is the number of messages about the task.
func (t *Task) Messages() int { return len(t.marks) }

// Seqs are the messages of the task, by their numbers in the journal: the newest last,
// whenever it arrived.
func (t *Task) Seqs() []int64 {
	t.sort()
	seqs := make([]int64, len(t.marks))
	for i := range t.marks {
		seqs[i] = t.marks[i].seq
	}
	return seqs
}

func (t *Task) shapeOf(i int32) *shape { return t.board.shapes.at(t.marks[i].shape) }

// newestShape spares a look at the marks, which lie elsewhere in memory.
func (t *Task) newestShape() *shape { return t.board.shapes.at(t.shape) }

func (t *Task) origin(i int32) *origin { return t.board.origins.at(t.marks[i].origin) }

func (t *Task) name(id, asset string) {
	both := id + "\n" + asset
	t.id, t.asset = both[:len(id)], both[len(id)+1:]
	t.lower = strings.ToLower(both) == both
}

// add enters the event's message, which is not there yet.
func (t *Task) add(e *Event) {
	m := t.board.mark(e)
	if len(t.marks) == cap(t.marks) {
		// Grow by less than append does: most tasks have few messages. Growing nil
		// uses all that the allocator hands out.
		t.marks = append(slices.Grow([]mark(nil), len(t.marks)+max(2, len(t.marks)/8)), t.marks...)
	}
	first := len(t.marks) == 0
	t.marks = append(t.marks, m)
	i := int32(len(t.marks) - 1)
	if first {
		t.newest, t.end, t.ordered = i, -1, 1
	} else if t.ordered == i && t.before(i-1, i) {
		t.ordered++
		t.late = t.late || m.seq < t.marks[i-1].seq
	}
	if first || t.before(t.newest, i) {
		t.newest, t.shape = i, m.shape
		t.user, t.created = t.board.users.intern(e.Task.UserID), toNano(e.Task.Created)
		if t.asset != e.Task.AssetID {
			t.name(t.id, e.Task.AssetID)
		}
	}
	if t.origin(i).rank == rankEnd && (t.end < 0 || t.before(t.end, i)) {
		t.end = i
	}
	t.heard = max(t.heard, toNano(e.Received))
	if e.Kind != Gone {
		t.news = max(t.news, toNano(e.Received))
	}
	t.state = t.derive(t.newest, t.end)
}

func (t *Task) before(i, j int32) bool { return t.board.compare(&t.marks[i], &t.marks[j]) < 0 }

// sort puts the marks in order. What was in order already is not sorted again:
// history comes in batches, each older than what is there.
func (t *Task) sort() {
	if int(t.ordered) == len(t.marks) {
		return
	}
	fresh := slices.Clone(t.marks[t.ordered:])
	slices.SortFunc(fresh, func(m, n mark) int { return t.board.compare(&m, &n) })
	at := len(t.marks)
	for i := int(t.ordered) - 1; len(fresh) > 0; at-- {
		if last := &fresh[len(fresh)-1]; i < 0 || t.board.compare(&t.marks[i], last) < 0 {
			t.marks[at-1], fresh = *last, fresh[:len(fresh)-1]
		} else {
			t.marks[at-1] = t.marks[i]
			i--
		}
	}
	t.ordered = int32(len(t.marks))
	t.note()
}

// note works out what is known of marks that are in order.
func (t *Task) note() {
	t.newest, t.end = int32(len(t.marks)-1), -1
	for i := range t.marks {
		if t.origin(int32(i)).rank == rankEnd {
			t.end = int32(i)
		}
		t.late = t.late || i > 0 && t.marks[i].seq < t.marks[i-1].seq
	}
}

// AsOf returns the task as it was when seq was the greatest number folded and the last
// of its messages had arrived at heard: t itself if nothing has come since, nil if it
// was not known yet. Its asset and user are those known now.
func (t *Task) AsOf(seq int64, heard time.Time) *Task {
	if !slices.ContainsFunc(t.marks, func(m mark) bool { return m.seq > seq }) {
		return t
	}
	t.sort()
	was := *t
	was.marks = slices.DeleteFunc(slices.Clone(t.marks), func(m mark) bool { return m.seq > seq })
	if len(was.marks) == 0 {
		return nil
	}
	was.ordered, was.late = int32(len(was.marks)), false
	was.note()
	was.shape, was.heard = was.marks[was.newest].shape, toNano(heard)
	was.news = min(t.news, was.heard)
	was.state = was.derive(was.newest, was.end)
	return &was
}

// hadLate reports whether one of the messages was late when it arrived: an
// older one, by the order, has a greater number.
func (t *Task) hadLate() bool {
	t.sort()
	return t.late
}

// hasType reports whether the type of one of the messages contains part, which
// is in lower case.
func (t *Task) hasType(part string) bool {
	for i := range t.marks {
		if i > 0 && t.marks[i].origin == t.marks[i-1].origin {
			continue
		}
		if contains(t.origin(int32(i)).typ, part) {
			return true
		}
	}
	return false
}

// derive is the task's own state by its newest message and its newest end (-1: none):
// what the features of a completed task do later reopens it only if one of them that
// had ended is no longer done.
func (t *Task) derive(newest, end int32) State {
	switch t.origin(newest).kind {
	case Done:
		return Completed
	case Failure:
		return Failed
	}
	now := t.shapeOf(newest)
	if end < 0 || t.origin(end).kind != Done {
		return now.state
	}
	for _, f := range t.shapeOf(end).features {
		if !f.State.Terminal() || Internal(f.Name) {
			continue
		}
		if s, ok := now.find(f.Name); ok && (s == Failed || !s.Terminal()) {
			return now.state
		}
	}
	return Completed
}

// TypeGone is the event type shown for the note that Aspect's API no longer
// knows a task.
const TypeGone = "gone"

// Gone reports whether the last message about the task is that Aspect's API no longer
// knows it. It keeps the state it was in; whatever arrives later brings it back.
func (t *Task) Gone() bool {
	last := slices.MaxFunc(t.marks, func(m, n mark) int { return cmp.Compare(m.seq, n.seq) })
	return t.board.origins.at(last.origin).kind == Gone
}

// DecidedBy is the type of the message that gives the task its own state, and whether
// that is derived from its features: not for one that ends the task, task.completed
// or task.failed, even if newer messages tell features.
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
