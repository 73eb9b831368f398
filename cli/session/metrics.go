package session

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"aspectop/model"
	"aspectop/receiver"
)

// scrapeTime limits the journal's part of a scrape.
const scrapeTime = 2 * time.Second

var (
	requestsDesc  = prometheus.NewDesc("aspectop_requests_total", "Webhook requests by verdict: verified, duplicate, unkept (answered 503), or why they were rejected.", []string{"verdict"}, nil)
	journalDesc   = prometheus.NewDesc("aspectop_journal_reachable", "1 if deliveries can be stored.", nil, nil)
	forwardDesc   = prometheus.NewDesc("aspectop_forwards_total", "Messages forwarded to a handler, by outcome.", []string{"to", "outcome"}, nil)
	lagDesc       = prometheus.NewDesc("aspectop_forward_waiting", "Messages waiting to be forwarded to a handler, by state.", []string{"to", "state"}, nil)
	connectedDesc = prometheus.NewDesc("aspectop_tunnel_connected", "1 if the tunnel is connected.", nil, nil)
	probeDesc     = prometheus.NewDesc("aspectop_probe_ok", "1 if the last probe of the public URL succeeded.", nil, nil)
)

// metrics is the Prometheus collector of a session.
type metrics struct {
	session *Session
	server  atomic.Pointer[receiver.Server] // nil until deliveries are accepted
	appends prometheus.Histogram
}

// ServeMetrics prepares the server of --metrics; "" is none.
func (s *Session) ServeMetrics(address string) error {
	if address == "" {
		return nil
	}
	l, _, err := listen("metrics", address, false)
	if err != nil {
		return err
	}
	if receiver.Public(l.Addr().String()) {
		s.Remark("metrics on " + l.Addr().String() + " are open to the network")
	}
	s.metrics = &metrics{session: s, appends: prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "aspectop_append_seconds",
		Help:    "Time until a delivery was durable or storing it failed.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16),
	})}
	s.Beside(func(ctx context.Context) error { return s.metrics.serve(ctx, l) })
	return nil
}

func (m *metrics) serve(ctx context.Context, l net.Listener) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(m, m.appends, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 2 * scrapeTime}))
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

// Describe makes metrics a prometheus.Collector.
func (m *metrics) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, out) }

// Collect reads everything when it is asked for.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	s := m.session
	if server := m.server.Load(); server != nil {
		c := server.Counts()
		for verdict, n := range map[string]int64{"verified": c.Verified, "duplicate": c.Duplicate, "unkept": c.Unkept} {
			out <- prometheus.MustNewConstMetric(requestsDesc, prometheus.CounterValue, float64(n), verdict)
		}
		for reason, n := range c.Rejected {
			out <- prometheus.MustNewConstMetric(requestsDesc, prometheus.CounterValue, float64(n), string(reason))
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	out <- gauge(journalDesc, s.journal.Ready(ctx) == nil)
	for _, f := range s.forwarders {
		q := f.Queue()
		for outcome, n := range map[string]int{"delivered": q.Delivered, "refused": q.Failed, "gave_up": q.GaveUp} {
			out <- prometheus.MustNewConstMetric(forwardDesc, prometheus.CounterValue, float64(n), q.To, outcome)
		}
		for state, n := range map[string]int{"waiting": q.Waiting, "in_flight": q.InFlight, "retrying": q.Retrying} {
			out <- prometheus.MustNewConstMetric(lagDesc, prometheus.GaugeValue, float64(n), q.To, state)
		}
	}
	select {
	case <-s.ready: // the tunnel is set before that
	default:
		return
	}
	if s.reach != nil {
		t := s.reach.tunnel.State()
		out <- gauge(connectedDesc, t.State == model.TunnelConnected)
		if t.Probe != nil {
			out <- gauge(probeDesc, t.Probe.OK)
		}
	}
}

func gauge(d *prometheus.Desc, is bool) prometheus.Metric {
	value := 0.0
	if is {
		value = 1
	}
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
}

// timed measures how long appending takes.
type timed struct {
	receiver.Appender
	appends prometheus.Histogram
}

func (t timed) Append(ctx context.Context, d *model.Delivery) error {
	began := time.Now()
	err := t.Appender.Append(ctx, d)
	t.appends.Observe(time.Since(began).Seconds())
	return err
}
