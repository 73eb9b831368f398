package demo

import (
	"math/rand/v2"
	"time"

	"aspectop/model"
)

// kind is a kind of upload, which determines its features and their durations.
type kind string

const (
	video     kind = "video"
	clip      kind = "clip"
	interview kind = "interview"
	audio     kind = "audio"
	image     kind = "image"
)

var kinds = []kind{video, clip, interview, audio, image}

// work is a feature of a kind, with the bounds of its processing time in seconds. If
// both are 0 the feature is na.
type work struct {
	feature   string
	low, high int
}

// first is the feature's initial state.
func (r work) first() model.State {
	if r.high == 0 {
		return model.NA
	}
	return model.Queued
}

var recipes = map[kind][]work{
	video:     {{"proxy", 4, 9}, {"preview", 2, 6}, {"visual", 14, 30}, {"transcription", 12, 32}},
	clip:      {{"proxy", 2, 4}, {"preview", 2, 3}, {"visual", 10, 16}, {"transcription", 8, 13}},
	interview: {{"proxy", 6, 10}, {"preview", 3, 6}, {"visual", 22, 40}, {"transcription", 38, 58}},
	audio:     {{"proxy", 0, 0}, {"preview", 2, 4}, {"visual", 0, 0}, {"transcription", 14, 40}},
	image:     {{"proxy", 0, 0}, {"preview", 2, 4}, {"visual", 10, 14}, {"transcription", 0, 0}},
}

// fate is what goes wrong with a task.
type fate string

const (
	thrives   fate = "completes" // nothing
	fails     fate = "fails"     // one feature fails
	recovers  fate = "recovers"  // one fails, is queued again, and completes
	relapses  fate = "relapses"  // one fails, is queued again, and fails again
	cancelled fate = "cancelled" // somebody cancels it on the way
	stalls    fate = "stalls"    // one feature makes no progress for minutes
)

var fates = []fate{thrives, fails, recovers, relapses, cancelled, stalls}

// extra is an internal feature of a task.
type extra uint8

const (
	noExtra    extra = iota
	alongside        // runs with the others
	afterwards       // starts when the task is completed
)

// tick is the time resolution: Aspect polls its workers, so several features may change
// at once.
const tick = 250 * time.Millisecond

// in schedules an action at the first tick after d.
func (w *world) in(d time.Duration, do func()) {
	w.at((w.now + d + tick - 1).Truncate(tick), do)
}

// upload creates a task and schedules its life.
func (w *world) upload(k kind, f fate, x extra) {
	t := w.newTask()
	var jobs []job
	for _, r := range recipes[k] {
		w.set(t, r.feature, r.first())
		if r.high > 0 {
			jobs = append(jobs, job{task: t, feature: r.feature, length: seconds(t.rng, r.low, r.high), ends: model.Completed})
		}
	}
	w.befall(t, f, pick(jobs, t.rng))
	switch x {
	case alongside:
		j := internalJob(t, k)
		w.set(t, j.feature, model.Queued)
		jobs = append(jobs, j)
	case afterwards:
		t.after = func() { w.restart(internalJob(t, k), millis(t.rng, 800, 2500)) }
	}
	for _, j := range jobs {
		w.in(millis(t.rng, 400, 2600), func() { w.enqueue(j) })
	}
}

// befall applies the fate f to the job j of the task t.
func (w *world) befall(t *task, f fate, j *job) {
	switch f {
	case fails:
		j.fail()
	case recovers, relapses:
		again := *j
		j.fail()
		if f == relapses {
			again.fail()
		}
		j.after = func() { w.restart(again, seconds(t.rng, 4, 8)) }
	case cancelled:
		w.in(seconds(t.rng, 4, 9), func() { w.cancel(t) })
	case stalls:
		// Long enough to be noticed: a task is stalled after a minute at the earliest.
		j.silence = seconds(t.rng, 120, 170)
		if t.rng.IntN(2) == 0 {
			j.ends = model.Failed
		}
	}
}

// restart queues an inactive feature after a pause.
func (w *world) restart(j job, pause time.Duration) {
	w.in(pause, func() {
		w.set(j.task, j.feature, model.Queued)
		w.in(millis(j.task.rng, 800, 2600), func() { w.enqueue(j) })
	})
}

// cancel ends all features that have not ended yet.
func (w *world) cancel(t *task) {
	for name, s := range t.features {
		if !s.Terminal() {
			w.set(t, name, model.Cancelled)
		}
	}
}

// internalJob is the job of an internal feature.
func internalJob(t *task, k kind) job {
	feature := "scene_detect"
	if k == audio || k == interview {
		feature = "audio_proxy"
	}
	return job{task: t, feature: feature, length: seconds(t.rng, 2, 6), ends: model.Completed}
}

// pick chooses the job in which something goes wrong, weighted by length.
func pick(jobs []job, r *rand.Rand) *job {
	var total time.Duration
	for _, j := range jobs {
		total += j.length
	}
	at := time.Duration(r.Int64N(int64(total)))
	for i := range jobs {
		if at -= jobs[i].length; at < 0 {
			return &jobs[i]
		}
	}
	panic("not reached: at is within the total")
}

// millis is a random duration between two numbers of milliseconds.
func millis(r *rand.Rand, low, high int) time.Duration {
	return time.Duration(low*1000+r.IntN((high-low)*1000)) * time.Microsecond
}

// seconds is a random duration between two numbers of seconds.
func seconds(r *rand.Rand, low, high int) time.Duration { return millis(r, low*1000, high*1000) }
