package terminal

import (
	"bytes"
	"strings"
	"testing"
)

// written is a table as it is written, by lines.
func written(t *testing.T, tab Table, width int) []string {
	t.Helper()
	var buf bytes.Buffer
	if err := tab.Write(&buf, width); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(buf.String(), "\n"), "\n")
}

func TestColumnsAreAlignedByTheCellsTheyTake(t *testing.T) {
	tab := Table{Head: []string{"NAME", "EMPTY", "STATE"}}
	tab.Add("漢字", "", "queued")
	tab.Add("e\u0301te\u0301\x1b[1m", "", "done")
	tab.Add("plain", "", "")
	want := []string{
		"NAME    STATE",
		"漢字    queued",
		"e\u0301te\u0301[1m  done",
		"plain",
	}
	if got := written(t, tab, 80); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestOnlyTheLastColumnIsCut(t *testing.T) {
	tab := Table{Head: []string{"ID", "WORDS"}}
	tab.Add("msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua", strings.Repeat("words ", 20))
	for width, want := range map[int]string{
		60: "msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua  words words words words wo…",
		41: "msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua  words w…",
		20: "msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua  words w…",
	} {
		if got := written(t, tab, width)[1]; got != want {
			t.Errorf("in %d cells: %q, not %q", width, got, want)
		}
	}
}

func TestATableOfEmptyCellsIsEmptyLines(t *testing.T) {
	tab := Table{Head: []string{"A", "B"}}
	tab.Add("", "")
	if got := written(t, tab, 80); strings.Join(got, "|") != "|" {
		t.Errorf("got %q", got)
	}
}
