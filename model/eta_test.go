package model

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// lived folds n finished tasks whose feature waited 10 s and was processed for
// a minute, and then one task with the features, both told and heard at 12:00.
func lived(t *testing.T, n int, features string) (*Board, *Task) {
	t.Helper()
	var j journal
	for i := range n {
		task := fmt.Sprint("done ", i)
		for _, name := range []string{"visual", "proxy", "scene_detect"} {
			j.arrive("task.progress", task+name, "10:00:00", name+":queued")
			j.arrive("task.progress", task+name, "10:00:10", name+":processing")
			j.arrive("task.completed", task+name, "10:01:10", name+":completed")
		}
	}
	typ := "task.progress"
	if strings.HasPrefix(features, "!") {
		typ, features = "task.completed", features[1:]
	}
	j.arrive(typ, "t", "12:00:00", features)
	b := j.board()
	return b, b.Task("t")
}

func TestTheUsualEndStaysWhereItIsWhenItIsOver(t *testing.T) {
	for features, want := range map[string]time.Duration{
		"visual:queued": 70 * time.Second, "visual:processing": 60 * time.Second, "visual:processing scene_detect:queued": 60 * time.Second,
		"visual:paused": 0, "visual:completed": 0, "visual:processing transcription:processing": 0,
	} {
		b, task := lived(t, 3, features)
		end, ok := b.UsualEnd(task)
		left, eta := b.ETA(task, at("12:00:00"))
		if ok != (want > 0) || ok != eta {
			t.Errorf("%s: known %v, and an ETA %v", features, ok, eta)
		}
		if after := end.Sub(at("12:00:00")); ok && (math.Abs(float64(after-want)) > 0.016*float64(70*time.Second) || left != after) {
			t.Errorf("%s usually ends after %v, with %v left", features, after, left)
		}
	}
}

func TestTheETAIsTheLongestThatAFeatureStillNeeds(t *testing.T) {
	for _, c := range []struct {
		name      string
		intervals int
		features  string
		now       string
		left      time.Duration
		ok        bool
	}{
		{"it waits and is then processed", 3, "visual:queued", "12:00:00", 70 * time.Second, true},
		{"it has waited for a while", 3, "visual:queued", "12:00:04", 66 * time.Second, true},
		{"it has waited for too long", 3, "visual:queued", "12:05:00", 60 * time.Second, true},
		{"it is processed", 3, "visual:processing", "12:00:20", 40 * time.Second, true},
		{"it is overdue", 3, "visual:processing", "12:30:00", 0, true},
		{"the local clock is behind", 3, "visual:processing", "11:00:00", 60 * time.Second, true},
		{"the slowest decides", 3, "visual:processing proxy:queued transcription:completed", "12:00:00", 70 * time.Second, true},
		{"internal features do not", 3, "visual:processing scene_detect:queued", "12:00:00", 60 * time.Second, true},
		{"too few intervals", 2, "visual:processing", "12:00:00", 0, false},
		{"one feature without intervals", 3, "visual:processing transcription:processing", "12:00:00", 0, false},
		{"an unknown state", 3, "visual:paused", "12:00:00", 0, false},
		{"nothing to do", 3, "", "12:00:00", 0, false},
		{"only internal features", 3, "scene_detect:queued", "12:00:00", 0, false},
		{"the task is done", 3, "visual:completed", "12:00:00", 0, false},
		{"the task is done, though a feature goes on", 3, "!visual:processing", "12:00:00", 0, false},
	} {
		b, task := lived(t, c.intervals, c.features)
		left, ok := b.ETA(task, at(c.now))
		if ok != c.ok || math.Abs(float64(left-c.left)) > 0.016*float64(70*time.Second) {
			t.Errorf("%s: %v, %v; want %v, %v", c.name, left, ok, c.left, c.ok)
		}
	}
}

func TestEstimatesFollowWhatIsLearnt(t *testing.T) {
	b, task := lived(t, 3, "visual:processing")
	before, _ := b.ETA(task, at("12:00:00"))
	var j journal
	for i := range 9 {
		j.arrive("task.progress", fmt.Sprint("slow ", i), "10:00:00", "visual:processing")
		j.arrive("task.completed", fmt.Sprint("slow ", i), "10:20:00", "visual:completed")
	}
	for i := range j.deliveries {
		j.deliveries[i].Seq += 1000
		j.deliveries[i].Message += 1000
		e := Decode(&j.deliveries[i])
		b.Fold(&e)
	}
	if after, ok := b.ETA(task, at("12:00:00")); !ok || before > 2*time.Minute || after < 19*time.Minute {
		t.Errorf("the ETA is %v, and %v after slower tasks", before, after)
	}
}

func TestATaskIsStalledWithoutNewsForLongerThanUsual(t *testing.T) {
	for _, c := range []struct {
		name      string
		intervals int
		features  string
		limit     time.Duration
	}{
		{"four times the median", 5, "visual:processing", 4 * time.Minute},
		{"not before a minute", 5, "visual:queued", time.Minute},
		{"an unknown state counts as processing", 5, "visual:paused", 4 * time.Minute},
		{"the most patient feature decides", 5, "visual:processing proxy:queued", 4 * time.Minute},
		{"the most patient, in whatever order", 5, "proxy:processing visual:queued", 4 * time.Minute},
		{"what has ended does not", 5, "visual:completed proxy:queued", time.Minute},
		{"nor do internal features", 5, "visual:queued scene_detect:processing", time.Minute},
		{"with too few intervals, ten minutes", 4, "visual:queued", 10 * time.Minute},
		{"so for a feature that nobody knows", 5, "visual:queued transcription:queued", 10 * time.Minute},
		{"so without features", 5, "", 10 * time.Minute},
	} {
		b, task := lived(t, c.intervals, c.features)
		slack := c.limit / 50 // medians are off by some
		if since, ok := b.Stalled(task, at("12:00:00").Add(c.limit-slack)); ok {
			t.Errorf("%s: stalled since %v, before %v are over", c.name, since, c.limit)
		}
		if since, ok := b.Stalled(task, at("12:00:00").Add(c.limit+slack)); !ok || !since.Equal(at("12:00:00")) {
			t.Errorf("%s: since %v, %v; want stalled since 12:00 after %v", c.name, since, ok, c.limit)
		}
	}
}

func TestADoneTaskIsNeverStalled(t *testing.T) {
	for _, features := range []string{"visual:completed", "visual:failed proxy:processing", "visual:cancelled", "!visual:processing"} {
		b, task := lived(t, 5, features)
		if _, ok := b.Stalled(task, at("23:00:00")); ok {
			t.Errorf("%s is stalled", features)
		}
	}
}
