package tunnel

import (
	"context"
	"time"

	"aspectop/model"
)

// refusedOften is how many refusals are the least that is no accident.
const refusedOften = 3

// outage is a time without any connection to the edge. Its clock is the
// monotonic one: while the machine sleeps, nothing is refused.
type outage struct {
	refusals int // the counter when last connected

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
	if refusals, err := m.refusals(ctx); err == nil {
		l.outage.count(refusals, time.Now())
	}
	if l.outage.refused(l.certain) {
		return l.refusal(), 0
	}
	state, why := l.begun, "connecting to Cloudflare; where UDP port 7844 is blocked this takes 15 s longer"
	if !l.since.IsZero() {
		state, why = model.TunnelReconnecting, "the connection to Cloudflare is lost; cloudflared tries again by itself"
	}
	if l.outage.counted > 0 {
		why = "Cloudflare's edge refuses the connection; cloudflared tries again by itself"
	}
	l.tell(link{state: state, url: l.url(), detail: why})
	return end{}, l.fast
}

// refusal is the end that follows when the edge refuses for good. Every further
// try, and every new quick tunnel, would count against Cloudflare's limits.
func (l *life) refusal() end {
	if l.token == "" {
		return end{why: "Cloudflare does not accept this quick tunnel any more; the next one has another address", limited: true}
	}
	why := "Cloudflare refuses this tunnel: most likely its token was revoked or is of a deleted tunnel; take a new one from the dashboard"
	if words, ok := l.log.find("Register tunnel error"); ok {
		why += " (" + words + ")"
	}
	return end{why: why, limited: true, failed: true}
}
