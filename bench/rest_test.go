//go:build linux

package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"text/tabwriter"
	"time"
)

const (
	settling = 8 * time.Second // after the last delivery
	resting  = 10 * time.Second
)

// BenchmarkRest prints what aspectop costs while nothing happens. The goals are
// 0.1 % of a core and 5 wake-ups a second without a screen, 1.2 % with one.
func BenchmarkRest(b *testing.B) {
	for b.Loop() {
		var rested []*program
		names := []string{"watch --json", "watch --json, the handler that it forwards to is gone", "watch with a screen",
			"view with a screen, on the journal of another process", "view with a screen, on a journal that nobody writes"}
		alone := startWatch(b, withoutScreen)
		gone := startWatch(b, withoutScreen, "--forward-to", "http://"+freeAddress(b)+"/hook")
		drawing := startWatch(b, withScreen)
		for _, p := range []*program{alone, gone, drawing} {
			if _, err := closedLoop(p.receiver, sign(200, 10), 4); err != nil {
				b.Fatal(err)
			}
		}
		beside := startView(b, alone.journal())
		old := filepath.Join(b.TempDir(), "journal.db")
		writeJournal(b, old, 200)
		rested = append(rested, alone, gone, drawing, beside, startView(b, old))

		time.Sleep(settling)
		cpu, wakes := make([]time.Duration, len(rested)), make([]int, len(rested))
		for i, p := range rested {
			cpu[i], wakes[i] = cpuOf(b, p.pid()), wakesOf(b, p.pid())
		}
		begin := time.Now()
		time.Sleep(resting)
		out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.Debug)
		fmt.Fprintf(out, "\nat rest\t%% of a core\twake-ups a second\tMiB\t\n")
		for i, p := range rested {
			took := time.Since(begin).Seconds()
			fmt.Fprintf(out, "%s\t%.2f\t%.1f\t%d\t\n", names[i], (cpuOf(b, p.pid())-cpu[i]).Seconds()/took*100,
				float64(wakesOf(b, p.pid())-wakes[i])/took, memoryOf(b, p.pid())>>20)
		}
		out.Flush()
		for _, p := range rested {
			p.stop(b)
		}
	}
	b.ReportMetric(0, "ns/op")
}

func startView(b testing.TB, journal string) *program {
	p := &program{folder: b.TempDir()}
	p.start(b, withScreen, []string{"view", "--journal", journal})
	return p
}
