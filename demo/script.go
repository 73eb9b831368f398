package demo

import (
	"maps"
	"time"

	"aspectop/model"
)

// follow schedules the steps of a scenario file.
func (w *world) follow(steps []step) {
	tasks := map[string]*task{}
	for _, s := range steps {
		switch s.do {
		case tellTask:
			w.at(s.at, func() {
				if s.kind != "" {
					tasks[s.task] = w.newTask()
				}
				w.tellStep(tasks[s.task], s)
			})
		case upload:
			for i := range s.count {
				w.at(s.at+s.over*time.Duration(i)/time.Duration(s.count), func() { w.upload(s.kind, s.fate, noExtra) })
			}
		case ping:
			w.at(s.at, func() {
				m := Message{ID: messageID(w.rng, w.instant(w.now)), Body: pingBody, Break: s.wrong}
				w.postStep(nil, m, w.now+w.latency(), s)
			})
		}
	}
}

// tellStep changes the task and posts an event about it. An invalid message does not
// change the task.
func (w *world) tellStep(t *task, s step) {
	features, visible := maps.Clone(t.features), s.kind != ""
	for _, r := range recipes[s.kind] {
		features[r.feature] = r.first()
	}
	for _, c := range s.changes {
		features[c.Name] = c.State
		visible = visible || !model.Internal(c.Name)
	}
	kind := s.eventType
	switch {
	case kind != "":
	case visible:
		kind = eventType(features)
	default:
		kind = typeProgress
	}
	updated := max(w.now, t.updated+time.Microsecond)
	if s.wrong == "" {
		t.features, t.updated = features, updated
	}
	m := Message{ID: messageID(w.rng, w.instant(updated)), Body: w.body(t, kind, features, updated), Break: s.wrong}
	w.postStep(&t.lane, m, max(updated+w.latency(), t.lane.due+time.Millisecond), s)
}

// postStep posts the step's message, delayed or repeated if the step says so.
func (w *world) postStep(l *lane, m Message, due time.Duration, s step) {
	if s.hold > 0 || s.wrong != "" {
		l, due = nil, due+s.hold
	}
	w.post(l, m, due)
	for _, again := range s.repeats {
		w.post(nil, m, due+again)
	}
}
