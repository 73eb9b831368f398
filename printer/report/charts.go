package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"aspectop/model"
	"aspectop/words"
)

// Timeline is a bar of stays for each feature of a task, over one axis. Places are in
// percent of its width.
type Timeline struct {
	Lanes []Lane
	Ticks []Tick
	Says  string // in words, for those who do not see it
}

// Lane is one feature.
type Lane struct {
	Name, State, Class, Glyph string
	Stays                     []Stay
}

// Stay is a time in one state.
type Stay struct {
	At, Width Percent
	Class     string
	Says      string
}

// Tick is a mark on the axis.
type Tick struct {
	At   Percent
	Text string
	Last bool // its text stands before it
}

// Percent is a place or a length in percent of the whole.
type Percent float64

func (p Percent) String() string { return fmt.Sprintf("%.2f%%", float64(p)) }

const (
	leastStay = 0.4 // width of the shortest stay, in percent
	mostStays = 100 // of a feature that are drawn, the last ones
	mostLanes = 40  // features of a timeline
)

// timeline lays the stays of the task's features out, from its creation to its
// newest message, or to now if it goes on.
func (w *wording) timeline(t *model.Task, now time.Time) *Timeline {
	var (
		features = t.Features()
		spans    = make([][]model.Interval, len(features))
		from     = t.Created()
		to       = t.Updated()
	)
	if !t.State().Terminal() {
		to = now
	}
	for i, f := range features {
		spans[i] = t.Timeline(f.Name)
		if n := len(spans[i]); n > mostStays {
			spans[i] = spans[i][n-mostStays:]
		}
		for _, s := range spans[i] {
			if from.IsZero() || s.From.Before(from) {
				from = s.From
			}
			if s.From.After(to) {
				to = s.From
			}
		}
	}
	if from.IsZero() || !to.After(from) {
		return nil
	}
	whole := to.Sub(from)
	at := func(t time.Time) Percent {
		return Percent(min(100, max(0, 100*float64(t.Sub(from))/float64(whole))))
	}
	line := &Timeline{Ticks: ticks(whole), Says: "Timeline over " + Span(whole)}
	for i, f := range features[:min(len(features), mostLanes)] {
		lane := Lane{w.text(f.Name, longestWord), w.state(f.State), class(f.State), f.State.Info().Sign, nil}
		for j, s := range spans[i] {
			last := j == len(spans[i])-1
			if last && s.State.Terminal() {
				lane.Stays = append(lane.Stays, Stay{min(at(s.From), 100-leastStay), leastStay, "end " + class(s.State), w.state(s.State) + " at " + w.moment(s.From)})
				break
			}
			end := s.To
			if end.IsZero() {
				end = to
			}
			if s.State.Terminal() { // it was taken up again
				continue
			}
			begin := at(s.From)
			width := max(leastStay, at(end)-begin)
			lane.Stays = append(lane.Stays, Stay{min(begin, 100-width), width, class(s.State), w.state(s.State) + " for " + Span(end.Sub(s.From))})
		}
		line.Lanes = append(line.Lanes, lane)
	}
	return line
}

// step is the least distance that lays at most so many marks over the whole.
func step(whole time.Duration, most int) time.Duration {
	for _, s := range words.Steps {
		if whole/s <= time.Duration(most) {
			return s
		}
	}
	return words.Steps[len(words.Steps)-1]
}

// ticks are the marks of a timeline: the time since its beginning, and its whole
// length at the end.
func ticks(whole time.Duration) []Tick {
	marks := []Tick{{0, "0", false}}
	every := step(whole, 4)
	for d := every; d <= whole*7/10; d += every {
		marks = append(marks, Tick{Percent(100 * float64(d) / float64(whole)), Span(d), false})
	}
	return append(marks, Tick{100, Span(whole), true})
}

// Columns count over time how many tasks ended, and how.
type Columns struct {
	Columns  []Column
	Step     string // how long a column stands for
	From, To string
	Most     int
	Says     string
}

// Column is a stretch of time. Heights are in percent of the chart's.
type Column struct {
	At, Width         Percent
	Completed, Failed Percent // heights; Failed stands on Completed
	Says              string
}

// Top and FailedTop are the upper edges.
func (c Column) Top() Percent       { return 100 - c.Completed }
func (c Column) FailedTop() Percent { return 100 - c.Completed - c.Failed }

const leastColumns, mostColumns = 12, 60

func (g *gathering) ended() *Columns {
	type end struct {
		at     time.Time
		failed bool
	}
	var ends []end
	for _, kind := range []int{failed, completed} {
		for _, t := range g.kinds[kind] {
			at := t.Updated()
			if at.IsZero() {
				at = t.Heard()
			}
			if g.Since.IsZero() || !at.Before(g.Since) {
				ends = append(ends, end{at, kind == failed})
			}
		}
	}
	if len(ends) == 0 {
		return nil
	}
	earlier := func(a, b end) int { return a.at.Compare(b.at) }
	first, last := slices.MinFunc(ends, earlier).at, slices.MaxFunc(ends, earlier).at
	every := step(last.Sub(first), mostColumns-2)
	first = first.Truncate(every)
	n := int(last.Sub(first)/every) + 1
	if n > mostColumns { // further apart than the longest step tells
		return nil
	}
	if more := leastColumns - n; more > 0 {
		first, n = first.Add(-time.Duration(more)*every), leastColumns
	}
	counts := make([]struct{ completed, failed int }, n)
	most := 0
	for _, e := range ends {
		c := &counts[int(e.at.Sub(first)/every)]
		if e.failed {
			c.failed++
		} else {
			c.completed++
		}
		most = max(most, c.completed+c.failed)
	}
	chart := &Columns{
		Step: strings.Replace(Span(every), ".0\u00a0", "\u00a0", 1), From: g.moment(first), To: g.moment(first.Add(time.Duration(n) * every)), Most: most,
		Says: fmt.Sprintf("Ended tasks over time: %d completed, %d failed", len(g.kinds[completed]), len(g.kinds[failed])),
	}
	width := 100 / Percent(n)
	for i, c := range counts {
		if c.completed+c.failed == 0 {
			continue
		}
		height := func(n int) Percent { return 100 * Percent(n) / Percent(most) }
		chart.Columns = append(chart.Columns, Column{
			At: Percent(i) * width, Width: width, Completed: height(c.completed), Failed: height(c.failed),
			Says: fmt.Sprintf("%s: %d completed, %d failed", g.moment(first.Add(time.Duration(i)*every)), c.completed, c.failed),
		})
	}
	return chart
}
