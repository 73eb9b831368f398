package source

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"aspectop/feed"
	"aspectop/journal"
	"aspectop/journal/sqlite"
	"aspectop/model"
)

// burst is a server that sends so many events as fast as they are read.
func burst(tb testing.TB, events int) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range events {
			body := envelope(fmt.Sprint("e", i), "task.progress", task(fmt.Sprint("task-", i%1000), time.Unix(1e9+int64(i), 0), "proxy:completed preview:processing visual:queued transcription:queued"))
			if _, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", i+1, body); err != nil {
				return
			}
		}
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	tb.Cleanup(s.Close)
	tb.Cleanup(s.CloseClientConnections)
	return s.URL
}

// onDisk is a journal that syncs, and its history.
func onDisk(tb testing.TB) (kept, *History) {
	var f *feed.Feed
	j, err := sqlite.Open(filepath.Join(tb.TempDir(), "journal.db"), journal.Options{Committed: func(d []model.Delivery) { f.Committed(d) }})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { j.Close() })
	r, err := sqlite.OpenReader(j.Place())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { r.Close() })
	f = feed.New(feed.Options{Journal: r, Sole: true})
	h := NewHistory(f)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		f.Run(ctx)
		close(ended)
	}()
	tb.Cleanup(func() {
		cancel()
		<-ended
	})
	return kept{j, r}, h
}

// BenchmarkBurst takes a burst of 100,000 events from a real server into a journal on the
// disk, beside one read and one commit for each event, as far as 5,000 of them.
func BenchmarkBurst(b *testing.B) {
	const one, all = 5000, 100_000
	for b.Loop() {
		j, h := onDisk(b)
		res, err := http.Get(burst(b, one))
		if err != nil {
			b.Fatal(err)
		}
		events, began := newEvents(res.Body, ""), time.Now()
		for range one {
			m, err := events.next()
			if err != nil {
				b.Fatal(err)
			}
			d, _ := m.delivery()
			if err := h.enter(b.Context(), j, []*model.Delivery{d}); err != nil {
				b.Fatal(err)
			}
		}
		single := one / time.Since(began).Seconds()
		res.Body.Close()

		j, h = onDisk(b)
		s, err := NewStream(StreamConfig{URL: burst(b, all), Journal: j, History: h})
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(b.Context())
		ended := make(chan struct{})
		began = time.Now()
		go func() {
			s.Run(ctx)
			close(ended)
		}()
		var peak uint64
		for last := int64(0); last < all; time.Sleep(20 * time.Millisecond) {
			if _, last, err = j.r.Range(ctx); err != nil {
				b.Fatal(err)
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
		}
		batched := all / time.Since(began).Seconds()
		cancel()
		<-ended
		if ids, err := j.StreamIDs(b.Context()); err != nil || len(ids) != 1 {
			b.Errorf("the position is %v, %v", ids, err)
		}
		b.ReportMetric(single, "single/s")
		b.ReportMetric(batched, "batched/s")
		b.ReportMetric(batched/single, "ratio")
		b.ReportMetric(float64(peak)/(1<<20), "heapMiB")
	}
}
