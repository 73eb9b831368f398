package model

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// uuid is a different UUID for each n, as Aspect's ids are.
func uuid(kind, n int) string {
	x := uint64(n)*0x9e3779b97f4a7c15 ^ uint64(kind)<<56
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", uint32(x>>32), uint16(x>>16), x&0xfff, kind, x&0xffffffffffff)
}

// lives are messages about so many tasks, of so many messages each.
func lives(tasks, messages int) []Delivery {
	return livesOf(slices.Repeat([]int{messages}, tasks))
}

// livesOf are messages about one task for each length, in the order of time.
// Tasks overlap as they do in life, so neighbours in the result belong to
// different tasks.
func livesOf(lengths []int) []Delivery {
	var deliveries []Delivery
	start := at("08:00:00")
	names := []string{"proxy", "preview", "visual", "transcription"}
	for m := range slices.Max(lengths) {
		for i, length := range lengths {
			if m >= length {
				continue
			}
			seq := int64(len(deliveries) + 1)
			stamp := start.Add(time.Duration(seq) * 1371 * time.Microsecond).Format("2006-01-02T15:04:05.999999Z")
			var features []string
			for f, name := range names {
				step := min(2, max(0, m-f)) // one after the other: queued, processing, completed
				features = append(features, name+":"+string(States[step].State))
			}
			typ := "task.progress"
			if m == length-1 {
				typ = "task.completed"
			}
			body := fmt.Appendf(nil, `{"timestamp":%q,"user_id":%q,"event_id":%q,"event_type":%q,"data":{"task":{"id":%q,"asset_id":%q,`+
				`"features":{%s},"user_id":%q,"created":"2026-11-23T08:00:00.123456Z","updated":%q}}}`,
				stamp, uuid(1, 1), uuid(2, int(seq)), typ, uuid(3, i), uuid(4, i), told(strings.Join(features, " ")), uuid(1, 1), stamp)
			deliveries = append(deliveries, Delivery{Seq: seq, Message: seq, ID: fmt.Sprint("msg_", seq), Received: start, Body: body})
		}
	}
	return deliveries
}

func decodeAll(deliveries []Delivery) []Event {
	events := make([]Event, len(deliveries))
	for i := range deliveries {
		events[i] = Decode(&deliveries[i])
	}
	return events
}

func perSecond(b *testing.B, n int) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mevents/s")
}

func BenchmarkDecode(b *testing.B) {
	deliveries := lives(1000, 6)
	b.SetBytes(int64(len(deliveries[0].Body)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		Decode(&deliveries[i%len(deliveries)])
	}
}

func BenchmarkFold(b *testing.B) {
	events := decodeAll(lives(20_000, 10))
	for _, order := range []string{"oldest first", "newest first"} {
		b.Run(order, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				board := NewBoard()
				for i := range events {
					if order == "newest first" {
						i = len(events) - 1 - i
					}
					board.Fold(&events[i])
				}
			}
			perSecond(b, len(events))
		})
	}
}

// BenchmarkFoldWithStats looks at the statistics once in so many events, as a
// screen does while it folds a journal.
func BenchmarkFoldWithStats(b *testing.B) {
	events := decodeAll(lives(20_000, 10))
	for _, every := range []int{1_000, 20_000, 200_000} {
		b.Run(fmt.Sprint("every ", every), func(b *testing.B) {
			for b.Loop() {
				board := NewBoard()
				for i := range events {
					board.Fold(&events[len(events)-1-i])
					if (i+1)%every == 0 {
						board.Stats()
					}
				}
			}
			perSecond(b, len(events))
		})
	}
}

// BenchmarkJournal decodes on two goroutines and folds on one of them, as a
// reader of the journal does.
func BenchmarkJournal(b *testing.B) {
	deliveries := lives(5_000, 10)
	const batch = 500
	for b.Loop() {
		board := NewBoard()
		var fold sync.Mutex
		var wg sync.WaitGroup
		for part := range 2 {
			wg.Go(func() {
				for from := part * batch; from < len(deliveries); from += 2 * batch {
					events := decodeAll(deliveries[from:min(from+batch, len(deliveries))])
					fold.Lock()
					for i := range events {
						board.Fold(&events[i])
					}
					fold.Unlock()
				}
			})
		}
		wg.Wait()
	}
	perSecond(b, len(deliveries))
}

// BenchmarkFilter asks 100,000 tasks about one filter.
func BenchmarkFilter(b *testing.B) {
	board := NewBoard()
	for _, e := range decodeAll(lives(100_000, 4)) {
		board.Fold(&e)
	}
	names := make([]string, board.Len())
	for i := range names {
		names[i] = fmt.Sprintf("Interview %06d.mp4", i)
	}
	now := at("20:00:00")
	for _, text := range []string{"state:failed", "state:cancelled,failed", "became:cancelled", "visual:processing", "is:active", "is:stalled", "task:2e1c", "7e42", "failed", "-holiday name:interview", "type:failed", "is:late"} {
		f, err := ParseFilter(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for i := range board.Len() {
					s := target{task: board.At(i), name: names[i], now: now}
					f.match(&s)
				}
			}
		})
	}
}

func BenchmarkStats(b *testing.B) {
	board := NewBoard()
	for _, e := range decodeAll(lives(10_000, 10)) {
		board.Fold(&e)
	}
	b.Run("add a task", func(b *testing.B) {
		b.ReportAllocs()
		s := NewStats()
		for i := 0; b.Loop(); i++ {
			s.Add(board.At(i % board.Len()))
		}
	})
	b.Run("quantile", func(b *testing.B) {
		d := board.Stats().Feature("visual").Processing()
		for b.Loop() {
			d.Quantile(0.95)
		}
	})
}
