package tunnel

import (
	"context"
	"fmt"
	"net"
	"time"

	"aspectop/model"
)

// refusedOften is the minimum number of refusals that count as final.
const refusedOften = 3

// outage is a time without a connection to the edge. It uses the monotonic clock,
// because nothing is refused while the machine is asleep.
type outage struct {
	refusals int       // the counter when last connected
	since    time.Time // of the first look without a connection, zero before

	counted     int       // the counter at the newest refusal, 0 if none
	first, last time.Time // when refusals were seen
}

// count handles a new value of the counter.
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
func (l *life) unconnected(ctx context.Context, m *meter) (e end, again time.Duration) {
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
		if l.stuck(ctx) {
			return l.loss(), 0
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
	l.tell(link{state: state, url: l.url(), detail: why})
	return end{}, l.fast
}

// stuck reports whether a restart may help. After a QUIC connection cloudflared tries
// nothing else, even if the current network blocks UDP. A restart changes the URL of a
// quick tunnel, so the network must be up.
func (l *life) stuck(ctx context.Context) bool {
	return l.token != "" || l.host != "" && l.outside(ctx, l.host)
}

func answersTCP(ctx context.Context, host string) bool {
	d := net.Dialer{Timeout: 5 * time.Second}
	c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(host, "443"))
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// loss is the end of a run whose connection does not return.
func (l *life) loss() end {
	why := fmt.Sprintf("the connection to Cloudflare did not return within %s; restarting cloudflared", l.lost)
	if l.token == "" {
		why += ", so the public URL will change"
	}
	return end{why: why}
}

// refusal is the end of a run that the edge refuses for good. Every retry and every new
// quick tunnel counts against Cloudflare's limits.
func (l *life) refusal() end {
	if l.token == "" {
		return end{why: "Cloudflare no longer accepts this quick tunnel; the next one has another URL", limited: true}
	}
	why := "Cloudflare rejects this tunnel: its token was probably revoked, or the tunnel was deleted; get a new token from the dashboard"
	if words, ok := l.log.find("Register tunnel error"); ok {
		why += " (" + words + ")"
	}
	return end{why: why, limited: true, failed: true}
}
