package tunnel

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/model"
)

func TestAProbeThatFindsTheSameIsSeenInTheStateAndNotReported(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		b.say(model.TunnelConnected, public)
		n, before := len(b.list()), b.State().Probe.At
		after(time.Hour + time.Second)
		if now := b.State().Probe.At; now.Sub(before) != time.Hour || len(b.list()) != n {
			t.Errorf("the newest probe is of %s, the first of %s: %s", now, before, b.reports)
		}
		b.status.Store(502)
		after(checkEvery + 10*time.Second)
		if all := b.list(); len(all) != n+1 || all[n].Probe.OK {
			t.Errorf("when it failed: %s", b.reports)
		}
		b.say(model.TunnelReconnecting, public)
		b.status.Store(0)
		n = len(b.list())
		b.say(model.TunnelConnected, public)
		if all := b.list(); len(all) != n+2 || all[n+1].Probe == nil {
			t.Errorf("the first of a new connection: %s", b.reports)
		}
	})
}

func TestANewNameIsNotAskedForBeforeItIsKnown(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		settled := func(state model.TunnelState) linkStatus {
			return linkStatus{state: state, url: public, settle: time.Second}
		}
		b.says <- settled(model.TunnelConnected)
		after(time.Second - time.Millisecond)
		b.says <- settled(model.TunnelConnected)
		synctest.Wait()
		b.expectProbes(t, 0)
		after(time.Millisecond)
		b.expectProbes(t, 1)
		b.say(model.TunnelReconnecting, public)
		b.says <- settled(model.TunnelConnected)
		synctest.Wait()
		b.expectProbes(t, 2) // the name is known by now
	})
}

func TestANewQuickTunnelIsLeftToSettleForASecond(t *testing.T) {
	install(t, quick())
	c, err := newCloudflared(Options{Local: "http://127.0.0.1:1", Path: webhookPath, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var settle time.Duration
	c.run(ctx, nil, func(l linkStatus) {
		if l.state == model.TunnelConnected {
			settle = l.settle
			cancel()
		}
	})
	if settle != time.Second {
		t.Errorf("it is left to settle for %s", settle)
	}
}
