package tunnel

import (
	"context"
	"reflect"
	"time"

	"aspectop/model"
)

const (
	probeEvery = 5 * time.Minute
	// counts is how many probes must fail in a row before that is reported: a new
	// quick tunnel takes some seconds to be reachable, and one lost request is normal.
	counts = 3

	clockEvery = 5 * time.Second
	// slept is how much more than clockEvery the wall clock must advance to conclude
	// that the machine was asleep or this process stopped.
	slept = 10 * time.Second
)

// probePauses are the pauses after failed probes, followed by probeEvery.
var probePauses = [...]time.Duration{
	time.Second, 2 * time.Second, 3 * time.Second, 5 * time.Second, 8 * time.Second,
	15 * time.Second, 30 * time.Second, time.Minute,
}

// watch is the state of the goroutine that reports.
type watch struct {
	*Tunnel
	link    link
	came    bool         // a probe has succeeded
	probe   *model.Probe // the newest that counts
	failed  int          // failed probes in a row
	next    *time.Timer  // the next probe
	nextAt  time.Time
	running context.CancelFunc // of the probe under way, nil if none is
	probed  chan model.Probe   // of the probe under way
}

// run is the only goroutine that reports.
func (t *Tunnel) run(ctx context.Context) {
	defer close(t.done)
	defer t.cancel()
	links := make(chan link)
	wake := make(chan struct{}, 1)
	go func() {
		defer close(links)
		t.carry(ctx, wake, func(l link) { links <- l })
	}()

	w := &watch{Tunnel: t, next: time.NewTimer(time.Hour)}
	w.next.Stop()
	defer w.next.Stop()
	clock := time.NewTicker(clockEvery)
	defer clock.Stop()
	wall := t.wall()
	for {
		select {
		case l, open := <-links:
			if !open {
				w.drop()
				w.tell(model.Tunnel{Kind: string(t.o.Mode), State: model.TunnelOff})
				return
			}
			w.follow(ctx, l)
		case p := <-w.probed:
			w.judge(p)
		case <-w.next.C:
			w.ask(ctx)
		case <-clock.C:
			before := wall
			if wall = t.wall(); wall.Sub(before) < clockEvery+slept {
				continue
			}
			select {
			case wake <- struct{}{}:
			default:
			}
			if w.asks() {
				w.failed = 0
				w.ask(ctx)
			}
		}
	}
}

// wall is the time without the monotonic reading, which stops during sleep.
func (t *Tunnel) wall() time.Time { return t.o.Now().Round(0) }

// asks reports whether there is a URL to probe.
func (w *watch) asks() bool {
	return w.link.url != "" && (w.link.unmeasured || w.link.state == model.TunnelConnected)
}

// follow handles news from the carrier. Probes of another URL or an earlier connection
// are discarded.
func (w *watch) follow(ctx context.Context, l link) {
	before := w.asks()
	other := l.url != w.link.url
	w.link = l
	switch {
	case !w.asks():
		w.drop()
	case other && l.settle > 0:
		w.drop()
		w.next.Reset(l.settle)
	case other || !before:
		w.drop()
		w.ask(ctx)
	}
	w.show()
}

// drop discards the last probe and cancels a running one.
func (w *watch) drop() {
	if w.running != nil {
		w.running()
		w.running, w.probed = nil, nil
	}
	w.next.Stop()
	w.nextAt = time.Time{}
	w.probe, w.failed = nil, 0
	w.mu.Lock()
	w.missing = ""
	w.mu.Unlock()
}

// ask sends a probe unless one is running.
func (w *watch) ask(ctx context.Context) {
	if w.running != nil {
		return
	}
	w.next.Stop()
	ctx, cancel := context.WithCancel(ctx)
	result := make(chan model.Probe, 1)
	w.running, w.probed = cancel, result
	go func(url string) { result <- w.o.Prober.Probe(ctx, url) }(w.link.url)
}

// judge handles the result of a probe and schedules the next.
func (w *watch) judge(p model.Probe) {
	w.running()
	w.running, w.probed = nil, nil
	pause := probeEvery
	if p.OK {
		w.failed, w.came = 0, true
	} else {
		if w.failed < len(probePauses) {
			pause = probePauses[w.failed]
		}
		w.failed++
	}
	if p.OK || w.failed >= counts {
		w.probe = &p
	}
	w.next.Reset(pause)
	w.nextAt = w.o.Now().Add(pause)
	w.mu.Lock()
	w.missing = p.Detail
	w.mu.Unlock()
	w.show()
}

// show reports the state.
func (w *watch) show() {
	l := w.link
	m := model.Tunnel{
		Kind: string(w.o.Mode), State: l.state, PublicURL: l.url, Detail: l.detail, NextTry: l.nextTry, Probe: w.probe,
	}
	if l.unmeasured {
		switch {
		case w.probe == nil:
			m.Detail = "asking " + l.url
		case w.probe.OK:
			m.State, m.Detail = model.TunnelConnected, "your own"
		default:
			m.State, m.Detail, m.NextTry = model.TunnelFailed, w.probe.Detail, w.nextAt
			if w.came {
				m.State = model.TunnelReconnecting
			}
		}
	}
	w.tell(m)
}

// tell reports m unless only the time of the probe has changed.
func (w *watch) tell(m model.Tunnel) {
	w.mu.Lock()
	same := reflect.DeepEqual(timeless(m), timeless(w.told))
	w.told = m
	w.refused = w.link.refused
	w.news.Send()
	w.mu.Unlock()
	if !same {
		w.o.Report(m)
	}
}

func timeless(m model.Tunnel) model.Tunnel {
	if m.Probe != nil {
		m.Probe = &model.Probe{OK: m.Probe.OK, Detail: m.Probe.Detail}
	}
	return m
}
