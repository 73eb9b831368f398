package printer

import (
	"fmt"
	"io"
	"testing"
	"time"

	"aspectop/feed/feedtest"
	"aspectop/model"
)

// lives are deliveries about tasks that go through ten messages each.
func lives(n int) *memory {
	const messages = 10
	states := []string{"queued", "processing", "completed"}
	m := new(memory)
	for i := range n {
		step := i % messages
		typ := "task.progress"
		if step == messages-1 {
			typ = "task.completed"
		}
		var features []string
		for f, name := range []string{"proxy", "preview", "visual", "transcription"} {
			features = append(features, name, states[min(2, max(0, step-2*f))])
		}
		task := fmt.Sprintf("2e1c7e42-0000-4000-8000-%012d", i/messages)
		m.keep(delivery(fmt.Sprintf("msg_%027d", i), 0, envelope(typ, task, i, features...)))
	}
	return m
}

// BenchmarkRun measures how many events a second are folded silently, and
// printed, from a journal in memory.
func BenchmarkRun(b *testing.B) {
	const n = 50_000
	journal := lives(n)
	for _, c := range []struct {
		name string
		o    Options
	}{
		{"silent", Options{Format: JSON}},
		{"json", Options{Format: JSON, Since: time.Unix(0, 0)}},
		{"plain", Options{Format: Plain, Since: time.Unix(0, 0)}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.o.Out = io.Discard
				if err := upToReady(b.Context(), c.o, journal); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func BenchmarkJSONLine(b *testing.B) { benchmarkLine(b, JSON) }

func BenchmarkSentence(b *testing.B) { benchmarkLine(b, Plain) }

// benchmarkLine measures rendering and writing alone.
func benchmarkLine(b *testing.B, f Format) {
	d := delivery("msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua", 1, envelope("task.progress", taskA, 10, "proxy", "completed", "preview", "completed", "visual", "processing", "transcription", "queued"))
	o := Options{Format: f, Out: io.Discard, Feed: feedtest.Folded(b, []model.Delivery{d})}
	p := newPrinter(o)
	folded, err := o.Feed.Read(b.Context(), 0, 1)
	if err != nil {
		b.Fatal(err)
	}
	task, effect := o.Feed.Effect(folded[0])
	a := &arrival{folded[0], effect, task}
	a.Changes, a.Before = []model.FeatureChange{{Feature: "visual", From: model.Queued, To: model.Processing}}, model.Queued
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.lines.arrival(a)
		if i%100 == 99 {
			p.flush()
		}
	}
}
