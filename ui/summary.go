package ui

import (
	"fmt"
	"strings"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/words"
)

// Summary tells in a few lines what the session saw; "" if nothing came.
func (m *Model) Summary() string {
	m.Feed.RLock()
	defer m.Feed.RUnlock()
	c := m.Board.Counters()
	if c.Verified+c.Rejected+c.Duplicate == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d verified, %d rejected, %d duplicate, %d late\n",
		words.Ago(m.Now().Sub(m.Feed.Started())), c.Verified, c.Rejected, c.Duplicate, c.Late)
	var states []string
	for _, s := range model.CountedStates() {
		if n := m.Board.Count(s); n > 0 {
			states = append(states, fmt.Sprintf("%d %s", n, s))
		}
	}
	fmt.Fprintf(&b, "%s: %s\n", words.Count(m.Board.Len(), "task", "tasks"), strings.Join(states, ", "))
	stats := m.Board.Stats()
	for _, name := range m.Features() {
		f := stats.Feature(name)
		if f == nil {
			continue
		}
		var told []string
		if median, ok := f.Processing().Quantile(0.5); ok {
			told = append(told, "median "+words.Ago(median))
		}
		if n := f.In(model.Failed); n > 0 {
			told = append(told, fmt.Sprintf("%d failed", n))
		}
		if len(told) > 0 {
			fmt.Fprintf(&b, "  %-14s %s\n", clean.Text(name), strings.Join(told, ", "))
		}
	}
	return b.String()
}
