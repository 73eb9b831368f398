package tunnel

import (
	"context"
	"fmt"
	"net"
	"time"

	"aspectop/model"
)

// refusedOften is how many refusals are the least that is no accident.
const refusedOften = 3

// outage is a time without any connection to the edge. Its clock is the
// monotonic one: while the machine sleeps, nothing is refused.
type outage struct {
	refusals int       // the counter when last connected
	since    time.Time // of the first look that found no connection, zero before it

	counted     int       // the counter at the newest refusal, 0 if there was none
	first, last time.Time // refusals, as they were seen
}

// count takes the counter of refusals.
func (o *outage) count(refusals int, now time.Time) {
	if refusals <= max(o.refusals, o.counted) {
		return
	}
	if o.counted == 0 {
		o.first = now
	}
	o.counted, o.last = refusals, now
}

// refused reports whether the edge refuses, and goes on doing so, for as long
// as certain. After a cut it may do so for some seconds with a tunnel that it
// accepts again.
func (o *outage) refused(certain time.Duration) bool {
	return o.counted-o.refusals >= refusedOften && o.last.Sub(o.first) >= certain
}

// unconnected tells what is known about the outage. It ends the life when
// nothing more can come of it.
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

// stuck reports whether a new start may connect where the present program does
// not. Once it was connected over QUIC, cloudflared tries nothing else, also
// when UDP is blocked in the network that it is in now. The address of a quick
// tunnel is lost by it, so there must be a network at all.
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

// loss is the end that follows when the connection does not come back.
func (l *life) loss() end {
	why := fmt.Sprintf("the connection to Cloudflare did not return within %s; restarting cloudflared", l.lost)
	if l.token == "" {
		why += ", so the public URL will change"
	}
	return end{why: why}
}

// refusal is the end that follows when the edge refuses for good. Every further
// try, and every new quick tunnel, would count against Cloudflare's limits.
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
