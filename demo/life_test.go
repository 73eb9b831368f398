package demo

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aspectop/model"
)

func TestTheMixShowsEveryKindOfLife(t *testing.T) {
	minutes(t, 5, func(t *testing.T, got []arrival) {
		b := board(got)
		seen := map[string]bool{}
		failed := 0
		for i := range b.Len() {
			task := b.At(i)
			states := map[string]string{}
			for _, f := range task.Features() {
				path := ""
				for _, s := range task.Timeline(f.Name) {
					path += string(s.State[:1])
					if s.State == model.Processing && s.Length(task.Updated()) > 100*time.Second {
						seen["stalled"] = true
					}
				}
				states[f.Name] = path
				switch {
				case strings.HasPrefix(path, "qpfqpc"):
					seen["recovered"] = true
				case path == "qpf" && task.State() == model.Failed:
					seen["failed"] = true
				case f.State == model.Cancelled:
					seen["cancelled"] = true
				}
				if model.Internal(f.Name) {
					seen["internal"] = true
				}
			}
			if task.State() == model.Failed {
				failed++
			}
			switch {
			case states["visual"] == "n" && states["proxy"] == "n":
				seen["audio"] = true
			case states["transcription"] == "n" && states["proxy"] == "n":
				seen["image"] = true
			}
		}
		for _, want := range []string{"stalled", "recovered", "failed", "cancelled", "internal", "audio", "image"} {
			if !seen[want] {
				t.Errorf("no task was %s in five minutes", want)
			}
		}
		if share := float64(failed) / float64(b.Len()); share < 0.05 || share > 0.22 {
			t.Errorf("%d of %d tasks failed, want about one of nine", failed, b.Len())
		}
		if !slices.ContainsFunc(got, progressAfterCompletion(got)) {
			t.Error("no internal feature went on after a completion")
		}
	})
}

// progressAfterCompletion finds task.progress about a task that was completed.
func progressAfterCompletion(arrivals []arrival) func(arrival) bool {
	completed := map[string]bool{}
	return func(a arrival) bool {
		if !a.ok || a.event.Task == nil {
			return false
		}
		if a.event.Type == typeCompleted {
			completed[a.event.Task.ID] = true
		}
		return a.event.Type == typeProgress && completed[a.event.Task.ID]
	}
}

func TestEveryLifeKeepsTheOrderOfStatesAndEnds(t *testing.T) {
	for seed := range int64(4) {
		got := play(t, Options{Seed: seed, Tasks: 60})
		checkLives(t, got)
		b := board(got)
		for i := range b.Len() {
			for _, f := range b.At(i).Features() {
				if !f.State.Terminal() {
					t.Errorf("seed %d: %s of task %d is left %s", seed, f.Name, i, f.State)
				}
			}
		}
	}
}

// checkLives fails for each step in the life of a feature that no feature takes.
func checkLives(t *testing.T, got []arrival) {
	t.Helper()
	steps := map[string]bool{
		"queued processing": true, "processing completed": true, "processing failed": true,
		"queued cancelled": true, "processing cancelled": true,
		"failed queued": true, // tried again
	}
	b := board(got)
	for i := range b.Len() {
		task := b.At(i)
		for _, f := range task.Features() {
			spans := task.Timeline(f.Name)
			if s := spans[0].State; s != model.Queued && s != model.NA {
				t.Errorf("%s of task %d begins %s", f.Name, i, s)
			}
			for j := range spans[1:] {
				if step := fmt.Sprint(spans[j].State, " ", spans[j+1].State); !steps[step] {
					t.Errorf("%s of task %d: %s", f.Name, i, step)
				}
			}
		}
	}
}
