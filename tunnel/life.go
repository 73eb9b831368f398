package tunnel

import (
	"context"
	"fmt"
	"time"

	"aspectop/clean"
	"aspectop/model"
)

const (
	// mute is after how many unanswered looks the state is unknown.
	mute = 3
	// dying is the maximum age of an error that counts as the reason for an exit.
	dying = 5 * time.Second
)

// life is one run of the program.
type life struct {
	*cloudflared
	tell  func(link)
	begun model.TunnelState // starting, or as the last run ended
	last  string            // why the last run ended, "" for the first

	log    *logbook
	since  time.Time // of the first connection, zero before
	host   string    // of a quick tunnel
	outage outage    // the current one
	unread int       // looks in a row without an answer
	heard  time.Time // last answer of the metrics server
}

// end is why a run ended.
type end struct {
	why     string // and what to do
	limited bool   // Cloudflare limits or refuses us: wait for minutes
	failed  bool   // a retry helps only if the user does something
	refused bool   // the program rejects its flags
}

// live runs the program until it exits, is of no more use, or ctx ends.
func (l *life) live(ctx context.Context) end {
	l.log = newLogbook(l.token)
	l.tell(link{state: l.begun, url: l.public, detail: l.after("starting", " "+l.program)})
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
	looking, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // a look in progress ends with the program
		select {
		case <-c.done:
			cancel()
		case <-looking.Done():
		}
	}()

	var m *meter
	l.heard = time.Now()
	look := time.NewTimer(l.silence)
	defer look.Stop()
	for {
		select {
		case <-c.done:
			return l.ended(c.state().ExitCode())
		case <-ctx.Done():
			return end{}
		case address := <-l.log.metrics:
			m = newMeter(address, l.answer)
			defer m.close()
			look.Reset(0)
		case <-look.C:
			if m == nil {
				return end{why: fmt.Sprintf("cloudflared did not start within %s: %s", l.silence, l.words(time.Time{}))}
			}
			e, again := l.look(looking, m)
			if again == 0 {
				return e
			}
			look.Reset(again)
		}
	}
}

// after describes what is happening, with the reason for the last exit or else more.
func (l *life) after(doing, more string) string {
	if l.last != "" {
		return doing + " again after: " + l.last
	}
	return doing + more
}

// look queries and reports the program's state, and returns when to look again: 0 if
// the program is of no more use.
func (l *life) look(ctx context.Context, m *meter) (e end, again time.Duration) {
	n, err := m.connections(ctx)
	if ctx.Err() != nil {
		return end{}, l.fast
	}
	if err != nil {
		if l.unread++; l.unread >= mute {
			l.tell(link{state: model.TunnelReconnecting, url: l.url(), detail: "cloudflared is not responding; its state is unknown"})
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
func (l *life) url() string {
	if l.host == "" {
		return l.public
	}
	return "https://" + l.host + l.path
}

func (l *life) connected(ctx context.Context, m *meter, n int) (e end, again time.Duration) {
	if l.since.IsZero() {
		l.since = l.now()
	}
	if refused, err := m.refusals(ctx); err == nil {
		l.outage = outage{refusals: refused}
	} else {
		l.outage = outage{refusals: l.outage.refusals}
	}
	if l.token != "" {
		return end{}, l.named(ctx, m, n)
	}
	if l.host == "" {
		host, err := m.quickHost(ctx)
		switch {
		case err != nil:
			l.tell(link{state: l.begun, detail: "connected, but without a public URL: " + clean.Line(err.Error())})
			return end{}, l.fast
		case host == "":
			return end{}, l.fast
		}
		l.host = host
	}
	l.tell(link{state: model.TunnelConnected, url: l.url(), detail: fmt.Sprintf("%d of 1", n), settle: l.settle})
	return end{}, l.slow
}

// named reports the state of a connected named tunnel.
func (l *life) named(ctx context.Context, m *meter, n int) (again time.Duration) {
	detail := fmt.Sprintf("%d of 4", n)
	rules, remote, err := m.rules(ctx)
	public := l.public
	switch {
	case err != nil:
		// Try again at the next look.
	case remote:
		var trouble string
		if public, trouble = l.service(rules); trouble != "" {
			detail += "; " + trouble
		}
	case public == "":
		detail += "; its public URL is unknown: set --public-url"
	}
	l.tell(link{state: model.TunnelConnected, url: public, detail: detail})
	return l.slow
}

// ended says why the program exited.
func (l *life) ended(code int) end {
	if usage := l.log.misuse(); usage != "" {
		return end{why: fmt.Sprintf("%s does not support a required flag (%s): install a newer version", l.program, usage), refused: true}
	}
	if code < 0 { // killed, so its output does not say why
		return end{why: "cloudflared was killed by a signal"}
	}
	words := l.words(time.Now().Add(-dying))
	is := func(texts ...string) bool { _, found := l.log.find(texts...); return found }
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
		return end{why: "Cloudflare's quick tunnels are out of order; --tunnel=svix does not need them: " + words}
	}
	return end{why: fmt.Sprintf("cloudflared exited before it was connected (exit code %d): %s", code, words)}
}

// words are the program's own reason for its exit, if not older than since.
func (l *life) words(since time.Time) string {
	if words := l.log.lastWords(since); words != "" {
		return words
	}
	return "no reason given"
}
