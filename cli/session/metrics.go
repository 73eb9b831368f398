package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	vm "github.com/VictoriaMetrics/metrics"

	"aspectop/model"
	"aspectop/receiver"
)

// scrapeTime limits the journal's part of a scrape.
const scrapeTime = 2 * time.Second

var meanings = map[string]string{
	"aspectop_append_seconds":          "Time until a delivery was durable or storing it failed.",
	"aspectop_forward_waiting":         "Messages waiting to be forwarded to a handler, by state.",
	"aspectop_forwards_total":          "Messages forwarded to a handler, by outcome.",
	"aspectop_journal_reachable":       "1 if deliveries can be stored.",
	"aspectop_probe_ok":                "1 if the last probe of the public URL succeeded.",
	"aspectop_rejected_not_kept_total": "Rejected requests of this run that the journal does not have.",
	"aspectop_requests_total":          "Webhook requests by verdict: verified, duplicate, unkept (answered 503), or why they were rejected.",
	"aspectop_task_seconds":            "Time from creation to last update of the tasks read from the journal that have ended.",
	"aspectop_tasks":                   "Tasks read from the journal, by state.",
	"aspectop_tasks_active":            "Tasks read from the journal that have not ended.",
	"aspectop_tasks_stalled":           "Active tasks without news for longer than usual.",
	"aspectop_tunnel_connected":        "1 if the tunnel is connected.",
}

type metrics struct {
	session    *Session
	kept       *vm.Set // of what is counted between scrapes
	appends    *vm.PrometheusHistogram
	collecting sync.Mutex // scrapes take turns
}

// ServeMetrics prepares the server of --metrics; "" is none.
func (s *Session) ServeMetrics(address string) error {
	if address == "" {
		return nil
	}
	l, _, err := s.listeners.Open("metrics", address, false)
	if err != nil {
		return err
	}
	if receiver.Public(l.Addr().String()) {
		s.Remark("metrics on " + l.Addr().String() + " are open to the network")
	}
	vm.ExposeMetadata(true)
	m := &metrics{session: s, kept: vm.NewSet()}
	m.appends = m.kept.NewPrometheusHistogramExt("aspectop_append_seconds", vm.ExponentialBuckets(0.0005, 2, 16))
	s.metrics = m
	s.Beside(func(ctx context.Context) error { return m.serve(ctx, l) })
	return nil
}

func (m *metrics) serve(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", m.answer)
	server := &http.Server{
		Handler: mux, ReadTimeout: 5 * time.Second, WriteTimeout: 4 * scrapeTime, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// answer writes a scrape in Prometheus' text format.
func (m *metrics) answer(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), scrapeTime)
	defer cancel()
	var all bytes.Buffer
	m.kept.WritePrometheus(&all)
	m.collect(ctx).WritePrometheus(&all)
	vm.WriteGoMetrics(&all)
	vm.WriteProcMetrics(&all)
	vm.WriteFDMetrics(&all)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	for line := range strings.Lines(all.String()) {
		// The library writes HELP lines without a text, which not every parser takes.
		name, isHelp := strings.CutPrefix(strings.TrimSpace(line), "# HELP ")
		switch meaning := meanings[name]; {
		case isHelp && meaning != "":
			fmt.Fprintf(w, "# HELP %s %s\n", name, meaning)
		case !isHelp:
			io.WriteString(w, line)
		}
	}
}

// collect reads everything when it is asked for. Handlers whose URLs differ in what
// is not shown add up.
func (m *metrics) collect(ctx context.Context) *vm.Set {
	m.collecting.Lock()
	defer m.collecting.Unlock()
	set := vm.NewSet()
	counter := func(n int, name string, labels ...any) {
		set.GetOrCreateCounter(fmt.Sprintf(name, labels...)).Add(n)
	}
	gauge := func(n int, name string, labels ...any) {
		set.GetOrCreateGauge(fmt.Sprintf(name, labels...), nil).Add(float64(n))
	}
	s := m.session
	if server := s.made(); server != nil {
		c := server.Counts()
		verdicts := map[model.Reason]int64{"verified": c.Verified, "duplicate": c.Duplicate, "unkept": c.Unkept}
		maps.Copy(verdicts, c.Rejected)
		for verdict, n := range verdicts {
			counter(int(n), "aspectop_requests_total{verdict=%q}", verdict)
		}
		counter(int(server.NotKept()), "aspectop_rejected_not_kept_total")
	}
	gauge(oneIf(s.journal.Ready(ctx) == nil), "aspectop_journal_reachable")
	for _, f := range s.forwarders {
		q := f.Queue()
		for outcome, n := range map[string]int{"delivered": q.Delivered, "refused": q.Failed, "gave_up": q.GaveUp} {
			counter(n, "aspectop_forwards_total{outcome=%q,to=%q}", outcome, q.To)
		}
		for state, n := range map[string]int{"waiting": q.Waiting, "in_flight": q.InFlight, "retrying": q.Retrying} {
			gauge(n, "aspectop_forward_waiting{state=%q,to=%q}", state, q.To)
		}
	}
	m.collectTasks(set, gauge)
	select {
	case <-s.ready: // the tunnel is set before that
	default:
		return set
	}
	if s.exposure != nil {
		t := s.exposure.tunnel.State()
		gauge(oneIf(t.State == model.TunnelConnected), "aspectop_tunnel_connected")
		if t.Probe != nil {
			gauge(oneIf(t.Probe.OK), "aspectop_probe_ok")
		}
	}
	return set
}

// collectTasks counts the tasks, unless the feed still reads the history: there
// would be too few.
func (m *metrics) collectTasks(set *vm.Set, gauge func(n int, name string, labels ...any)) {
	f, now := m.session.Feed, time.Now()
	f.RLock()
	defer f.RUnlock()
	if loading, _, _ := f.Loading(); loading {
		return
	}
	board, active, stalled := f.Board(), 0, 0
	took := set.NewPrometheusHistogramExt("aspectop_task_seconds", vm.ExponentialBuckets(1, 2, 16))
	for i := range board.Len() {
		t := board.At(i)
		if _, is := board.Stalled(t, now); is {
			stalled++
		}
		if t.Active() {
			active++
		} else if d := t.Took(now); d > 0 {
			took.Update(d.Seconds())
		}
	}
	for _, state := range model.States {
		gauge(board.Count(state.State), "aspectop_tasks{state=%q}", state.State)
	}
	gauge(active, "aspectop_tasks_active")
	gauge(stalled, "aspectop_tasks_stalled")
}

func oneIf(is bool) int {
	if is {
		return 1
	}
	return 0
}
