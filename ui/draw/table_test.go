package draw

import (
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestColumnsGiveWayInTheOrderOfTheirRanks(t *testing.T) {
	columns := [][]Size{
		{Whole(0, 4), Extra(4, 8)},
		{Whole(2, 10), Part(5, 20)},
		{Whole(1, 6), Whole(3, 12)},
		{Extra(4, 3)},
	}
	for _, c := range []struct {
		w    int
		want []int
	}{
		{3, []int{0, 0, 0, 3}}, // an extra fits where nothing else does
		{4, []int{4, 0, 0, 0}},
		{14, []int{4, 0, 6, 0}},  // the second was refused, and grows no more
		{20, []int{4, 10, 6, 0}}, // the third was refused 12
		{26, []int{4, 10, 12, 0}},
		{29, []int{4, 13, 12, 0}}, // extras of one rank come together
		{33, []int{8, 10, 12, 3}},
		{36, []int{8, 13, 12, 3}},
		{99, []int{8, 20, 12, 3}},
	} {
		if got := Share(c.w, columns...); !slices.Equal(got, c.want) {
			t.Errorf("%d cells are shared as %v, want %v", c.w, got, c.want)
		}
	}
}

func TestPartsOfOneRankAreSharedEvenly(t *testing.T) {
	three := [][]Size{{Part(0, 5)}, {Part(0, 5)}, {Part(0, 2)}}
	for w, want := range map[int][]int{0: {0, 0, 0}, 7: {2, 2, 2}, 8: {2, 3, 2}, 12: {5, 5, 2}, 50: {5, 5, 2}} {
		if got := Share(w, three...); !slices.Equal(got, want) {
			t.Errorf("%d cells are shared as %v, want %v", w, got, want)
		}
	}
}

func TestACellThatRunsOnTakesThePlaceOfThoseBehindIt(t *testing.T) {
	th := NewTheme("mono")
	put := func(l *Line, s string, w int) { l.Cell(Plain, s, w) }
	table := Table[string]{
		{Title: "LONGTITLE", Sizes: []Size{Whole(0, 5)}, Draw: func(l *Line, s string, _ int) { l.Put(Plain, s) }},
		{Title: "B", Sizes: []Size{Whole(0, 4)}, Draw: func(l *Line, _ string, w int) { put(l, "b", w) }},
		{Title: "GONE", Draw: func(*Line, string, int) { t.Error("a column without room was drawn") }},
		{Title: "C", Right: true, Sizes: []Size{Whole(0, 4)}, Draw: func(l *Line, _ string, w int) { put(l, "c", w) }},
	}
	const w = 20
	table.Arrange(w)
	for got, want := range map[string]string{
		table.Head(th, w):                  "  LONG B     C",
		table.Row(th, w, "a", true):        GlyphCursor + " a    b   c",
		table.Row(th, w, "aaaaa", true):    GlyphCursor + " aaaaa    c",
		table.Row(th, w, "\x1b[2J", false): "  [2J  b   c",
	} {
		if plain := strings.TrimRight(ansi.Strip(got), " "); plain != strings.TrimRight(want, " ") || Cells(ansi.Strip(got)) != w {
			t.Errorf("drawn as %q, %d cells; want %q", plain, Cells(ansi.Strip(got)), want)
		}
	}
}
