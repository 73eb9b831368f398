package demo

import (
	"math"
	"time"

	"aspectop/model"
)

// pool is the workers for some features: as many jobs run at once as there are
// workers, the others wait in line. That is what makes queue times differ.
type pool struct {
	free int
	line []job
}

// job is one run of one feature.
type job struct {
	task    *task
	feature string
	length  time.Duration
	silence time.Duration // how much longer it takes because its worker got lost
	ends    model.State
	after   func() // what happens when it has ended, may be nil
}

// poolOf names the pool that a feature belongs to.
func poolOf(feature string) string {
	switch feature {
	case "visual", "transcription":
		return feature
	}
	return "encode"
}

// staff sets the pools up so that they are busy most of the time with rate new
// tasks a minute of the given kinds.
func (w *world) staff(rate float64, of []kind) {
	w.pools = map[string]*pool{"encode": {}, "visual": {}, "transcription": {}}
	load := map[string]float64{} // seconds of work a task, on average
	for _, k := range of {
		for _, r := range recipes[k] {
			load[poolOf(r.feature)] += float64(r.low+r.high) / 2 / float64(len(of))
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

// work starts as many of the waiting jobs as there are free workers.
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

// fail lets the job fail on the way.
func (j *job) fail() {
	j.ends = model.Failed
	j.length = j.length * time.Duration(30+j.task.rng.IntN(60)) / 100
}

// finish tells how the job ended.
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
