package demo

import (
	"math"
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

// outcome is what goes wrong with a task.
type outcome string

const (
	completes  outcome = "completes" // nothing
	fails      outcome = "fails"     // one feature fails
	recovers   outcome = "recovers"  // one fails, is queued again, and completes
	failsAgain outcome = "relapses"  // one fails, is queued again, and fails again
	cancelled  outcome = "cancelled" // the user cancels it on the way
	stalls     outcome = "stalls"    // one feature makes no progress for minutes
)

var outcomes = []outcome{completes, fails, recovers, failsAgain, cancelled, stalls}

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

func (w *world) upload(k kind, o outcome, x extra) {
	t := w.newTask()
	var jobs []job
	for _, r := range recipes[k] {
		w.set(t, r.feature, r.first())
		if r.high > 0 {
			jobs = append(jobs, job{task: t, feature: r.feature, length: seconds(t.rng, r.low, r.high), ends: model.Completed})
		}
	}
	w.apply(o, t, pick(jobs, t.rng))
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

func (w *world) apply(o outcome, t *task, j *job) {
	switch o {
	case fails:
		j.fail()
	case recovers, failsAgain:
		again := *j
		j.fail()
		if o == failsAgain {
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
	i := 0
	for at -= jobs[0].length; at >= 0; at -= jobs[i].length {
		i++
	}
	return &jobs[i]
}

func millis(r *rand.Rand, low, high int) time.Duration {
	return time.Duration(low*1000+r.IntN((high-low)*1000)) * time.Microsecond
}

func seconds(r *rand.Rand, low, high int) time.Duration { return millis(r, low*1000, high*1000) }

// pool is a pool of workers for some features. Jobs wait in line for a free worker,
// which makes queue times vary.
type pool struct {
	free int
	line []job
}

type job struct {
	task    *task
	feature string
	length  time.Duration
	silence time.Duration // extra time because its worker was lost
	ends    model.State
	after   func() // called when it has ended; may be nil
}

func poolOf(feature string) string {
	if feature == "visual" || feature == "transcription" {
		return feature
	}
	return "encode"
}

// sizePools keeps them mostly busy with rate new tasks of the mix per minute.
func (w *world) sizePools(rate float64) {
	w.pools = map[string]*pool{"encode": {}, "visual": {}, "transcription": {}}
	load := map[string]float64{} // average seconds of work per task
	for _, k := range mixKinds {
		for _, r := range recipes[k] {
			load[poolOf(r.feature)] += float64(r.low+r.high) / 2 / float64(len(mixKinds))
		}
	}
	for name, p := range w.pools {
		p.free = max(2, int(math.Ceil(load[name]*rate/60/0.95)))
	}
}

// enqueue puts the job in line, or starts it if a worker is free.
func (w *world) enqueue(j job) {
	p := w.pools[poolOf(j.feature)]
	p.line = append(p.line, j)
	w.work(p)
}

// work starts waiting jobs while there are free workers.
func (w *world) work(p *pool) {
	for p.free > 0 && len(p.line) > 0 {
		j := p.line[0]
		p.line = p.line[1:]
		if j.task.features[j.feature] != model.Queued {
			continue // cancelled while it waited
		}
		p.free--
		w.set(j.task, j.feature, model.Processing)
		w.in(j.length, func() {
			p.free++
			w.work(p)
			if j.silence == 0 {
				w.finish(j)
			}
		})
		if j.silence > 0 {
			w.in(j.length+j.silence, func() { w.finish(j) })
		}
	}
}

// fail makes the job fail before its end.
func (j *job) fail() {
	j.ends = model.Failed
	j.length = j.length * time.Duration(30+j.task.rng.IntN(60)) / 100
}

func (w *world) finish(j job) {
	if j.task.features[j.feature] != model.Processing {
		return // cancelled on the way
	}
	w.set(j.task, j.feature, j.ends)
	if j.after != nil {
		j.after()
	}
	if t := j.task; t.after != nil && eventType(t.features) == typeCompleted {
		t.after()
		t.after = nil
	}
}
