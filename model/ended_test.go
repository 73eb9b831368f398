package model

import (
	"testing"
	"time"
)

func TestATaskEndsWithTheEventThatEndsIt(t *testing.T) {
	for _, c := range []struct {
		name     string
		messages []string // type, instant, features
		want     string
	}{
		{"active", []string{"p 12:00:00 proxy:queued"}, "00:00:00"},
		{"by an event", []string{"p 12:00:00 proxy:processing", "c 12:01:00 proxy:completed"}, "12:01:00"},
		{"an internal feature goes on", []string{"c 12:01:00 proxy:completed scene_detect:queued", "p 12:02:00 proxy:completed scene_detect:completed"}, "12:01:00"},
		{"by its features alone", []string{"p 12:00:00 proxy:processing", "p 12:01:00 proxy:completed"}, "12:01:00"},
		{"a feature failed, another goes on", []string{"p 12:00:00 proxy:failed visual:processing", "p 12:01:00 proxy:failed visual:completed"}, "12:01:00"},
		{"a feature failed, then the task", []string{"p 12:00:00 proxy:failed visual:processing", "f 12:01:00 proxy:failed visual:completed"}, "12:01:00"},
		{"failed, tried again, and failed by a feature", []string{"f 12:00:00 proxy:failed", "p 12:01:00 proxy:processing", "p 12:02:00 proxy:failed"}, "12:02:00"},
		{"completed, then a feature failed", []string{"c 12:00:00 proxy:completed", "p 12:01:00 proxy:failed"}, "12:01:00"},
		{"in the wrong order", []string{"p 12:02:00 proxy:completed scene_detect:completed", "c 12:01:00 proxy:completed", "p 12:00:00 proxy:processing"}, "12:01:00"},
	} {
		var j journal
		j.tell(c.messages...)
		if got := only(t, j.board()).Ended().Format(time.TimeOnly); got != c.want {
			t.Errorf("%s: it ended at %s, not %s", c.name, got, c.want)
		}
	}
}
