package tunnel

import (
	"context"
	"reflect"
	"time"

	"aspectop/model"
)

const (
	probeEvery = 5 * time.Minute
	// failuresToReport is how many probes must fail in a row before that is reported: a new
	// quick tunnel takes some seconds to be reachable, and one lost request is normal.
	failuresToReport = 3

	clockEvery = 5 * time.Second
	slept      = 10 * time.Second // more than clockEvery on the wall clock: the machine was asleep
)

// probePauses are the pauses after failed probes, followed by probeEvery.
var probePauses = [...]time.Duration{
	time.Second, 2 * time.Second, 3 * time.Second, 5 * time.Second, 8 * time.Second,
	15 * time.Second, 30 * time.Second, time.Minute,
}

// monitor is the state of the goroutine that publishes.
type monitor struct {
	*Tunnel
	status      linkStatus
	succeeded   bool         // a probe has
	probe       *model.Probe // the newest that counts
	failed      int          // failed probes in a row
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
			m.probed(p)
		case <-m.next.C:
			m.start(ctx)
		case <-clock.C:
			before := wall
			if wall = t.wall(); wall.Sub(before) < clockEvery+slept {
				continue
			}
			select {
			case wake <- struct{}{}:
			default:
			}
			if m.canProbe() {
				m.failed = 0
				m.start(ctx)
			}
		}
	}
}

// wall is the time without the monotonic reading, which stops during sleep.
func (t *Tunnel) wall() time.Time { return t.o.Now().Round(0) }

// canProbe reports whether there is a URL to probe.
func (m *monitor) canProbe() bool {
	return m.status.url != "" && (m.status.unmeasured || m.status.state == model.TunnelConnected)
}

// update handles a report of the provider. Probes of another URL or an earlier
// connection are discarded.
func (m *monitor) update(ctx context.Context, l linkStatus) {
	before, other := m.canProbe(), l.url != m.status.url
	m.status = l
	switch {
	case !m.canProbe():
		m.reset()
	case other && l.settle > 0:
		m.reset()
		m.next.Reset(l.settle)
	case other || !before:
		m.reset()
		m.start(ctx)
	}
	m.publishStatus()
}

// reset discards the last probe and cancels a running one.
func (m *monitor) reset() {
	if m.cancelProbe != nil {
		m.cancelProbe()
	}
	m.next.Stop()
	m.cancelProbe, m.result, m.nextAt, m.probe, m.failed = nil, nil, time.Time{}, nil, 0
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
	go func(url string) { result <- m.o.Prober.Probe(ctx, url) }(m.status.url)
}

// probed handles the result of a probe and schedules the next.
func (m *monitor) probed(p model.Probe) {
	m.cancelProbe()
	m.cancelProbe, m.result = nil, nil
	pause := probeEvery
	if p.OK {
		m.failed, m.succeeded = 0, true
	} else {
		if m.failed < len(probePauses) {
			pause = probePauses[m.failed]
		}
		m.failed++
	}
	if p.OK || m.failed >= failuresToReport {
		m.probe = &p
	}
	m.next.Reset(pause)
	m.nextAt = m.o.Now().Add(pause)
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
		default:
			state.State, state.Detail, state.NextTry = model.TunnelFailed, m.probe.Detail, m.nextAt
			if m.succeeded {
				state.State = model.TunnelReconnecting
			}
		}
	}
	m.publish(state)
}

// publish reports a state unless only the time of the probe has changed.
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
	if m.Probe != nil {
		m.Probe = &model.Probe{OK: m.Probe.OK, Detail: m.Probe.Detail}
	}
	return m
}
