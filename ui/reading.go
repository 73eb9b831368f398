package ui

import (
	"maps"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
)

// counters are about this run: what came since the screen was opened.
type counters struct {
	started                             time.Time
	verified, rejected, duplicate, late int
	lost                                int64 // statuses that went by unread
	last                                time.Time
	rate                                rate
}

// frozen is a screen that was stopped with space. Reading stops too, so that
// the journal, not memory, holds what comes meanwhile.
type frozen struct {
	since   int64       // the newest delivery that is shown
	held    *arrivedMsg // the batch that was being read
	history *historyMsg // likewise
	more    int64       // deliveries and refusals since
}

// countedMsg tells where the journal ends, while the screen is frozen.
type countedMsg struct {
	last    int64
	refused int64 // statuses behind the cursor that are refusals
	err     error
}

func (m *Model) opened(msg openedMsg) tea.Cmd {
	m.setTrouble(following, msg.err)
	if msg.err != nil {
		return retry(m.open)
	}
	m.first, m.seen, m.oldest = msg.first, msg.last, msg.last+1
	m.log.refilter(m)
	if msg.last == 0 {
		m.loading = false
		return m.listen()
	}
	return tea.Batch(m.listen(), m.history())
}

func (m *Model) arrived(msg arrivedMsg) tea.Cmd {
	if m.frozen != nil {
		m.frozen.held = &msg
		return m.count()
	}
	m.take(msg)
	return tea.Batch(m.listen(), m.notify())
}

// take folds what came.
func (m *Model) take(msg arrivedMsg) {
	m.at = m.opt.Now()
	m.setTrouble(following, msg.err)
	for i := range msg.arrivals {
		m.seen = max(m.seen, msg.arrivals[i].Seq)
	}
	m.behind = len(msg.arrivals) == batch || msg.err != nil // what was not read waits still
	m.statusSeen = msg.status
	m.run.lost += msg.lost
	running := m.running(msg.arrivals)
	m.fold(msg.arrivals)
	for _, id := range running {
		if t := m.board.Task(id); t != nil && !active(t) {
			m.notices.ended(t)
		}
	}
	for i := range msg.arrivals {
		a := &msg.arrivals[i]
		if a.Received.After(m.run.last) {
			m.run.last = a.Received
		}
		m.run.rate.add(a.Received)
		if a.repeat() {
			m.run.duplicate++
			continue
		}
		m.run.verified++
		if a.Task != nil {
			if late, _, ok := m.board.Task(a.Task.ID).Arrival(a.Seq); ok && late {
				m.run.late++
			}
		}
	}
	for _, s := range msg.statuses {
		m.takeStatus(s)
	}
}

// maxForwards is how many deliveries are remembered with what became of them at
// the user's handlers.
const maxForwards = 4000

func (m *Model) takeStatus(s model.Status) {
	switch {
	case s.Forward != nil: // shown beside the delivery
		m.noteForward(s.Forward)
		return
	case s.Tunnel != nil:
		m.tunnel = s.Tunnel
		// In words for where one line is not enough; the address is told by the
		// header, which knows when to hide it.
		s.Notice = "tunnel " + string(s.Tunnel.State) + ": " + s.Tunnel.Detail
	case s.Viewer != nil:
		s.Notice = s.Viewer.String()
	case s.Rejected != nil:
		m.run.rejected++
	}
	m.log.note(m, s)
}

// noteForward remembers the newest try for a handler.
func (m *Model) noteForward(f *model.Forward) {
	if m.forwards == nil {
		m.forwards = map[int64][]*model.Forward{}
	}
	if len(m.forwards) >= maxForwards {
		old := slices.Sorted(maps.Keys(m.forwards))
		for _, seq := range old[:len(old)/2] {
			delete(m.forwards, seq)
		}
	}
	tries := slices.DeleteFunc(m.forwards[f.Seq], func(other *model.Forward) bool { return other.To == f.To })
	m.forwards[f.Seq] = append(tries, f)
	if m.detail != nil && m.detail.row.seq == f.Seq {
		m.detail.shown.of = contentOf{} // it is read anew
	}
}

// running lists the tasks of the arrivals that have not ended, each once.
func (m *Model) running(arrivals []arrival) (ids []string) {
	seen := map[string]bool{}
	for i := range arrivals {
		if a := &arrivals[i]; a.Task != nil && !seen[a.Task.ID] {
			seen[a.Task.ID] = true
			if t := m.board.Task(a.Task.ID); t == nil || active(t) {
				ids = append(ids, a.Task.ID)
			}
		}
	}
	return ids
}

// fold takes arrivals, in whatever order, into the board and the log.
func (m *Model) fold(arrivals []arrival) {
	for i := range arrivals {
		m.board.Fold(&arrivals[i].Event)
	}
	var c change
	m.board.TakeChanged(func(t *model.Task) { c.tasks = append(c.tasks, int32(t.Index())) })
	m.log.add(m, arrivals)
	m.received.add(arrivals)
	m.tell(c)
}

func (m *Model) historyRead(msg historyMsg) tea.Cmd {
	if m.frozen != nil {
		m.frozen.history = &msg
		return nil
	}
	m.setTrouble(loading, msg.err)
	if msg.err != nil {
		return retry(m.history)
	}
	if len(msg.arrivals) == 0 {
		m.loading = false
		// What passes by its own words passes still; what is late is known only now.
		m.tell(change{all: true, filter: m.filter.asksBoard()})
		return nil
	}
	m.fold(msg.arrivals)
	m.oldest = msg.arrivals[len(msg.arrivals)-1].Seq
	return m.history()
}

// count looks how much waits, while the screen is frozen.
func (m *Model) count() tea.Cmd {
	status := m.statusSeen
	return tea.Tick(time.Second/4, func(time.Time) tea.Msg {
		_, last, err := m.opt.Feed.Range(m.ctx)
		msg := countedMsg{last: last, err: err}
		if m.opt.Status != nil {
			waiting, _, _ := m.opt.Status.After(status)
			for i := range waiting {
				if waiting[i].Rejected != nil {
					msg.refused++
				}
			}
		}
		return msg
	})
}

func (m *Model) counted(msg countedMsg) tea.Cmd {
	if m.frozen == nil {
		return m.listen()
	}
	if msg.err == nil {
		m.frozen.more = max(m.frozen.more, msg.last-m.frozen.since+msg.refused)
	}
	return m.count()
}

// freeze stops the screen, or lets it go on.
func (m *Model) freeze() tea.Cmd {
	if m.frozen == nil {
		m.frozen = &frozen{since: m.seen}
		return nil
	}
	was := m.frozen
	m.frozen = nil
	m.at = m.opt.Now()
	if was.held != nil {
		m.take(*was.held)
	}
	if was.history != nil {
		return m.historyRead(*was.history)
	}
	return nil
}
