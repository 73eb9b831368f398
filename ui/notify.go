package ui

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/words"
)

type tickMsg time.Time

// tick wakes the screen once a second, or twice while something moves.
func (m *Model) tick() tea.Cmd {
	d := time.Second
	if !m.ReducedMotion && m.Board.Count(model.Processing) > 0 {
		d = time.Second / 2
	}
	return tea.Tick(d, func(t time.Time) tea.Msg { return tickMsg(t) })
}

func (m *Model) ticked() tea.Cmd {
	m.Beat++
	if !m.Frozen() {
		m.At = m.Now()
	}
	m.lookForStalled()
	m.filterAgain()
	m.wantNames()
	return tea.Batch(m.tick(), m.notify())
}

func (m *Model) wantNames() {
	if m.Names == nil {
		return
	}
	var assets []string
	for _, t := range m.tasks.Visible(m.Screen, 2*m.H) {
		assets = append(assets, t.AssetID())
	}
	if s := m.pointed(); s.Task != nil {
		assets = append(assets, s.Task.AssetID())
	}
	m.Names.Want(assets...)
}

// stalledEvery is how often all tasks are searched for stalled ones.
const stalledEvery = 5 * time.Second

// notices collects what --notify reports: tasks that ended or stalled, once per frame.
type notices struct {
	tasks   map[model.State][]string // ids, by the state they ended in, or stalled
	stalls  model.Stalls
	looked  time.Time
	started time.Time
}

const stalled = model.State("stalled")

func (n *notices) add(t *model.Task, s model.State) {
	if n.tasks == nil {
		n.tasks = map[model.State][]string{}
	}
	n.tasks[s] = append(n.tasks[s], t.ID())
}

func (m *Model) lookForStalled() {
	n := &m.notices
	if m.Frozen() || m.At.Sub(n.looked) < stalledEvery {
		return
	}
	var more []*model.Task
	n.looked = m.At
	m.stalled, more = n.stalls.Look(m.Feed.Board(), m.At)
	if !m.Notify || m.At.Sub(n.started) <= stalledEvery {
		return // what had stalled before the screen was opened is no news
	}
	for _, t := range more {
		n.add(t, stalled)
	}
}

// notify rings and sends a notice by OSC 9 if there is something to tell.
func (m *Model) notify() tea.Cmd {
	n := &m.notices
	var told []string
	for _, s := range append(model.CountedStates(), stalled) {
		switch ids := n.tasks[s]; len(ids) {
		case 0:
		case 1:
			id, _, _ := draw.Fit(draw.Short(ids[0], 8), 40)
			told = append(told, "task "+id+" "+string(s))
		default:
			told = append(told, fmt.Sprintf("%d tasks %s", len(ids), s))
		}
	}
	n.tasks = nil
	if !m.Notify || len(told) == 0 {
		return nil
	}
	return tea.Raw("\a\x1b]9;aspectop: " + clean.Text(strings.Join(told, ", ")) + "\x1b\\")
}

// Summary tells in a few lines what the session saw; "" if nothing came.
func (m *Model) Summary() string {
	m.Feed.RLock()
	defer m.Feed.RUnlock()
	c := m.Board.Counters()
	if c.Verified+c.Unsigned+c.Rejected+c.Duplicate == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d verified, %s%d rejected, %d duplicate, %d late\n",
		words.Ago(m.Now().Sub(m.Feed.Started())), c.Verified, words.Unsigned(c.Unsigned), c.Rejected, c.Duplicate, c.Late)
	var states []string
	for _, s := range model.CountedStates() {
		if n := m.Board.Count(s); n > 0 {
			states = append(states, fmt.Sprintf("%d %s", n, s))
		}
	}
	fmt.Fprintf(&b, "%s: %s\n", words.Count(m.Board.Len(), "task", "tasks"), strings.Join(states, ", "))
	var failed, medians []string // the four documented features come first
	stats := m.Board.Stats()
	for _, name := range stats.Features() {
		f := stats.Feature(name)
		name = words.Name(clean.Text(name))
		if n := f.In(model.Failed); n > 0 {
			failed = append(failed, fmt.Sprintf("%s %d", name, n))
		}
		if median, ok := f.Processing().Quantile(0.5); ok {
			medians = append(medians, name+" "+words.Ago(median))
		}
	}
	few := func(told string, of []string) {
		const most = 4
		if more := len(of) - most; more > 0 {
			of = append(of[:most], fmt.Sprintf("and %d more", more))
		}
		if len(of) > 0 {
			fmt.Fprintf(&b, "%s: %s\n", told, strings.Join(of, ", "))
		}
	}
	few("failed features", failed)
	few("median processing time", medians)
	return b.String()
}
