package journaltest

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"aspectop/journal"
	"aspectop/model"
)

// Copies copies a journal from one location to another, in two steps, and compares
// them.
func Copies(t *testing.T, from, to Location) {
	j := open(t, from, journal.Options{})
	for _, d := range []*model.Delivery{delivery("msg_1", "{}"), delivery("msg_2", ""), delivery("msg_1", "{}"), delivery("caf\xe9", "x")} {
		appendTo(t, j, d)
	}
	save(t, j, "a", 2, outcome(4, "http://a"))
	reject(t, j, rejection(1))
	source := read(t, from)
	half := open(t, to, journal.Options{})
	first, err := source.After(t.Context(), 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := half.Import(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if err := half.Import(t.Context(), first); err == nil {
		t.Error("the same numbers were imported twice")
	}
	var told []string
	if err := journal.Copy(t.Context(), source, half, func(done, last int64) { told = append(told, fmt.Sprint(done, "/", last)) }); err != nil {
		t.Fatal(err)
	}
	if want := []string{"2/4", "4/4"}; !slices.Equal(told, want) {
		t.Errorf("progress %v, want %v", told, want)
	}
	target := read(t, to)
	if got, want := all(t, target), all(t, source); !reflect.DeepEqual(got, want) {
		t.Errorf("copied\n%v\nof\n%v", got, want)
	}
	if cursor, known, err := target.ForwardCursor(t.Context(), "a"); cursor != 2 || !known || err != nil {
		t.Errorf("the cursor is %d, %v, %v", cursor, known, err)
	}
	if got, err := target.Forwards(t.Context(), 4); len(got) != 1 || !reflect.DeepEqual(got[0], outcome(4, "http://a")) || err != nil {
		t.Errorf("the outcome is %+v, %v", got, err)
	}
	if found := rejections(t, target, 10); len(found) != 0 {
		t.Errorf("%d rejected requests were copied", len(found))
	}
	if d := appendTo(t, half, delivery("msg_1", "{}")); d.Seq != 5 || d.Message != 1 || d.Attempt != 3 {
		t.Errorf("a repeat in the copy: %+v", d)
	}
}
