//go:build unix

// Package bench compares aspectop with the least that could do the same work,
// side by side in one run on one machine: only the ratios mean something
// elsewhere. It is no part of the program.
package bench

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"text/tabwriter"
	"time"
)

const (
	// Many short rounds: what else the machine does meanwhile then falls on all
	// alike, or shows in the range.
	rounds     = 7
	deliveries = 8_000 // in each round, after ten on each connection to warm up
)

// contestants are run in this order in every round; the first is what the
// others are compared to.
var contestants = []struct{ kind, name string }{
	{kindBare, "net/http + svix, answers 204"},
	{kindUnkept, "receiver, journal of no effect"},
	{kindDurable, "receiver, journal on disk"},
}

// figures are what one contestant did in one round.
type figures struct {
	rate     float64 // requests a second
	cpu      float64 // of the server, µs a request
	p50, p99 time.Duration
}

// BenchmarkReceive prints how many deliveries a second the receiver takes, and
// what CPU each costs it, beside a bare handler that only verifies. The goals,
// for 64 connections and the journal on disk, are 0.35 of the bare handler's
// throughput and at most 2.6 times its CPU.
func BenchmarkReceive(b *testing.B) {
	for _, connections := range []int{64, 256} {
		b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) {
			for b.Loop() {
				compare(b, connections)
			}
		})
	}
}

func compare(b *testing.B, connections int) {
	dir := b.TempDir()
	all := make([][]figures, len(contestants))
	for range rounds {
		mail := sign(deliveries + 10*connections)
		for i, c := range contestants {
			all[i] = append(all[i], run(b, c.kind, dir, mail, connections))
		}
	}

	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.Debug)
	fmt.Fprintf(out, "\n%d connections\treq/s\tof bare\tCPU µs/req\tof bare\tp50 ms\tp99 ms\t\n", connections)
	for i, c := range contestants {
		over := func(of func(round int, f figures) float64) spread { return spreadOf(all[i], of) }
		throughput := over(func(r int, f figures) float64 { return f.rate / all[0][r].rate })
		cpu := over(func(r int, f figures) float64 { return f.cpu / all[0][r].cpu })
		fmt.Fprintf(out, "%s\t%.0f\t%s\t%.1f\t%s\t%.2f\t%.2f\t\n", c.name,
			over(func(_ int, f figures) float64 { return f.rate }).median, throughput,
			over(func(_ int, f figures) float64 { return f.cpu }).median, cpu,
			over(func(_ int, f figures) float64 { return f.p50.Seconds() * 1e3 }).median,
			over(func(_ int, f figures) float64 { return f.p99.Seconds() * 1e3 }).median)
		if c.kind == kindDurable {
			b.ReportMetric(throughput.median, "throughput/bare")
			b.ReportMetric(cpu.median, "cpu/bare")
		}
	}
	out.Flush()
	fmt.Printf("medians of %d rounds of %d deliveries; one sync of the disk takes %s\n",
		rounds, deliveries, syncCost(b, dir).Round(time.Microsecond))
	b.ReportMetric(0, "ns/op") // the time of the whole comparison says nothing
}

// spread is a figure over the rounds; ratios are taken within a round.
type spread struct{ least, median, most float64 }

func spreadOf(all []figures, of func(round int, f figures) float64) spread {
	values := make([]float64, len(all))
	for r, f := range all {
		values[r] = of(r, f)
	}
	slices.Sort(values)
	return spread{values[0], values[len(values)/2], values[len(values)-1]}
}

func (s spread) String() string { return fmt.Sprintf("%.2f (%.2f–%.2f)", s.median, s.least, s.most) }

// run starts a server of its own process, warms it up, and loads it.
func run(b *testing.B, kind, dir string, mail [][]byte, connections int) figures {
	s := start(b, kind, dir)
	defer s.stop(b)
	warm := len(mail) - deliveries
	if _, err := post(s.addr, mail[:warm], connections); err != nil {
		b.Fatalf("%s: %v", kind, err)
	}
	before, begin := s.cpu(b), time.Now()
	waits, err := post(s.addr, mail[warm:], connections)
	if err != nil {
		b.Fatalf("%s: %v", kind, err)
	}
	took, spent := time.Since(begin), s.cpu(b)-before
	slices.Sort(waits)
	return figures{
		rate: deliveries / took.Seconds(),
		cpu:  spent.Seconds() * 1e6 / deliveries,
		p50:  waits[len(waits)/2],
		p99:  waits[len(waits)*99/100],
	}
}
