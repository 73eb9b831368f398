//go:build linux

package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	svix "github.com/svix/svix-webhooks/go"
)

const (
	pixelWidth, pixelHeight = 140, 40
	pixelRounds             = 5
	pixelEvents             = 100 // a rate and a round
	pixelPatience           = 10 * time.Second

	kindPixel       = "pixel"
	addressVariable = "ASPECTOP_BENCH_ADDRESS"
)

// BenchmarkPixel prints how long it takes from the time that a delivery is due until
// the id of its task stands on a real terminal, beside a bare Bubble Tea program that
// verifies, answers and shows the id. Deliveries are posted on a fixed schedule, in
// rounds that alternate. The goals are 1.3 times the bare program's p50 and 1.5
// times its p95.
func BenchmarkPixel(b *testing.B) {
	for b.Loop() {
		programs := []*drawing{startPixel(b), startDrawing(b)}
		for _, p := range programs {
			p.follow(b)
		}
		atRest := restOf(b, programs)
		fmt.Printf("\nCPU at rest, ms a second: bare %.1f, aspectop %.1f\n", atRest[0], atRest[1])
		out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.Debug)
		fmt.Fprintf(out, "POST to pixel\tp50 ms\tp95 ms\tp50, of bare\tp95, of bare\tCPU ms/s, bare\tCPU ms/s\t\n")
		from := 0
		for _, rate := range []int{5, 30} {
			var waits [2][]time.Duration
			var cpu [2]time.Duration
			var p50, p95 []float64
			for range pixelRounds {
				var round [2][]time.Duration
				for i, p := range programs {
					begin := cpuOf(b, p.pid())
					round[i] = p.watch(b, from, rate)
					cpu[i] += cpuOf(b, p.pid()) - begin
					waits[i] = append(waits[i], round[i]...)
				}
				from += pixelEvents
				p50 = append(p50, ratioAt(round, 50))
				p95 = append(p95, ratioAt(round, 95))
			}
			took := float64(pixelRounds*pixelEvents) / float64(rate)
			fmt.Fprintf(out, "%d a second\t%.1f (bare %.1f)\t%.1f (bare %.1f)\t%.2f, rounds %s\t%.2f, rounds %s\t%.1f\t%.1f\t\n", rate,
				millis(percentile(waits[1], 50)), millis(percentile(waits[0], 50)), millis(percentile(waits[1], 95)), millis(percentile(waits[0], 95)),
				ratioAt(waits, 50), spreadOf(p50), ratioAt(waits, 95), spreadOf(p95), millis(cpu[0])/took, millis(cpu[1])/took)
		}
		out.Flush()
		fmt.Printf("%d events a rate on %d×%d, %d rounds, sync of the disk %s, %d cores\n", pixelRounds*pixelEvents,
			pixelWidth, pixelHeight, pixelRounds, syncCost(b, b.TempDir()), runtime.NumCPU())
		for _, p := range programs {
			p.stop(b)
		}
	}
	b.ReportMetric(0, "ns/op")
}

func millis(d time.Duration) float64 { return d.Seconds() * 1e3 }

func percentile(waits []time.Duration, n int) time.Duration {
	sorted := slices.Sorted(slices.Values(waits))
	return sorted[len(sorted)*n/100]
}

// ratioAt is a percentile of the second list, of the same of the first.
func ratioAt(waits [2][]time.Duration, n int) float64 {
	return float64(percentile(waits[1], n)) / float64(percentile(waits[0], n))
}

// restOf is what the programs compute while nothing arrives, in ms a second.
func restOf(b *testing.B, programs []*drawing) (of []float64) {
	time.Sleep(settling)
	begin := time.Now()
	for _, p := range programs {
		of = append(of, -millis(cpuOf(b, p.pid())))
	}
	time.Sleep(resting)
	for i, p := range programs {
		of[i] = (of[i] + millis(cpuOf(b, p.pid()))) / time.Since(begin).Seconds()
	}
	return of
}

// drawing is a program that draws on a terminal, of which each new id is noticed.
type drawing struct {
	*program
	emulator *vt.Emulator

	mu      sync.Mutex
	awaited map[string]time.Time // ids that are not on the screen, and when they were due
	waits   []time.Duration
	shown   chan struct{} // closed when none is awaited
}

func startDrawing(b *testing.B) *drawing {
	path, err := buildProgram()
	if err != nil {
		b.Fatal(err)
	}
	p := &program{folder: b.TempDir(), receiver: freeAddress(b)}
	p.cmd = exec.Command(path, "watch", "--listen", p.receiver)
	p.cmd.Env = []string{"HOME=" + p.folder, "XDG_STATE_HOME=" + p.folder, "ASPECT_WEBHOOK_SECRET=" + secret, "TERM=xterm-256color"}
	return &drawing{program: p}
}

// startPixel is the bare program, this one in a process of its own.
func startPixel(b *testing.B) *drawing {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	p := &program{receiver: freeAddress(b)}
	p.cmd = exec.Command(self)
	p.cmd.Env = []string{kindVariable + "=" + kindPixel, addressVariable + "=" + p.receiver, "TERM=xterm-256color"}
	return &drawing{program: p}
}

// follow starts the program on a terminal, and returns when it receives.
func (d *drawing) follow(b *testing.B) {
	terminal, err := pty.StartWithSize(d.cmd, &pty.Winsize{Cols: pixelWidth, Rows: pixelHeight})
	if err != nil {
		b.Fatal(err)
	}
	d.emulator, d.drained = vt.NewEmulator(pixelWidth, pixelHeight), make(chan struct{})
	go io.Copy(terminal, d.emulator) // what the terminal answers
	go func() {
		defer close(d.drained)
		buf := make([]byte, 64<<10)
		for {
			n, err := terminal.Read(buf)
			d.emulator.Write(buf[:n])
			d.drawn(time.Now())
			if err != nil {
				return
			}
		}
	}()
	for end := time.Now().Add(pixelPatience); ; time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", d.receiver); err == nil {
			c.Close()
			return
		} else if time.Now().After(end) {
			b.Fatal(err)
		}
	}
}

// drawn looks for the ids on the screen.
func (d *drawing) drawn(at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.awaited) == 0 {
		return
	}
	text := d.emulator.String()
	for id, due := range d.awaited {
		if strings.Contains(text, id) {
			d.waits = append(d.waits, at.Sub(due))
			delete(d.awaited, id)
		}
	}
	if len(d.awaited) == 0 && d.shown != nil {
		close(d.shown)
		d.shown = nil
	}
}

// watch posts a round of deliveries when they are due, whether or not those before
// them are on the screen, and returns how long each took to get there.
func (d *drawing) watch(b *testing.B, from, rate int) []time.Duration {
	mail := make([][]byte, pixelEvents)
	for i := range mail {
		text := strings.Replace(string(body(from+i, from+i)), "11111111", pixelID(from+i), 1)
		mail[i] = signOne(known, fmt.Sprintf("msg_%027d", from+i), time.Now(), []byte(text))
	}
	c, err := dial(d.receiver)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	d.mu.Lock()
	d.awaited, d.waits = make(map[string]time.Time), nil
	d.mu.Unlock()
	answered := make(chan error, 1)
	go func() {
		for range mail {
			if err := c.acknowledged(); err != nil {
				answered <- err
				return
			}
		}
		answered <- nil
	}()
	runtime.LockOSThread()
	begin := time.Now()
	for i, request := range mail {
		// The rate shares no period with the frames, or all would meet the same phase.
		due := begin.Add(time.Duration(i)*time.Second/time.Duration(rate) + time.Duration(i*618%1000)*time.Second/time.Duration(2000*rate))
		sleepUntil(due)
		d.mu.Lock()
		d.awaited[pixelID(from+i)] = due
		d.mu.Unlock()
		if _, err := c.Write(request); err != nil {
			b.Fatal(err)
		}
	}
	runtime.UnlockOSThread()
	if err := <-answered; err != nil {
		b.Fatal(err)
	}
	d.mu.Lock()
	shown := make(chan struct{})
	if d.shown = shown; len(d.awaited) == 0 {
		close(shown)
		d.shown = nil
	}
	d.mu.Unlock()
	select {
	case <-shown:
	case <-time.After(pixelPatience):
		b.Fatalf("%d ids are not on the screen:\n%s", len(d.awaited), d.emulator.String())
	}
	return d.waits
}

// pixelID is the beginning of the id of the task, as the screen shows it.
func pixelID(i int) string { return fmt.Sprintf("%08x", uint32(i+1)*2654435761) }

// bare is what anybody would write first: it verifies, answers and shows the newest
// ids. It keeps nothing.
type bare struct{ ids []string }

func (m bare) Init() tea.Cmd { return nil }

func (m bare) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case string:
		m.ids = append([]string{msg}, m.ids[:min(len(m.ids), pixelHeight-1)]...)
	case tea.KeyPressMsg:
		return m, tea.Quit
	}
	return m, nil
}

func (m bare) View() tea.View {
	v := tea.NewView(strings.Join(m.ids, "\n"))
	v.AltScreen = true
	return v
}

// servePixel runs the bare program on the terminal.
func servePixel(address string) error {
	hook, err := svix.NewWebhook(secret)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	p := tea.NewProgram(bare{})
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = hook.Verify(body, r.Header)
		}
		var event struct {
			Data struct{ Task struct{ ID string } }
		}
		if err = errors.Join(err, json.Unmarshal(body, &event)); err != nil {
			http.Error(w, "Invalid", http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
		p.Send(event.Data.Task.ID)
	}))
	_, err = p.Run()
	if errors.Is(err, tea.ErrInterrupted) {
		err = nil
	}
	return err
}
