package tunnel

import (
	"context"
	"fmt"
	"net"
	"time"

	"aspectop/clean"
	"aspectop/model"
)

const (
	unreadMax    = 3               // unanswered polls, after which the state is unknown
	refusedOften = 3               // refusals, the fewest that count as final
	recentError  = 5 * time.Second // the maximum age of an error that explains an exit
)

type session struct {
	*cloudflared
	report func(linkStatus)
	begun  model.TunnelState // starting, or as the last run ended
	last   string            // why the last run ended, "" for the first

	log    *logbook
	since  time.Time // of the first connection, zero before
	host   string    // of a quick tunnel
	outage outage    // the current one
	unread int       // polls in a row without an answer
	heard  time.Time // last answer of the metrics server
}

type end struct {
	why     string // and what to do
	limited bool   // Cloudflare limits or refuses us: wait for minutes
	failed  bool   // a retry helps only if the user does something
	refused bool   // the program rejects its flags
}

// run runs the program until it exits, is of no more use, or ctx ends.
func (l *session) run(ctx context.Context) end {
	l.log = newLogbook(l.token)
	l.report(linkStatus{state: l.begun, url: l.public, detail: l.after("starting", " "+l.program)})
	config, folder, err := writeConfig(l.local, l.path)
	if err != nil {
		return end{why: err.Error()}
	}
	defer folder.Remove()
	c, err := start(l.program, arguments(config, l.local, l.token != ""), environment(l.token), l.log)
	if err != nil {
		return end{why: fmt.Sprintf("%s cannot be run: %v", l.program, cause(err)), refused: true}
	}
	defer c.stop(l.patience)
	polling, cancel := context.WithCancel(ctx) // a poll in progress ends with the program
	defer cancel()
	go func() {
		select {
		case <-c.done:
			cancel()
		case <-polling.Done():
		}
	}()
	var m *meter
	l.heard = time.Now()
	poll := time.NewTimer(l.silence)
	defer poll.Stop()
	for {
		select {
		case <-c.done:
			return l.ended(c.cmd.ProcessState.ExitCode())
		case <-ctx.Done():
			return end{}
		case address := <-l.log.metrics:
			m = newMeter(address, l.answer)
			defer m.close()
			poll.Reset(0)
		case <-poll.C:
			if m == nil {
				return end{why: fmt.Sprintf("cloudflared did not start within %s: %s", l.silence, l.words(time.Time{}))}
			}
			e, again := l.poll(polling, m)
			if again == 0 {
				return e
			}
			poll.Reset(again)
		}
	}
}

// after describes what is happening, with the reason for the last exit or else more.
func (l *session) after(doing, more string) string {
	if l.last != "" {
		return doing + " again after: " + l.last
	}
	return doing + more
}

// poll queries and reports the program's state, and returns when to poll again: 0 if
// the program is of no more use.
func (l *session) poll(ctx context.Context, m *meter) (e end, again time.Duration) {
	n, err := m.connections(ctx)
	if ctx.Err() != nil {
		return end{}, l.fast
	}
	if err != nil {
		if l.unread++; l.unread >= unreadMax {
			l.report(linkStatus{state: model.TunnelReconnecting, url: l.url(), detail: "cloudflared is not responding; its state is unknown"})
		}
		if time.Since(l.heard) > l.silence {
			return end{why: "cloudflared hung"}, 0
		}
		return end{}, l.fast
	}
	l.unread, l.heard = 0, time.Now()
	if n == 0 {
		return l.unconnected(ctx, m)
	}
	return l.connected(ctx, m, n)
}

// url is the public URL, "" if unknown. A quick tunnel keeps it while the program
// runs.
func (l *session) url() string {
	if l.host == "" {
		return l.public
	}
	return "https://" + l.host + l.path
}

func (l *session) connected(ctx context.Context, m *meter, n int) (e end, again time.Duration) {
	if l.since.IsZero() {
		l.since = l.now()
	}
	refusals, err := m.refusals(ctx)
	if err != nil {
		refusals = l.outage.refusals
	}
	l.outage = outage{refusals: refusals}
	if l.token != "" {
		return end{}, l.named(ctx, m, n)
	}
	if l.host == "" {
		if l.host, err = m.quickHost(ctx); err != nil {
			l.report(linkStatus{state: l.begun, detail: "connected, but without a public URL: " + clean.Line(err.Error())})
		}
		if l.host == "" {
			return end{}, l.fast
		}
	}
	l.report(linkStatus{state: model.TunnelConnected, url: l.url(), detail: fmt.Sprintf("%d of 1", n), settle: l.settle})
	return end{}, l.slow
}

func (l *session) named(ctx context.Context, m *meter, n int) (again time.Duration) {
	detail := fmt.Sprintf("%d of 4", n)
	rules, remote, err := m.rules(ctx)
	public := l.public
	switch {
	case err != nil:
		// Try again at the next poll.
	case remote:
		var problem string
		if public, problem = l.service(rules); problem != "" {
			detail += "; " + problem
		}
	case public == "":
		detail += "; its public URL is unknown: set --public-url"
	}
	l.report(linkStatus{state: model.TunnelConnected, url: public, detail: detail})
	return l.slow
}

func (l *session) ended(code int) end {
	if usage := l.log.misuse(); usage != "" {
		return end{why: fmt.Sprintf("%s does not support a required flag (%s): install a newer version", l.program, usage), refused: true}
	}
	if code < 0 { // killed, so its output does not say why
		return end{why: "cloudflared was killed by a signal"}
	}
	words := l.words(time.Now().Add(-recentError))
	is := func(texts ...string) bool {
		_, found := l.log.find(texts...)
		return found
	}
	switch {
	case code == 255:
		return end{why: fmt.Sprintf("cloudflared rejects its configuration: %s", words), refused: true}
	case !l.since.IsZero():
		return end{why: fmt.Sprintf("cloudflared exited (exit code %d): %s", code, words)}
	case is("429 Too Many Requests", "error code: 1015"):
		return end{why: "Cloudflare is limiting quick tunnels for this network (429), usually for some minutes;" +
			" --tunnel=svix or a named tunnel works now", limited: true}
	case is("failed to request quick Tunnel"):
		return end{why: "cannot reach Cloudflare's quick tunnels; check the network, DNS and firewall: " + words}
	case is("Could not lookup srv"):
		return end{why: "cannot resolve Cloudflare's addresses; check the network and DNS: " + words}
	case is("unmarshal", "failed to parse quick Tunnel ID"):
		return end{why: "Cloudflare's quick tunnels do not work at the moment; --tunnel=svix does not need them: " + words}
	}
	return end{why: fmt.Sprintf("cloudflared exited before it was connected (exit code %d): %s", code, words)}
}

// words are the program's own reason for its exit, if not older than since.
func (l *session) words(since time.Time) string {
	if words := l.log.lastWords(since); words != "" {
		return words
	}
	return "no reason given"
}

// outage is a time without a connection to the edge. It uses the monotonic clock,
// because nothing is refused while the machine is asleep.
type outage struct {
	refusals int       // the counter when last connected
	since    time.Time // of the first poll without a connection, zero before

	counted     int       // the counter at the newest refusal, 0 if none
	first, last time.Time // when refusals were seen
}

func (o *outage) count(refusals int, now time.Time) {
	if refusals <= max(o.refusals, o.counted) {
		return
	}
	if o.counted == 0 {
		o.first = now
	}
	o.counted, o.last = refusals, now
}

// refused reports whether the edge has kept refusing for as long as certain. After an
// interruption it may refuse a valid tunnel for some seconds.
func (o *outage) refused(certain time.Duration) bool {
	return o.counted-o.refusals >= refusedOften && o.last.Sub(o.first) >= certain
}

// unconnected reports the outage, and ends the run if waiting is useless.
func (l *session) unconnected(ctx context.Context, m *meter) (e end, again time.Duration) {
	now := time.Now()
	if l.outage.since.IsZero() {
		l.outage.since = now
	}
	if refusals, err := m.refusals(ctx); err == nil {
		l.outage.count(refusals, now)
	}
	if l.outage.refused(l.certain) {
		return l.refusal(), 0
	}
	if !l.since.IsZero() && now.Sub(l.outage.since) >= l.lost {
		// After a QUIC connection cloudflared tries nothing else, even if the current
		// network blocks UDP. A restart changes the URL of a quick tunnel, so the network
		// must be up.
		if l.token != "" || l.host != "" && l.outside(ctx, l.host) {
			why := fmt.Sprintf("the connection to Cloudflare did not return within %s; restarting cloudflared", l.lost)
			if l.token == "" {
				why += ", so the public URL will change"
			}
			return end{why: why}, 0
		}
		l.outage.since = now
	}
	state, why := l.begun, l.after("connecting to Cloudflare", "; takes 15 s longer if UDP port 7844 is blocked")
	switch {
	case l.since.IsZero() && now.Sub(l.outage.since) >= l.unheard:
		why = "Cloudflare's edge does not answer: UDP and TCP port 7844 seem to be blocked; check the network and the" +
			" firewall, or use --tunnel=svix; cloudflared keeps trying"
	case !l.since.IsZero():
		state, why = model.TunnelReconnecting, "lost the connection to Cloudflare; cloudflared is reconnecting"
	}
	if l.outage.counted > 0 {
		why = "Cloudflare's edge refuses the connection; cloudflared keeps trying"
	}
	l.report(linkStatus{state: state, url: l.url(), detail: why})
	return end{}, l.fast
}

func answersTCP(ctx context.Context, host string) bool {
	d := net.Dialer{Timeout: 5 * time.Second}
	c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(host, "443"))
	if err == nil {
		c.Close()
	}
	return err == nil
}

// refusal is the end of a run that the edge refuses for good. Every retry and every new
// quick tunnel counts against Cloudflare's limits.
func (l *session) refusal() end {
	if l.token == "" {
		return end{why: "Cloudflare no longer accepts this quick tunnel; the next one has another URL", limited: true}
	}
	why := "Cloudflare rejects this tunnel: its token was probably revoked, or the tunnel was deleted; get a new token from the dashboard"
	if words, ok := l.log.find("Register tunnel error"); ok {
		why += " (" + words + ")"
	}
	return end{why: why, limited: true, failed: true}
}
