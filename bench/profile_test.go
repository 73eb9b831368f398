//go:build linux

package bench

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// work says what a sample of a CPU profile was taken in: the first whose frame is
// on the stack.
var work = []struct{ name, frames string }{
	{"sync of the disk", "sqlite3OsSync"},
	{"checkpoints", "sqlite3WalCheckpoint"},
	{"writing to the log", "sqlite3WalFrames"},
	{"SQLite, rest", "sqlite.(*Journal).commit"},
	{"header text and batches", "sqlite.(*Journal).Append journal.(*Group"},
	{"verification by the Svix library", "svix-webhooks/go.(*Webhook) receiver.(*Verifier)"},
	{"writing the answer", "checkConnErrorWriter.Write"},
	{"net/http's reading ahead while a request is under way", "backgroundRead"},
	{"reading the body", "receiver.(*Server).readBody io.ReadAll"},
	{"reading and parsing the request's header", "(*conn).readRequest (*Reader).Peek"},
	{"receiver, rest", "aspectop/receiver."},
	{"net/http, rest", "net/http."},
	{"garbage collection", "runtime.gcBgMarkWorker runtime.bgsweep runtime.bgscavenge"},
	{"the Go scheduler", "runtime.mcall runtime.mstart runtime.sysmon runtime.rt0_go"},
	{"", ""}, // the rest
}

// BenchmarkProfile prints where the reference and aspectop spend their CPU time
// with 64 connections, in µs a delivery.
func BenchmarkProfile(b *testing.B) {
	const deliveries = 100_000
	for b.Loop() {
		kinds := []int{reference, ours}
		spent := make([][]float64, len(kinds))
		for i, c := range kinds {
			dir := b.TempDir()
			profile := filepath.Join(dir, "cpu")
			s := start(b, contestants[c].kind, dir, profileVariable+"="+profile)
			before := cpuOf(b, s.cmd.Process.Pid)
			if _, err := closedLoop(s.addr, sign(deliveries, 10), 64); err != nil {
				b.Fatal(err)
			}
			each := (cpuOf(b, s.cmd.Process.Pid) - before).Seconds() * 1e6 / deliveries
			s.stop(b)
			spent[i] = shares(b, profile)
			for w := range spent[i] {
				spent[i][w] *= each
			}
		}
		out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.Debug)
		fmt.Fprintf(out, "\nCPU µs a delivery\t%s\t%s\tmore\t\n", contestants[reference].name, contestants[ours].name)
		var sums [2]float64
		for w := range work {
			of, to := spent[0][w], spent[1][w]
			fmt.Fprintf(out, "%s\t%.1f\t%.1f\t%+.1f\t\n", cmp.Or(work[w].name, "all else"), of, to, to-of)
			sums[0], sums[1] = sums[0]+of, sums[1]+to
		}
		fmt.Fprintf(out, "in all\t%.1f\t%.1f\t%+.1f\t\n", sums[0], sums[1], sums[1]-sums[0])
		out.Flush()
	}
	b.ReportMetric(0, "ns/op")
}

// shares is how much of a CPU profile each kind of work takes.
func shares(b *testing.B, profile string) []float64 {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	text, err := exec.Command("go", "tool", "pprof", "-traces", self, profile).Output()
	if err != nil {
		b.Fatal(err)
	}
	found := make([]float64, len(work))
	var stack strings.Builder
	var value time.Duration
	total := 0.0
	end := func() {
		if value > 0 {
			for w := range work {
				if onStack(stack.String(), work[w].frames) {
					found[w] += value.Seconds()
					break
				}
			}
			total += value.Seconds()
		}
		value = 0
		stack.Reset()
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "-----") {
			end()
			continue
		}
		fields := strings.Fields(line)
		if len(fields) > 1 { // the innermost frame stands behind the sample's value
			if d, err := time.ParseDuration(fields[0]); err == nil {
				value = d
			}
		}
		stack.WriteString(line + "\n")
	}
	end()
	for w := range found {
		found[w] /= total
	}
	return found
}

func onStack(stack, frames string) bool {
	for f := range strings.FieldsSeq(frames) {
		if strings.Contains(stack, f) {
			return true
		}
	}
	return frames == ""
}
