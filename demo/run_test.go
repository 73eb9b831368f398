package demo

import (
	"testing"
	"time"
)

func TestEveryPostOfTheMixVerifies(t *testing.T) {
	got := play(t, Options{Seed: 1, Duration: time.Minute})
	if len(got) < 50 {
		t.Errorf("only %d posts in a minute", len(got))
	}
	for _, a := range got {
		if !a.ok {
			t.Errorf("the Svix library refuses %s", a.id())
		}
	}
}
