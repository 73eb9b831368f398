package tunnel

import (
	"context"
	"reflect"
	"time"

	"aspectop/broadcast"
	"aspectop/model"
)

const (
	// checkEvery is the pause between probes that come through. Every sixth is a full
	// one, so every five minutes.
	checkEvery = 50 * time.Second
	fullEach   = 6
	// heardPause is the least time between a failed probe and one that a genuine delivery
	// triggers: many may come at once.
	heardPause = 5 * time.Second
	// heardSeldom is that time with ProbeStart, for tunnels that bill requests, once such a
	// probe has failed.
	heardSeldom = 5 * time.Minute

	// failuresToReport is how many probes must fail in a row before that is reported: one
	// lost request is normal. The name of a new quick tunnel takes some seconds to be
	// known, so freshToReport applies until it has been reached.
	failuresToReport = 2
	freshToReport    = 4

	clockEvery = 5 * time.Second
	slept      = 10 * time.Second // more than clockEvery on the wall clock: the machine was asleep
)

// probePauses are the pauses after failed probes in a row; the last one is repeated.
var probePauses = [...]time.Duration{
	0, time.Second, 2 * time.Second, 3 * time.Second, 5 * time.Second, 8 * time.Second, 15 * time.Second, 30 * time.Second,
}

// monitor is the state of the goroutine that publishes.
type monitor struct {
	*Tunnel
	status      linkStatus
	succeeded   bool         // a probe has
	reached     bool         // one of this URL has
	probe       *model.Probe // the newest that counts
	failed      int          // failed probes in a row
	over        int          // failed probes after which none was due
	checks      int          // probes since the last full one that came through; 0: the next is full
	ended       time.Time    // of the newest probe
	begun       time.Time    // when there was something to probe; see ProbeStart
	next        *time.Timer  // the next probe
	nextAt      time.Time
	cancelProbe context.CancelFunc // of the probe under way, nil if none is
	result      chan model.Probe   // of the probe under way
}

// run is the only goroutine that publishes.
func (t *Tunnel) run(ctx context.Context) {
	defer close(t.done)
	defer t.cancel()
	statuses := make(chan linkStatus)
	wake := make(chan struct{}, 1)
	go func() {
		defer close(statuses)
		t.provider(ctx, wake, func(l linkStatus) { statuses <- l })
	}()

	m := &monitor{Tunnel: t, next: time.NewTimer(time.Hour)}
	m.next.Stop()
	defer m.next.Stop()
	clock := time.NewTicker(clockEvery)
	defer clock.Stop()
	wall := t.wall()
	for {
		select {
		case l, open := <-statuses:
			if !open {
				m.reset()
				m.publish(model.Tunnel{Kind: string(t.o.Mode), State: model.TunnelOff})
				return
			}
			m.update(ctx, l)
		case p := <-m.result:
			if ctx.Err() == nil { // what the end cuts off tells nothing of the way
				m.probed(p)
			}
		case <-m.next.C:
			m.start(ctx)
		case <-clock.C:
			before := wall
			if wall = t.wall(); wall.Sub(before) < clockEvery+slept {
				continue
			}
			broadcast.Nudge(wake)
			if m.canProbe() {
				m.renew()
				m.start(ctx)
			}
		case <-t.delivered:
			if m.canProbe() && m.failed > 0 && m.cancelProbe == nil {
				pause := heardPause
				if m.over > 1 {
					pause = heardSeldom
				}
				m.next.Reset(max(0, time.Until(m.ended.Add(pause))))
			}
		}
	}
}

// Delivered says that a genuine delivery has arrived. If the newest probe failed, the next
// one is sent soon. It never waits.
func (t *Tunnel) Delivered() {
	if t.broken.Load() {
		broadcast.Nudge(t.delivered)
	}
}

// wall is the time without the monotonic reading, which stops during sleep.
func (t *Tunnel) wall() time.Time { return t.o.Now().Round(0) }

// canProbe reports whether there is a URL to probe, and it may be.
func (m *monitor) canProbe() bool {
	return m.o.Probing != ProbeOff && m.status.url != "" && (m.status.unmeasured || m.status.state == model.TunnelConnected)
}

// update handles a report of the provider. Probes of another URL or an earlier
// connection are discarded.
func (m *monitor) update(ctx context.Context, l linkStatus) {
	before, other := m.canProbe(), l.url != m.status.url
	m.status = l
	if other {
		m.reached = false
	}
	switch {
	case !m.canProbe():
		m.reset()
	case other && l.settle > 0:
		m.reset()
		m.renew()
		m.next.Reset(l.settle)
	case other || !before:
		m.reset()
		m.renew()
		m.start(ctx)
	}
	m.publishStatus()
}

// renew begins anew after a change: with a full probe, and as long as ProbeStart allows.
func (m *monitor) renew() { m.failed, m.over, m.checks, m.begun = 0, 0, 0, time.Now() }

// reset discards the last probe and cancels a running one.
func (m *monitor) reset() {
	if m.cancelProbe != nil {
		m.cancelProbe()
	}
	m.next.Stop()
	m.cancelProbe, m.result, m.nextAt, m.probe, m.failed = nil, nil, time.Time{}, nil, 0
	m.broken.Store(false)
	m.mu.Lock()
	m.missing = ""
	m.mu.Unlock()
}

// start sends a probe unless one is running.
func (m *monitor) start(ctx context.Context) {
	if m.cancelProbe != nil {
		return
	}
	m.next.Stop()
	ctx, m.cancelProbe = context.WithCancel(ctx)
	result := make(chan model.Probe, 1)
	m.result = result
	go func(url string, full bool) { result <- m.o.Prober.Probe(ctx, url, full) }(m.status.url, m.checks == 0)
}

// probed handles the result of a probe and schedules the next. After a failure all probes
// are full: an empty one would not find what the full one did.
func (m *monitor) probed(p model.Probe) {
	m.cancelProbe()
	m.cancelProbe, m.result, m.ended = nil, nil, time.Now()
	enough := failuresToReport
	if m.status.settle > 0 && !m.reached {
		enough = freshToReport
	}
	pause, more := checkEvery, m.o.Probing != ProbeStart
	if p.OK {
		m.failed, m.succeeded, m.reached = 0, true, true
		m.checks = (m.checks + 1) % fullEach
	} else {
		pause = probePauses[min(m.failed, len(probePauses)-1)]
		m.failed++
		m.checks = 0
		more = more || m.failed < enough || time.Since(m.begun) < m.o.ReadyWait
	}
	if p.OK || m.failed >= enough {
		m.probe = &p
	}
	m.broken.Store(!p.OK)
	m.nextAt = time.Time{}
	if !p.OK && !more {
		m.over++
	}
	if more {
		m.next.Reset(pause)
		m.nextAt = m.o.Now().Add(pause)
	}
	m.mu.Lock()
	m.missing = p.Detail
	m.mu.Unlock()
	m.publishStatus()
}

// publishStatus combines the provider's report with the probe.
func (m *monitor) publishStatus() {
	l := m.status
	state := model.Tunnel{
		Kind: string(m.o.Mode), State: l.state, PublicURL: l.url, Detail: l.detail, NextTry: l.nextTry, Probe: m.probe,
	}
	if l.unmeasured {
		switch {
		case m.probe == nil:
			state.Detail = "asking " + l.url
		case m.probe.OK:
			state.State, state.Detail = model.TunnelConnected, "your own"
			if state.Doubt = m.o.unreachable(); state.Doubt != "" {
				state.Detail += "; " + state.Doubt
			}
		default:
			state.State, state.Detail, state.NextTry = model.TunnelFailed, m.probe.Detail, m.nextAt
			if m.succeeded {
				state.State = model.TunnelReconnecting
			}
		}
	}
	if m.o.Probing == ProbeOff && l.url != "" && (l.unmeasured || l.state == model.TunnelConnected) {
		state.State, state.Detail = model.TunnelUnchecked, l.detail
	}
	m.publish(state)
}

// publish reports a state unless only the times of probes and tries have changed.
func (m *monitor) publish(state model.Tunnel) {
	m.mu.Lock()
	same := reflect.DeepEqual(timeless(state), timeless(m.published))
	m.published, m.refused = state, m.status.refused
	m.changed.Send()
	m.mu.Unlock()
	if !same {
		m.o.Report(state)
	}
}

func timeless(m model.Tunnel) model.Tunnel {
	m.NextTry = time.Time{}
	if m.Probe != nil {
		m.Probe = &model.Probe{OK: m.Probe.OK, Detail: m.Probe.Detail}
	}
	return m
}
