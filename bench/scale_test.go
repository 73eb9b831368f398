//go:build linux

package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"text/tabwriter"
	"time"

	"aspectop/feed"
	"aspectop/journal"
	"aspectop/journal/sqlite"
	"aspectop/model"
)

// sizes are how many tasks there are; each has eventsPerTask events.
var sizes = []int{1_000, 10_000, 100_000}

const eventsPerTask = 10

// scaling are the costs of one size.
type scaling struct {
	write, disk       float64 // µs and bytes beyond body and header lines, an event
	open, ids         float64 // ms until the journal is open, and until the first delivery can be kept
	read, fold, first float64 // ms: reading alone, all folded, the first rows folded
	readCPU, foldCPU  float64 // ms
	heap              float64 // bytes a task
	resident          float64 // MiB of aspectop view with all folded
	word, state       float64 // ms: filtering by a plain word, by a state
}

// scales are the costs as they are printed. Those with a goal have one for the
// greatest size.
var scales = []struct {
	name, format string
	of           func(s scaling, tasks int) float64
	goal         string
}{
	{"writing an event, µs", "%.1f", func(s scaling, _ int) float64 { return s.write }, ""},
	{"disk beyond body and header lines, bytes an event", "%.0f", func(s scaling, _ int) float64 { return s.disk }, "128"},
	{"opening the journal, ms", "%.1f", func(s scaling, _ int) float64 { return s.open }, ""},
	{"until a delivery can be kept, ms", "%.1f", func(s scaling, _ int) float64 { return s.ids }, ""},
	{"reading all events, ms", "%.0f", func(s scaling, _ int) float64 { return s.read }, ""},
	{"CPU time of that, ms", "%.0f", func(s scaling, _ int) float64 { return s.readCPU }, ""},
	{"first rows folded, ms", "%.1f", func(s scaling, _ int) float64 { return s.first }, "1000"},
	{"all events read, decoded and folded, ms", "%.0f", func(s scaling, _ int) float64 { return s.fold }, "4000"},
	{"CPU time of that, ms", "%.0f", func(s scaling, _ int) float64 { return s.foldCPU }, ""},
	{"the same, µs an event", "%.2f", func(s scaling, n int) float64 { return s.foldCPU * 1e3 / float64(n*eventsPerTask) }, ""},
	{"heap with all folded, bytes a task", "%.0f", func(s scaling, _ int) float64 { return s.heap }, ""},
	{"resident memory of aspectop view, MiB", "%.0f", func(s scaling, _ int) float64 { return s.resident }, ""},
	{"filtering all tasks by a plain word, ms", "%.2f", func(s scaling, _ int) float64 { return s.word }, "5"},
	{"filtering all tasks by a state, ms", "%.2f", func(s scaling, _ int) float64 { return s.state }, ""},
}

// BenchmarkScale prints what each cost is with 1,000, 10,000 and 100,000 tasks of
// ten events, and how it grows.
func BenchmarkScale(b *testing.B) {
	for b.Loop() {
		measured := make([]scaling, len(sizes))
		for i, tasks := range sizes {
			measured[i] = measureScale(b, tasks)
		}
		out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.Debug)
		fmt.Fprint(out, "\n\t")
		for _, tasks := range sizes {
			fmt.Fprintf(out, "%d tasks\t", tasks)
		}
		fmt.Fprintln(out, "grows\tgrows\tgoal\t")
		for _, s := range scales {
			fmt.Fprintf(out, "%s\t", s.name)
			values := make([]float64, len(sizes))
			for i, tasks := range sizes {
				values[i] = s.of(measured[i], tasks)
				fmt.Fprintf(out, s.format+"\t", values[i])
			}
			for i := 1; i < len(sizes); i++ {
				fmt.Fprintf(out, "× %.2f\t", values[i]/values[i-1])
			}
			fmt.Fprintf(out, "%s\t\n", s.goal)
		}
		out.Flush()
	}
	b.ReportMetric(0, "ns/op")
}

func measureScale(b *testing.B, tasks int) (s scaling) {
	path := filepath.Join(b.TempDir(), "journal.db")
	events := tasks * eventsPerTask
	begin := time.Now()
	raw := writeJournal(b, path, events)
	s.write = time.Since(begin).Seconds() * 1e6 / float64(events)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	s.disk = float64(info.Size()-raw) / float64(events)

	begin = time.Now()
	j, err := sqlite.Open(path, journal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	s.open = ms(begin)
	if err := j.Ready(b.Context()); err != nil { // which waits for the ids
		b.Fatal(err)
	}
	s.ids = ms(begin)
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}

	r, err := sqlite.OpenReader(path)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	r.OmitHeader()
	begin = time.Now()
	spent := cpuOf(b, os.Getpid())
	for last := int64(0); last < int64(events); {
		found, err := r.After(b.Context(), last, feed.FullBatch)
		if err != nil || len(found) == 0 {
			b.Fatalf("%d deliveries behind %d (%v)", len(found), last, err)
		}
		last = found[len(found)-1].Seq
	}
	s.read, s.readCPU = ms(begin), (cpuOf(b, os.Getpid())-spent).Seconds()*1e3

	before := heap()
	f := feed.New(feed.Options{Journal: r})
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	ended := make(chan struct{})
	begin, spent = time.Now(), cpuOf(b, os.Getpid())
	go func() {
		defer close(ended)
		f.Run(ctx)
	}()
	for version, loading := int64(0), true; loading; version = f.Version() {
		if err := f.Wait(ctx, version); err != nil {
			b.Fatal(err)
		}
		f.RLock()
		loading, _, _ = f.Loading()
		if s.first == 0 && f.Index().Len() > 0 {
			s.first = ms(begin)
		}
		f.RUnlock()
	}
	s.fold, s.foldCPU = ms(begin), (cpuOf(b, os.Getpid())-spent).Seconds()*1e3
	s.heap = (heap() - before) / float64(tasks)
	s.word = filtering(b, f.Board(), "holiday")
	s.state = filtering(b, f.Board(), "state:failed")
	if n := f.Board().Len(); n != tasks {
		b.Fatalf("%d tasks, not %d", n, tasks)
	}
	cancel()
	<-ended
	runtime.KeepAlive(f)
	s.resident = viewed(b, path)
	return s
}

// viewed is the resident memory of aspectop view on a journal, in MiB, when it has
// folded everything: when it has come to rest.
func viewed(b *testing.B, path string) float64 {
	p := startView(b, path)
	defer p.stop(b)
	for spent := time.Duration(-1); ; {
		time.Sleep(time.Second)
		now := cpuOf(b, p.pid())
		if spent >= 0 && now-spent < 30*time.Millisecond {
			return float64(memoryOf(b, p.pid())) / (1 << 20)
		}
		spent = now
	}
}

// writeJournal makes a journal of so many events, and returns how many bytes their
// bodies and header lines have.
func writeJournal(b testing.TB, path string, events int) (raw int64) {
	j, err := sqlite.Open(path, journal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	batch := make([]model.Delivery, 0, 1000)
	for i := range events {
		d := model.Delivery{
			Seq: int64(i + 1), Message: int64(i + 1), Attempt: 1,
			ID: fmt.Sprintf("msg_%027d", i), Source: model.SourceWebhook, Secret: "default",
			Received: start.Add(time.Duration(i) * 20 * time.Millisecond), Body: life(i, events/eventsPerTask),
		}
		d.Header = tunnelled(d.ID)
		raw += int64(len(d.Body))
		for name, values := range d.Header {
			raw += int64(len(name) + len(values[0]) + len(": \r\n"))
		}
		if batch = append(batch, d); len(batch) == cap(batch) || i == events-1 {
			if err := j.Import(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	return raw
}

// life is the body of event i, where each of the tasks has one event in every round.
func life(i, tasks int) []byte {
	task, round := i%tasks, i/tasks
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).Add(time.Duration(i) * 1371 * time.Microsecond).Format("2006-01-02T15:04:05.999999Z")
	state := func(feature int) string {
		return [...]string{"queued", "processing", "completed"}[min(2, max(0, (round-feature)/2))]
	}
	kind := "task.progress"
	if round == eventsPerTask-1 {
		kind = "task.completed"
	}
	return fmt.Appendf(nil, `{"timestamp":"%s","user_id":"5f0c6f0e-6f0a-4f62-9d8e-1c6b3a2d4e5f","event_id":"%s","event_type":"%s",`+
		`"data":{"task":{"id":"%s","asset_id":"%s","features":{"proxy":{"state":"%s"},"preview":{"state":"%s"},"visual":{"state":"%s"},`+
		`"transcription":{"state":"%s"}},"user_id":"5f0c6f0e-6f0a-4f62-9d8e-1c6b3a2d4e5f","created":"2026-11-23T11:59:00.123456Z","updated":"%s"}}}`,
		at, uuid(1, i), kind, uuid(2, task), uuid(3, task), state(0), state(1), state(2), state(3), at)
}

// uuid is a different one for each n, as those of Aspect look.
func uuid(kind, n int) string {
	x := uint64(n)*0x9e3779b97f4a7c15 ^ uint64(kind)<<56
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", uint32(x>>32), uint16(x>>16), x&0xfff, kind, x&0xffffffffffff)
}

// tunnelled are the headers of a delivery that came through cloudflared.
func tunnelled(id string) map[string][]string {
	return map[string][]string{
		"Accept": {"*/*"}, "Accept-Encoding": {"gzip, br"}, "Cdn-Loop": {"cloudflare; loops=1; subreqs=1"},
		"Cf-Connecting-Ip": {"44.228.126.217"}, "Cf-Ipcountry": {"US"}, "Cf-Ray": {"8f1e2d3c4b5a6978-IAD"},
		"Cf-Visitor": {`{"scheme":"https"}`}, "Content-Length": {"551"}, "Content-Type": {"application/json"},
		"Svix-Id": {id}, "Svix-Signature": {"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, "Svix-Timestamp": {"1795435200"},
		"User-Agent":      {"Svix-Webhooks/1.42 (sender-9YMgn; +https://www.svix.com/http-sender/)"},
		"X-Forwarded-For": {"44.228.126.217"}, "X-Forwarded-Proto": {"https"},
	}
}

// filtering is how long a filter takes over all tasks of a board, in ms: the least
// of some tries.
func filtering(b testing.TB, board *model.Board, text string) float64 {
	f, err := model.ParseFilter(text)
	if err != nil {
		b.Fatal(err)
	}
	least := time.Hour
	for range 20 {
		begin := time.Now()
		for i := range board.Len() {
			f.MatchTask(board.At(i), "", begin)
		}
		least = min(least, time.Since(begin))
	}
	return least.Seconds() * 1e3
}

// heap is what is in use after a collection, in bytes.
func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

func ms(since time.Time) float64 { return time.Since(since).Seconds() * 1e3 }
