package demo

import (
	"math"
	"time"

	"aspectop/model"
)

// pool is a pool of workers for some features. Jobs wait in line for a free worker,
// which makes queue times vary.
type pool struct {
	free int
	line []job
}

// job is one run of one feature.
type job struct {
	task    *task
	feature string
	length  time.Duration
	silence time.Duration // extra time because its worker was lost
	ends    model.State
	after   func() // called when it has ended; may be nil
}

// poolOf names the pool that a feature belongs to.
func poolOf(feature string) string {
	switch feature {
	case "visual", "transcription":
		return feature
	}
	return "encode"
}

// staff sizes the pools so that they are mostly busy with rate new tasks per minute of
// the given kinds.
func (w *world) staff(rate float64, of []kind) {
	w.pools = map[string]*pool{"encode": {}, "visual": {}, "transcription": {}}
	load := map[string]float64{} // average seconds of work per task
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

// finish ends the job.
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
