//go:build linux

package bench

import (
	"bufio"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

var (
	soakTime = flag.Duration("soak", 0, "how long TestSoak receives deliveries; 0: it does not")
	soakRate = flag.Int("soakrate", 50, "deliveries a second of TestSoak")
)

const (
	soakSamples = 60
	soakBuffer  = 1000 // deliveries are signed shortly before they are due
)

// soaked is the state of the program at one moment.
type soaked struct {
	after    time.Duration
	kept     float64
	resident float64 // bytes, as all that follows up to the counts
	live     float64 // of the heap at its last collection
	heap     float64 // taken for the heap, with what is free for the next
	otherGo  float64 // stacks and the runtime's own
	beside   float64 // what is not Go's: SQLite's, and the program itself
	threads  float64
	routines float64
	files    float64
	cpu      time.Duration
}

// TestSoak receives deliveries with the screen open and prints what the program
// takes meanwhile, and how that grows with each message. It fails if a delivery
// is not kept, or if something other than memory and CPU time grows.
func TestSoak(t *testing.T) {
	if *soakTime == 0 {
		t.Skip("make soak runs it, and the gate for six seconds")
	}
	p := startWatch(t, withScreen)
	defer p.stop(t)
	time.Sleep(time.Second) // until all of it is there
	posted := make(chan error, 1)
	begin := time.Now()
	total := int(soakTime.Seconds() * float64(*soakRate))
	go func() { posted <- postSteadily(p.receiver, total) }()

	var samples []soaked
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.Debug)
	fmt.Fprintf(out, "\nafter\tkept\tMiB resident\tlive heap\tfree heap\tGo, rest\tbeside Go\tgoroutines\tthreads\tfiles\t%% of a core\t\n")
	every := max(*soakTime/soakSamples, time.Second)
	for next := begin; ; next = next.Add(every) {
		var err error
		ended := false
		select {
		case err = <-posted:
			ended = true
		case <-time.After(time.Until(next)):
		}
		if err != nil {
			t.Fatal(err)
		}
		s := sampleOf(t, p)
		s.after = time.Since(begin)
		samples = append(samples, s)
		if n := len(samples); n == 1 || ended || n%(soakSamples/12) == 0 {
			printSoaked(out, samples)
		}
		if ended {
			break
		}
	}
	last := samples[len(samples)-1]
	if int(last.kept) != total {
		t.Errorf("%d deliveries were posted, %.0f kept", total, last.kept)
	}
	later := samples[len(samples)/2:]
	fmt.Printf("\nin the second half, with each further message (bytes): resident %+.0f, live heap %+.0f, free heap %+.0f, Go, rest %+.0f, beside Go %+.0f\n",
		slope(later, func(s soaked) float64 { return s.resident }), slope(later, func(s soaked) float64 { return s.live }),
		slope(later, func(s soaked) float64 { return s.heap - s.live }), slope(later, func(s soaked) float64 { return s.otherGo }),
		slope(later, func(s soaked) float64 { return s.beside }))
	first := samples[min(1, len(samples)-1)]
	if last.routines > first.routines+20 || last.files > first.files+10 {
		t.Errorf("goroutines went from %.0f to %.0f, files from %.0f to %.0f", first.routines, last.routines, first.files, last.files)
	}
}

// postSteadily posts so many deliveries, soakRate a second, ten about each task.
func postSteadily(addr string, total int) error {
	c, err := dial(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	begin := time.Now()
	var mail [][]byte
	for i := range total {
		if i%soakBuffer == 0 {
			mail = signFrom(known, i, min(soakBuffer, total-i), 10)
		}
		time.Sleep(time.Until(begin.Add(time.Duration(i) * time.Second / time.Duration(*soakRate))))
		if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			return err
		}
		if _, err := c.Write(mail[i%soakBuffer]); err != nil {
			return fmt.Errorf("delivery %d: %w", i, err)
		}
		if err := c.acknowledged(); err != nil {
			return fmt.Errorf("delivery %d: %w", i, err)
		}
	}
	return nil
}

func printSoaked(out *tabwriter.Writer, samples []soaked) {
	s := samples[len(samples)-1]
	since := soaked{}
	if len(samples) > 1 {
		since = samples[max(0, len(samples)-1-soakSamples/12)]
	}
	const mib = 1 << 20
	fmt.Fprintf(out, "%s\t%.0f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.0f\t%.0f\t%.0f\t%.1f\t\n", s.after.Round(time.Second), s.kept,
		s.resident/mib, s.live/mib, (s.heap-s.live)/mib, s.otherGo/mib, s.beside/mib, s.routines, s.threads, s.files,
		(s.cpu-since.cpu).Seconds()/max(time.Second, s.after-since.after).Seconds()*100)
	out.Flush()
}

// slope is how much a figure grows with each message: the line with the least
// squares.
func slope(samples []soaked, of func(soaked) float64) float64 {
	var n, x, y, xx, xy float64
	for _, s := range samples {
		n, x, y = n+1, x+s.kept, y+of(s)
		xx, xy = xx+s.kept*s.kept, xy+s.kept*of(s)
	}
	return (n*xy - x*y) / (n*xx - x*x)
}

// sampleOf asks the program's own metrics, and the system.
func sampleOf(t testing.TB, p *program) soaked {
	t.Helper()
	answer, err := http.Get("http://" + p.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	m := map[string]float64{}
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), " "); ok && name != "#" {
			m[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	s := soaked{
		kept:     m[`aspectop_requests_total{verdict="verified"}`],
		resident: float64(memoryOf(t, p.pid())),
		live:     m["go_memstats_next_gc_bytes"] / (1 + m["go_gc_gogc_percent"]/100),
		heap:     m["go_memstats_heap_sys_bytes"] - m["go_memstats_heap_released_bytes"],
		routines: m["go_goroutines"],
		threads:  m["go_threads"],
		files:    m["process_open_fds"],
		cpu:      cpuOf(t, p.pid()),
	}
	s.otherGo = m["go_memstats_sys_bytes"] - m["go_memstats_heap_sys_bytes"]
	s.beside = s.resident - s.heap - s.otherGo
	return s
}
