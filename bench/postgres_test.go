//go:build linux

package bench

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"aspectop/journal"
	"aspectop/journal/postgres"
	"aspectop/journal/postgres/pgtest"
)

// kindShared receives into a PostgreSQL database, which a variable names.
const (
	kindShared     = "shared"
	sharedVariable = "ASPECTOP_BENCH_JOURNAL"
)

const (
	sharedRounds     = 3
	sharedDeliveries = 6_000 // of a closed loop
	sharedAging      = 4_000 // before
)

func openShared() (*postgres.Journal, error) {
	d, err := postgres.Parse(os.Getenv(sharedVariable))
	if err != nil {
		return nil, err
	}
	return d.Open(context.Background(), journal.Options{})
}

// BenchmarkShared prints what receivers do whose journal is in PostgreSQL,
// everything on one machine, beside a bare handler that only verifies.
func BenchmarkShared(b *testing.B) {
	const connections = 64
	primary := pgtest.Start(b)
	dir := b.TempDir()
	databases := 0
	// round runs so many receivers on an empty journal, and returns what they and
	// the database did together. Without any it is the bare handler's.
	round := func(receivers int) figures {
		kind, url := kindVerify, ""
		if receivers > 0 {
			databases++
			name := fmt.Sprint("bench", databases)
			primary.Exec("postgres", "CREATE DATABASE "+name+" OWNER aspectop")
			kind, url = kindShared, primary.URL("aspectop", name)
		}
		n := max(receivers, 1)
		each, own := (sharedDeliveries+sharedAging)/n, connections/n
		mail := sign(each*n, 10)
		rates := make(chan float64, n)
		servers := make([]*server, n)
		for i := range servers {
			servers[i] = start(b, kind, dir, sharedVariable+"="+url)
			defer servers[i].stop(b)
			if _, err := closedLoop(servers[i].addr, mail[i*each:][:sharedAging/n], own); err != nil {
				b.Fatal(err)
			}
		}
		spent := func() time.Duration {
			total := cpuOfServer(b, primary.Process())
			for _, s := range servers {
				total += cpuOf(b, s.cmd.Process.Pid)
			}
			return total
		}
		before := spent()
		for i, s := range servers {
			go func() {
				begin := time.Now()
				if _, err := closedLoop(s.addr, mail[i*each:][sharedAging/n:each], own); err != nil {
					b.Error(err)
				}
				rates <- float64(each-sharedAging/n) / time.Since(begin).Seconds()
			}()
		}
		var f figures
		for range servers {
			f.rate += <-rates
		}
		f.cpu = (spent() - before).Seconds() * 1e6 / float64(n*(each-sharedAging/n))
		return f
	}
	for b.Loop() {
		var names []string
		own, references := map[string][]figures{}, map[string][]figures{}
		measure := func(name string, receivers int, reference figures) {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
			own[name], references[name] = append(own[name], round(receivers)), append(references[name], reference)
		}
		for _, with := range []string{"", " with a synchronous standby"} {
			if with != "" {
				primary.Standby()
			}
			for range sharedRounds {
				reference := round(0)
				measure("aspectop, PostgreSQL"+with, 1, reference)
				measure("four aspectops, PostgreSQL"+with, 4, reference)
			}
		}
		out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.Debug)
		fmt.Fprintf(out, "\nclosed loop, %d connections in all\ta second\tof net/http + Svix verification\tCPU µs, with the database's\tratio\t\n", connections)
		for _, name := range names {
			rates, spent := make([]float64, sharedRounds), make([]float64, sharedRounds)
			for i, f := range own[name] {
				rates[i], spent[i] = f.rate, f.cpu
			}
			fmt.Fprintf(out, "%s\t%.0f\t%s\t%.0f\t%s\t\n", name, spreadOf(rates).median, ratio(own[name], references[name], figures.throughput),
				spreadOf(spent).median, ratio(own[name], references[name], figures.processor))
		}
		out.Flush()
		fmt.Printf("medians of %d rounds, and their range; one sync of the disk takes %s\n", sharedRounds, syncCost(b, dir))
		fmt.Println("goals: 0.25, with a synchronous standby 0.18, four with it 8,000 a second")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkViewers prints what viewers of a journal in PostgreSQL cost the
// server, and how long after its acknowledgement they tell a delivery.
func BenchmarkViewers(b *testing.B) {
	s := pgtest.Start(b, "max_connections = 500")
	url := s.URL("aspectop", "aspectop")
	receiver := startWatch(b, withoutScreen, "--journal", url)
	defer receiver.stop(b)
	admin := s.Connect("postgres", "postgres")
	defer admin.Close(context.Background())
	transactions := func() (n int) {
		// The server counts them up to a second late.
		if err := admin.QueryRow(context.Background(), `SELECT xact_commit FROM pg_stat_database WHERE datname = 'aspectop'`).Scan(&n); err != nil {
			b.Fatal(err)
		}
		return n
	}
	connections := func() (n int) {
		if err := admin.QueryRow(context.Background(), `SELECT count(*) FROM pg_stat_activity WHERE datname = 'aspectop'`).Scan(&n); err != nil {
			b.Fatal(err)
		}
		return n
	}
	const window, rate = 7 * time.Second, 120
	posted := 0
	post := func(n int) {
		if _, err := load(receiver.receiver, signFrom(known, posted, n, 10), 16, rate); err != nil {
			b.Fatal(err)
		}
		posted += n
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.Debug)
	for b.Loop() {
		fmt.Fprintf(out, "\nviewers\tconnections\tat rest: queries a second\tprocessor, of a core\tat %d a second: queries a second\tprocessor, of a core\tdelay at rest, ms\t\n", rate)
		var viewers []*viewer
		for _, n := range []int{0, 1, 10, 50} {
			for len(viewers) < n {
				v := startViewer(b, url)
				defer v.stop(b)
				viewers = append(viewers, v)
			}
			cost := func(during func()) (queries, processor float64) {
				begin, before, spent := time.Now(), transactions(), cpuOfServer(b, s.Process())
				during()
				took := time.Since(begin).Seconds()
				return float64(transactions()-before) / took, (cpuOfServer(b, s.Process()) - spent).Seconds() / took
			}
			time.Sleep(window) // until all are at rest
			fmt.Fprintf(out, "%d\t%d\t", n, connections())
			queries, processor := cost(func() { time.Sleep(window) })
			fmt.Fprintf(out, "%.0f\t%.3f\t", queries, processor)
			queries, processor = cost(func() { post(int(window.Seconds() * rate)) })
			fmt.Fprintf(out, "%.0f\t%.3f\t", queries, processor)
			var delays []float64
			for i := 0; n > 0 && i < 3; i++ {
				time.Sleep(window + time.Duration(i)*37*time.Millisecond) // at any moment between two looks
				for _, v := range viewers {
					v.forget()
				}
				post(1)
				begin := time.Now()
				for _, v := range viewers {
					delays = append(delays, v.told().Sub(begin).Seconds()*1e3)
				}
			}
			if n > 0 {
				fmt.Fprintf(out, "%.0f, at most %.0f", spreadOf(delays).median, spreadOf(delays).most)
			}
			fmt.Fprintln(out, "\t")
		}
		out.Flush()
		var bytes int
		if err := s.Connect("postgres", "aspectop").QueryRow(context.Background(),
			`SELECT pg_total_relation_size('aspectop.deliveries')`).Scan(&bytes); err != nil {
			b.Fatal(err)
		}
		fmt.Printf("a delivery takes %d bytes with its indexes\n", bytes/posted)
	}
	b.ReportMetric(0, "ns/op")
}

// viewer is aspectop view in a process of its own, and when it told something.
type viewer struct {
	cmd *exec.Cmd
	at  chan time.Time
}

func startViewer(b *testing.B, url string) *viewer {
	b.Helper()
	path, err := buildProgram()
	if err != nil {
		b.Fatal(err)
	}
	home := b.TempDir()
	v := &viewer{cmd: exec.Command(path, "view", "--json", "--journal", url), at: make(chan time.Time, 100_000)}
	v.cmd.Env = []string{"HOME=" + home, "XDG_STATE_HOME=" + home}
	out, err := v.cmd.StdoutPipe()
	if err == nil {
		err = v.cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan() // ready
	go func() {
		defer close(v.at)
		for lines.Scan() {
			v.at <- time.Now()
		}
	}()
	return v
}

func (v *viewer) told() time.Time { return <-v.at }

func (v *viewer) forget() {
	for len(v.at) > 0 {
		<-v.at
	}
}

func (v *viewer) stop(b *testing.B) {
	v.cmd.Process.Kill()
	v.cmd.Wait()
}

// cpuOfServer is the time that the server's processes have computed so far.
func cpuOfServer(b *testing.B, postmaster int) time.Duration {
	b.Helper()
	total := cpuOf(b, postmaster)
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", postmaster, postmaster))
	if err != nil {
		b.Fatal(err)
	}
	for _, text := range strings.Fields(string(children)) {
		if pid, err := strconv.Atoi(text); err == nil {
			total += cpuOf(b, pid)
		}
	}
	return total
}
