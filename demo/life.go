package demo

import (
	"math/rand/v2"
	"time"

	"aspectop/model"
)

// kind is a kind of upload: which features it has and how long each of them is
// processed.
type kind string

const (
	video     kind = "video"
	clip      kind = "clip"
	interview kind = "interview"
	audio     kind = "audio"
	image     kind = "image"
)

var kinds = []kind{video, clip, interview, audio, image}

// work is one feature of a kind: its processing time in seconds, drawn between
// two bounds. Without bounds the feature does not apply (na).
type work struct {
	feature   string
	low, high int
}

var recipes = map[kind][]work{
	video:     {{"proxy", 4, 9}, {"preview", 2, 6}, {"visual", 14, 30}, {"transcription", 12, 32}},
	clip:      {{"proxy", 2, 4}, {"preview", 2, 3}, {"visual", 10, 16}, {"transcription", 8, 13}},
	interview: {{"proxy", 6, 10}, {"preview", 3, 6}, {"visual", 22, 40}, {"transcription", 38, 58}},
	audio:     {{"proxy", 0, 0}, {"preview", 2, 4}, {"visual", 0, 0}, {"transcription", 14, 40}},
	image:     {{"proxy", 0, 0}, {"preview", 2, 4}, {"visual", 10, 14}, {"transcription", 0, 0}},
}

// fate is what goes wrong in a life.
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

// extra is an internal feature in a life, if any.
type extra uint8

const (
	noExtra    extra = iota
	alongside        // it runs with the others
	afterwards       // it starts when the task is completed
)

// tick is the grain of a life: Aspect looks at its workers now and then, so
// several features may change at once.
const tick = 250 * time.Millisecond

// in puts what happens to t on the agenda, d from now, at the next tick.
func (w *world) in(d time.Duration, do func()) {
	w.at((w.now + d + tick - 1).Truncate(tick), do)
}

// upload brings a task into being that lives on its own from now on.
func (w *world) upload(k kind, f fate, x extra) {
	t := w.newTask()
	jobs := map[string]job{}
	var long []string // the features that take long enough to go wrong in
	for _, r := range recipes[k] {
		if r.high == 0 {
			w.set(t, r.feature, model.NA)
			continue
		}
		jobs[r.feature] = job{task: t, feature: r.feature, length: seconds(t.rng, r.low, r.high), ends: model.Completed}
		if r.feature == "visual" || r.feature == "transcription" {
			long = append(long, r.feature)
		}
	}
	if x == alongside {
		name := internalFeature(k)
		jobs[name] = job{task: t, feature: name, length: seconds(t.rng, 2, 6), ends: model.Completed}
	}

	ill := long[t.rng.IntN(len(long))]
	j := jobs[ill]
	switch f {
	case fails:
		j.fail()
	case recovers, relapses:
		j.fail()
		j.again = func() { w.retry(t, ill, j.length, f) }
	case stalls:
		// Long enough to be noticed: a task counts as stalled after a minute at least.
		j.silence = seconds(t.rng, 120, 170)
		if t.rng.IntN(2) == 0 {
			j.ends = model.Failed
		}
	case cancelled:
		w.in(seconds(t.rng, 5, 12), func() { w.cancel(t) })
	}
	jobs[ill] = j
	if f == thrives && x == afterwards {
		t.after = func() { w.inspect(t, internalFeature(k)) }
	}

	// In a fixed order: maps have none, and each draw of chance counts.
	for _, name := range append([]string{"proxy", "preview", "visual", "transcription"}, internals...) {
		if j, ok := jobs[name]; ok {
			w.set(t, name, model.Queued)
			w.in(millis(t.rng, 400, 2600), func() { w.enqueue(j) })
		}
	}
}

var internals = []string{"audio_proxy", "scene_detect"}

// internalFeature is what Aspect makes for itself of such an upload.
func internalFeature(k kind) string {
	if k == audio || k == interview {
		return "audio_proxy"
	}
	return "scene_detect"
}

// fail lets the job fail on the way.
func (j *job) fail() {
	j.ends = model.Failed
	j.length = j.length * time.Duration(30+j.task.rng.IntN(60)) / 100
}

// retry queues a failed feature again.
func (w *world) retry(t *task, feature string, length time.Duration, f fate) {
	w.in(seconds(t.rng, 4, 8), func() {
		j := job{task: t, feature: feature, length: length, ends: model.Completed}
		if f == relapses {
			j.fail()
		}
		w.set(t, feature, model.Queued)
		w.in(millis(t.rng, 800, 2600), func() { w.enqueue(j) })
	})
}

// cancel ends all features that have not ended yet.
func (w *world) cancel(t *task) {
	for _, r := range recipes[video] {
		if s := t.features[r.feature]; s != "" && !s.Terminal() {
			w.set(t, r.feature, model.Cancelled)
		}
	}
	for _, name := range internals {
		if s := t.features[name]; s != "" && !s.Terminal() {
			w.set(t, name, model.Cancelled)
		}
	}
}

// inspect runs an internal feature on a completed task.
func (w *world) inspect(t *task, feature string) {
	w.in(millis(t.rng, 800, 2500), func() {
		w.set(t, feature, model.Queued)
		j := job{task: t, feature: feature, length: seconds(t.rng, 2, 6), ends: model.Completed}
		w.in(millis(t.rng, 400, 1500), func() { w.enqueue(j) })
	})
}

// seconds draws a duration between two numbers of seconds.
func seconds(r *rand.Rand, low, high int) time.Duration {
	return millis(r, low*1000, high*1000)
}
