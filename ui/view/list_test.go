package view

import (
	"testing"
	"time"

	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/screen"
)

// searched are rows of which more may be found.
type searched struct{ keysOf[string] }

func (searched) Looking() bool { return true }

func TestTheCursorStaysOnItsRowAndTheRowOnItsLine(t *testing.T) {
	now, said := time.Time{}, ""
	sc := &screen.Screen{Options: screen.Options{Now: func() time.Time { return now }}, Say: func(text string) { said = text }}
	l := list[string]{
		rows: keysOf[string]{"a", "b", "c", "d", "e", "f"}, follow: true, none: "none",
		failed: func(_ *screen.Screen, k string) (failed, known bool) { return k == "b" || k == "e", k != "f" },
	}
	l.arrange(sc, 4, 1) // three rows
	at := func(what, key string, line int) {
		t.Helper()
		if l.key != key || l.rows.At(l.Cursor) != key || l.Cursor-l.Top != line {
			t.Errorf("%s: %q is selected on line %d, cursor %d, top %d; want %q on line %d", what, l.key, l.Cursor-l.Top, l.Cursor, l.Top, key, line)
		}
	}
	rows := func(keys ...string) {
		l.rows = keysOf[string](keys)
		l.hold(sc)
	}
	at("at first", "a", 0)
	rows("n", "a", "b", "c", "d", "e", "f")
	at("following", "n", 0)
	if k, _ := l.selected(sc, true); k != "a" {
		t.Errorf("a key pressed at once means %q", k)
	}
	now = now.Add(reaction)
	if k, _ := l.selected(sc, true); k != "n" {
		t.Errorf("a key pressed later means %q", k)
	}
	for range 4 {
		l.Do(sc, keys.Down)
	}
	at("below", "d", 2)
	if l.follow || said == "" {
		t.Errorf("it follows: %v; said %q", l.follow, said)
	}
	l.Do(sc, keys.Up)
	rows("x", "y", "n", "a", "b", "c", "d", "e", "f")
	at("rows came above", "c", 1)
	l.Do(sc, keys.Down)
	rows("d", "x", "y", "n", "a", "b", "c", "e", "f")
	at("the row moved to the top", "d", 0)
	rows("x", "y", "n")
	at("the row went", "x", 0)
	l.rows = searched{keysOf[string]{"p", "q"}}
	if l.hold(sc); l.key != "x" {
		t.Errorf("%q is selected while x may still be found", l.key)
	}
	rows("p", "q", "x")
	at("the row was found again", "x", 2)
	l.Do(sc, keys.Top)
	at("at the top", "p", 0)
	rows("a", "b", "c", "d", "e", "f")
	l.choose(sc, 5)
	l.Do(sc, keys.NextMatch) // around the end
	at("the next failure", "b", 0)
	l.Do(sc, keys.PrevMatch)
	if l.key != "b" || said != "none" { // f is not known
		t.Errorf("the failure before is %q; said %q", l.key, said)
	}
	if !l.Click(sc, 0, 2) || l.key != l.rows.At(l.Top+1) || l.Click(sc, 0, 0) {
		t.Errorf("a click selects %q", l.key)
	}
	rows()
	if _, ok := l.selected(sc, true); ok || l.Window != (draw.Window{}) {
		t.Errorf("nothing is left, and %+v is selected", l.Window)
	}
}
