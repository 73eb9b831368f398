package model

import "testing"

func TestNewestTellsLateAndChangesInTheOrderOfArrival(t *testing.T) {
	board := NewBoard()
	for i, updated := range []string{"12:00:03", "12:00:01", "12:00:05", "12:00:04", "12:00:05"} {
		seq := int64(i + 1)
		features := `"visual":{"state":"queued"},"f` + updated + `":{"state":"na"}`
		e := Decode(&Delivery{Seq: seq, Message: seq, Body: envelope("task.progress", "a", updated, features)})
		var before []Feature
		if task := board.Task("a"); task != nil {
			before = task.Features()
		}
		task := board.Fold(&e)
		late, changes, _ := task.Arrival(seq)
		if got := task.Newest() != seq; got != late {
			t.Errorf("message %d: newest is %d, late is %v", seq, task.Newest(), late)
		}
		if got := Changes(before, task.Features()); len(got) != len(changes) {
			t.Errorf("message %d: changes %v, want %v", seq, got, changes)
		}
	}
}
