package ui

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// What counts nothing gives way first, from the right, and a word at a time.
func TestTheHeaderKeepsAsManyCountsAsFit(t *testing.T) {
	labels := []string{"0 rejected", "0 duplicate", "0 late"}
	seen := map[int]bool{}
	onScreen(t, 80, 24, uploads(), func(s *terminal) {
		for w := 80; w <= 140; w++ {
			s.send(tea.WindowSizeMsg{Width: w, Height: 24})
			counters := strings.Split(s.frame(), "\n")[1]
			n := 0
			for n < len(labels) && strings.Contains(counters, labels[n]) {
				n++
			}
			seen[n] = true
			free := w - ansi.StringWidth(strings.TrimRight(counters, " "))
			if n < len(labels) && strings.Contains(counters, "this run") && free >= len("  "+labels[n]) {
				t.Errorf("there is room for %q in %q", labels[n], counters)
			}
			for _, later := range labels[min(n+1, len(labels)):] {
				if strings.Contains(counters, later) {
					t.Errorf("%q stands without what comes before it: %q", later, counters)
				}
			}
		}
	})
	if len(seen) != len(labels)+1 {
		t.Errorf("of the counts there were only %v", seen)
	}
}

func TestTheNameOfASecretStandsInQuotes(t *testing.T) {
	onScreen(t, 120, 24, uploads(), func(s *terminal) {
		s.shows(`secrets "default", "old"`)
		s.send(tea.WindowSizeMsg{Width: 80, Height: 24})
		s.shows("  2 secrets")
		s.press("P")
		s.hides("secret")
	}, func(o *options) { o.Secrets = []string{"default", "old"} })
}

func TestTheHeaderKeepsAsManyWordsOfStatesAsFit(t *testing.T) {
	words := []string{"processing", "completed", "failed", "cancelled"}
	seen := map[int]bool{}
	onScreen(t, 80, 24, uploads(), func(s *terminal) {
		for w := 50; w <= 110; w++ {
			s.send(tea.WindowSizeMsg{Width: w, Height: 24})
			counters := strings.Split(s.frame(), "\n")[1]
			n := 0
			for n < len(words) && strings.Contains(counters, " "+words[n]) {
				n++
			}
			seen[n] = true
			free := w - ansi.StringWidth(strings.TrimRight(counters, " "))
			if n < len(words) && strings.Contains(counters, "verified") && free > len(words[n]) {
				t.Errorf("there is room for %q in %q", words[n], counters)
			}
		}
	})
	if len(seen) != len(words)+1 {
		t.Errorf("of the words there were only %v", seen)
	}
}
