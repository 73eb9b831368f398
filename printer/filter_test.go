package printer

import (
	"strings"
	"testing"
	"time"

	"aspectop/model"
)

func TestTheFilterPicksEventsDuplicatesAndRejections(t *testing.T) {
	// Of the script: how many event, duplicate and rejected lines are left.
	for text, want := range map[string][3]int{
		"":                       {10, 2, 1},
		"is:late":                {1, 0, 0},
		"is:duplicate":           {0, 2, 0},
		"is:rejected":            {0, 0, 1},
		"is:done":                {2, 1, 0}, // as the task is when the line is printed
		"task:77aa":              {3, 1, 0},
		"task:77aa -is:dup":      {3, 0, 0},
		"type:ping":              {1, 0, 0},
		"no_match":               {0, 0, 1},
		"visual:failed":          {1, 1, 0},
		"-is:rejected -task:2e1": {6, 1, 0},
	} {
		filter, err := model.ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range []Format{Plain, JSON} {
			printed := script(t, Options{Format: format, Filter: filter, Since: noon.Add(-time.Hour)})
			if format == Plain {
				if n, want := strings.Count(printed, "\n"), want[0]+want[1]+want[2]+10; n != want {
					t.Errorf("filter %q: %d sentences, want %d with receiving, ready, notice, end, two each of the tunnel, forwards and viewers:\n%s", text, n, want, printed)
				}
				if !strings.Contains(printed, "7 verified, 2 unsigned, 1 rejected, 2 duplicate, 1 late") {
					t.Errorf("filter %q: the end counts otherwise:\n%s", text, printed)
				}
				continue
			}
			got := [3]int{strings.Count(printed, `"type":"event"`), strings.Count(printed, `"type":"duplicate"`), strings.Count(printed, `"type":"rejected"`)}
			if got != want {
				t.Errorf("filter %q: %v, want %v:\n%s", text, got, want, printed)
			}
		}
	}
}

func TestARepeatWhoseMessageWasRemovedIsStillPrinted(t *testing.T) {
	for _, format := range []Format{Plain, JSON} {
		printed := perform(t, Options{Format: format}, nil, func(s *stage) {
			s.at(1, func() { s.journal.keep(repeat(99, "msg_gone", 3, 1)) })
		})
		if want := [...]string{"12:00:01  message msg_gone: duplicate; arrival 3 of #99\n", `"seq":99,"id":"msg_gone","attempt":3,"secret":"default","differs":false}`}[format]; !strings.Contains(printed, want) {
			t.Errorf("no %s in\n%s", want, printed)
		}
	}
}
