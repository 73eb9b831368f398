//go:build linux

// Package bench measures aspectop beside the least that could do the same work,
// in one run on one machine: only the ratios mean something elsewhere. It is no
// part of the program.
//
// Its benchmarks print tables; make bench, make scale and make soak run them.
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
	rounds   = 5
	inClosed = 15_000 // deliveries of a closed loop
	warming  = 10     // deliveries on each connection before
	// aging is how many deliveries a server takes before anything is measured. The
	// first ones let its files and its heap grow.
	aging  = 10_000
	inOpen = 2500 * time.Millisecond // how long an open loop takes
	paths  = 64                      // connections of an open loop
)

// contestants run in this order in every round. The reference is what ratios are
// to.
var contestants = []struct {
	kind, name string
	deliveries int // of a closed loop
}{
	{kindBare, "net/http, answers 204", inClosed},
	{kindVerify, "net/http + Svix verification", inClosed},
	{kindSample, "the provider's sample for Node", inClosed / 4},
	{kindDurable, "aspectop, journal on disk", inClosed},
	{kindLines, "aspectop watch, with its lines", inClosed},
}

const reference, sample, ours, withLines = 1, 2, 3, 4

// traffic is a way to post deliveries.
type traffic struct {
	name        string
	connections int
	rate        int // deliveries a second; 0: a closed loop, as fast as it goes
}

// loads are put on each contestant, one after the other.
var loads = []traffic{
	{"closed loop, 64 connections", 64, 0},
	{"closed loop, 256 connections", 256, 0},
	{"open loop, 120 a second", paths, 120},
	{"open loop, 2,000 a second", paths, 2000},
}

// figures are what one contestant did under one load in one round.
type figures struct {
	rate     float64 // deliveries a second
	cpu      float64 // of the server, µs a delivery
	memory   float64 // of the server, MiB, at most so far
	p50, p99 float64 // ms
}

// goals are aspectop's; less is set where the ratio should be at most that.
var goals = []struct {
	name string
	load int
	who  int // contestant
	to   int // contestant
	of   func(figures) float64
	goal float64
	less bool
}{
	{"throughput, 64 connections, to Svix verification", 0, ours, reference, figures.throughput, 0.60, false},
	{"the same with lines", 0, withLines, reference, figures.throughput, 0.50, false},
	{"throughput, 256 connections, to Svix verification", 1, ours, reference, figures.throughput, 0.75, false},
	{"throughput, 64 connections, to the Node sample", 0, ours, sample, figures.throughput, 5, false},
	{"CPU a delivery, 64 connections, to Svix verification", 0, ours, reference, figures.processor, 1.8, true},
	{"the same with lines", 0, withLines, reference, figures.processor, 2.1, true},
	{"p50 at 2,000 a second with lines, to Svix verification", 3, withLines, reference, figures.middle, 3, true},
	{"p99 at 2,000 a second, to Svix verification", 3, ours, reference, figures.tail, 4, true},
	{"the same with lines", 3, withLines, reference, figures.tail, 3.9, true},
}

func (f figures) throughput() float64 { return f.rate }
func (f figures) processor() float64  { return f.cpu }
func (f figures) middle() float64     { return f.p50 }
func (f figures) tail() float64       { return f.p99 }
func (f figures) resident() float64   { return f.memory }

// BenchmarkReceive prints what the contestants did, and how far aspectop is from
// its goals.
func BenchmarkReceive(b *testing.B) {
	lack := installSample()
	if lack != nil {
		fmt.Printf("%s is left out: %v\n", contestants[sample].name, lack)
	}
	dir := b.TempDir()
	for b.Loop() {
		all := make([][][]figures, len(loads)) // by load, contestant and round
		for l := range all {
			all[l] = make([][]figures, len(contestants))
		}
		for range rounds {
			mail := signFor(loads)
			for c := range contestants {
				if c == sample && lack != nil {
					continue
				}
				for l, f := range run(b, c, dir, mail) {
					all[l][c] = append(all[l][c], f)
				}
			}
		}
		for l := range loads {
			printLoad(l, all[l])
		}
		fmt.Printf("\nmedians of %d rounds, and their range; one sync of the disk takes %s\n", rounds, syncCost(b, dir))
		printGoals(b, all)
	}
	b.ReportMetric(0, "ns/op") // the time of the whole comparison says nothing
}

// run puts all loads on one contestant, in a process of its own.
func run(b *testing.B, contestant int, dir string, mail [][][]byte) []figures {
	c := contestants[contestant]
	s := start(b, c.kind, dir)
	defer s.stop(b)
	if _, err := closedLoop(s.addr, mail[len(loads)][:c.deliveries*aging/inClosed], paths); err != nil {
		b.Fatalf("%s: %v", c.kind, err)
	}
	var all []figures
	for i, l := range loads {
		letters := mail[i]
		warm := warming * l.connections
		if _, err := closedLoop(s.addr, letters[:warm], l.connections); err != nil {
			b.Fatalf("%s: %v", c.kind, err)
		}
		letters = letters[warm:]
		if l.rate == 0 {
			letters = letters[:c.deliveries]
		}
		spent := cpuOf(b, s.cmd.Process.Pid)
		begin := time.Now()
		waits, err := load(s.addr, letters, l.connections, l.rate)
		if err != nil {
			b.Fatalf("%s: %v", c.kind, err)
		}
		took := time.Since(begin)
		spent = cpuOf(b, s.cmd.Process.Pid) - spent
		slices.Sort(waits)
		n := float64(len(letters))
		all = append(all, figures{
			rate: n / took.Seconds(), cpu: spent.Seconds() * 1e6 / n,
			memory: float64(statusOf(b, s.cmd.Process.Pid, "VmHWM:")) / 1024,
			p50:    waits[len(waits)/2].Seconds() * 1e3, p99: waits[len(waits)*99/100].Seconds() * 1e3,
		})
	}
	return all
}

// signFor signs the mail of one round, by load, and behind it that for aging.
func signFor(loads []traffic) (mail [][][]byte) {
	sizes := make([]int, len(loads)+1)
	sizes[len(loads)] = aging
	total := aging
	for i, l := range loads {
		sizes[i] = warming*l.connections + inClosed
		if l.rate > 0 {
			sizes[i] = warming*l.connections + int(inOpen.Seconds()*float64(l.rate))
		}
		total += sizes[i]
	}
	letters := sign(total, 10)
	for _, n := range sizes {
		mail = append(mail, letters[:n])
		letters = letters[n:]
	}
	return mail
}

func printLoad(load int, all [][]figures) {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.Debug)
	fmt.Fprintf(out, "\n%s\ta second\tratio\tCPU µs\tratio\tp50 ms\tratio\tp99 ms\tratio\tMiB\tratio\t\n", loads[load].name)
	for c, own := range all {
		if len(own) == 0 {
			continue
		}
		fmt.Fprintf(out, "%s\t", contestants[c].name)
		for _, column := range []struct {
			format string
			of     func(figures) float64
		}{{"%.0f", figures.throughput}, {"%.1f", figures.processor}, {"%.2f", figures.middle}, {"%.2f", figures.tail}, {"%.0f", figures.resident}} {
			values := make([]float64, len(own))
			for r, f := range own {
				values[r] = column.of(f)
			}
			fmt.Fprintf(out, column.format+"\t%s\t", spreadOf(values).median, ratio(own, all[reference], column.of))
		}
		fmt.Fprintln(out)
	}
	out.Flush()
}

func printGoals(b *testing.B, all [][][]figures) {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.Debug)
	fmt.Fprintf(out, "\nratio of aspectop\tgoal\tmeasured\t\t\n")
	for _, g := range goals {
		if len(all[g.load][g.to]) == 0 {
			continue
		}
		got := ratio(all[g.load][g.who], all[g.load][g.to], g.of)
		bound, verdict := "at least", "reached"
		if g.less {
			bound = "at most"
		}
		if g.less && got.median > g.goal || !g.less && got.median < g.goal {
			verdict = "missed"
		}
		fmt.Fprintf(out, "%s\t%s %.2f\t%s\t%s\t\n", g.name, bound, g.goal, got, verdict)
	}
	out.Flush()
}

// ratio is that of one contestant to another, taken within each round.
func ratio(own, other []figures, of func(figures) float64) spread {
	values := make([]float64, len(own))
	for r := range own {
		values[r] = of(own[r]) / of(other[r])
	}
	return spreadOf(values)
}

// spread is a figure over the rounds.
type spread struct{ least, median, most float64 }

func spreadOf(values []float64) spread {
	slices.Sort(values)
	return spread{values[0], values[len(values)/2], values[len(values)-1]}
}

func (s spread) String() string { return fmt.Sprintf("%.2f (%.2f–%.2f)", s.median, s.least, s.most) }
