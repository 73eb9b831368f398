package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"aspectop/model"
)

// Feature is one feature over all tasks of the report.
type Feature struct {
	Name                string
	Tasks, Failed, Busy int // Busy: queued or processing
	Success             Share
	Queued, Processing  Spread
}

// Share is how many of all; zero if there are none.
type Share struct {
	Text    string
	Percent Percent
}

// Spread is how long something took for half of all and for 19 of 20, on a scale
// that all features share; zero if that is not known.
type Spread struct {
	Median, Long   string
	MedianAt, Rest Percent // the bar up to the median, and from there
	Millis         int64   // of the median, to sort by
}

func (g *gathering) features() []Feature {
	names := g.stats.Features()
	if len(names) > mostLanes {
		names = names[:mostLanes]
	}
	var queued, processing time.Duration // the longest ones
	for _, name := range names {
		f := g.stats.Feature(name)
		q, _ := f.Queued().Quantile(0.95)
		p, _ := f.Processing().Quantile(0.95)
		queued, processing = max(queued, q), max(processing, p)
	}
	var features []Feature
	for _, name := range names {
		f := g.stats.Feature(name)
		row := Feature{
			Name: g.text(name, longestWord), Tasks: f.Tasks(), Failed: f.In(model.Failed),
			Busy:   f.In(model.Queued) + f.In(model.Processing),
			Queued: spread(f.Queued(), queued), Processing: spread(f.Processing(), processing),
		}
		if rate, ok := f.SuccessRate(); ok {
			row.Success = Share{percent(f.In(model.Completed), f.In(model.Completed)+f.In(model.Failed)), Percent(100 * rate)}
		}
		features = append(features, row)
	}
	return features
}

func spread(d *model.Durations, longest time.Duration) Spread {
	median, ok := d.Quantile(0.5)
	if !ok {
		return Spread{}
	}
	long, _ := d.Quantile(0.95)
	s := Spread{Median: Span(median), Long: Span(long), Millis: median.Milliseconds()}
	if longest > 0 {
		s.MedianAt = 100 * Percent(median) / Percent(longest)
		s.Rest = 100*Percent(long)/Percent(longest) - s.MedianAt
	}
	return s
}

// Slow is a task that took long, and where the time went.
type Slow struct {
	Row
	Longest string // the feature and its state
	Bar     Percent
}

const mostSlow = 10

// slowest are the tasks that took longest, of those that have ended.
func (g *gathering) slowest() []Slow {
	type ended struct {
		task *model.Task
		kind int
		took time.Duration
	}
	slower := func(a, b ended) int {
		return cmp.Or(cmp.Compare(b.took, a.took), cmp.Compare(a.task.Index(), b.task.Index()))
	}
	var most []ended // slowest first
	for _, kind := range []int{failed, completed} {
		for _, t := range g.kinds[kind] {
			d, ok := took(t, g.Now)
			if !ok || d == 0 || len(most) == mostSlow && d < most[mostSlow-1].took {
				continue
			}
			e := ended{t, kind, d}
			i, _ := slices.BinarySearchFunc(most, e, slower)
			if most = slices.Insert(most, i, e); len(most) > mostSlow {
				most = most[:mostSlow]
			}
		}
	}
	var slow []Slow
	for _, e := range most {
		slow = append(slow, Slow{g.row(e.task, e.kind), g.longest(e.task), 100 * Percent(e.took) / Percent(most[0].took)})
	}
	return slow
}

func (g *gathering) longest(t *model.Task) string {
	var (
		name   string
		state  model.State
		length time.Duration
	)
	for _, f := range t.Features() {
		for _, s := range t.Timeline(f.Name) {
			if d := s.Length(t.Updated()); !s.State.Terminal() && d > length {
				name, state, length = f.Name, s.State, d
			}
		}
	}
	if name == "" {
		return ""
	}
	return g.text(name, longestWord) + " " + g.state(state) + " for " + Span(length)
}

// percent is n of all. Only all of it is 100 %, and only nothing is 0 %.
func percent(n, all int) string {
	p := (n*200 + all) / (2 * all)
	switch {
	case n > 0 && p == 0:
		p = 1
	case n < all && p == 100:
		p = 99
	}
	return fmt.Sprintf("%d\u00a0%%", p)
}
