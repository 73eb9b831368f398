package tunnel

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/model"
)

const public = "https://a.example.com/webhooks/aspect"

// trial is a Tunnel in virtual time, on a provider that says what the test tells
// it to say, and with a public URL that answers as the test wants.
type trial struct {
	*Tunnel
	*reports
	prober *Prober
	says   chan linkStatus
	woken  atomic.Int32
	probes atomic.Int32
	status atomic.Int32 // what is answered to probes; 0 lets them through, -1 never answers
	ahead  atomic.Int64 // of the clock on the wall
}

// inVirtualTime runs f with a Tunnel that is starting.
func inVirtualTime(t *testing.T, f func(t *testing.T, b *trial)) {
	synctest.Test(t, func(t *testing.T) {
		b := &trial{reports: &reports{}, prober: NewProber(sign), says: make(chan linkStatus)}
		net := newPipes(b)
		defer net.shut()
		b.prober.transport.DialTLSContext = net.dial
		b.prober.transport.DialContext = net.dial
		b.Tunnel = launch(t.Context(), Options{
			Mode: Cloudflared, Prober: b.prober, Report: b.add,
			Now: func() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) },
		}, b.carry, "")
		defer b.Stop()
		f(t, b)
	})
}

func (b *trial) carry(ctx context.Context, wake <-chan struct{}, report func(linkStatus)) {
	report(linkStatus{state: model.TunnelStarting, detail: "warming up"})
	for {
		select {
		case l := <-b.says:
			report(l)
		case <-wake:
			b.woken.Add(1)
		case <-ctx.Done():
			return
		}
	}
}

func (b *trial) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	b.probes.Add(1)
	switch status := b.status.Load(); status {
	case 0:
		b.prober.Saw(r.Header.Get("Svix-Id"))
		w.WriteHeader(http.StatusNoContent)
	case -1:
		<-r.Context().Done()
	default:
		w.WriteHeader(int(status))
	}
}

// say has the provider say it, and waits until all that follows has happened.
func (b *trial) say(state model.TunnelState, url string) {
	b.says <- linkStatus{state: state, url: url, detail: string(state) + " in words"}
	synctest.Wait()
}

func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b *trial) expectProbes(t *testing.T, want int32) {
	t.Helper()
	if got := b.probes.Load(); got != want {
		t.Fatalf("%d probes, not %d: %s", got, want, b.reports)
	}
}

func TestAConnectedTunnelIsProbedAtOnceAndEveryFiveMinutes(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		after(time.Hour)
		b.expectProbes(t, 0)
		b.say(model.TunnelConnected, public)
		b.expectProbes(t, 1)
		before := *b.State().Probe
		after(4*time.Minute + 59*time.Second)
		b.expectProbes(t, 1)
		after(20*time.Minute + 2*time.Second)
		b.expectProbes(t, 6)
		if now := b.State().Probe; !now.OK || now.At.Sub(before.At) != 25*time.Minute {
			t.Errorf("the probe shown is %+v, the first was %+v", now, before)
		}
	})
}

func TestOneLostProbeIsNoNewsAndThreeInARowAre(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		b.status.Store(502)
		b.say(model.TunnelConnected, public)
		after(2 * time.Second)
		b.expectProbes(t, 2)
		if p := b.State().Probe; p != nil {
			t.Fatalf("after two of them, a probe is shown: %+v", p)
		}
		after(2 * time.Second)
		b.expectProbes(t, 3)
		if p := b.State().Probe; p == nil || p.OK || !strings.HasPrefix(p.Detail, "tunnel: ") {
			t.Fatalf("after three of them, %+v is shown", p)
		}
		b.status.Store(0)
		after(5 * time.Second)
		if p := b.State().Probe; p == nil || !p.OK || p.Detail != "" {
			t.Fatalf("when it came through, %+v is shown", p)
		}
	})
}

func TestAFailingProbeIsRepeatedWithGrowingPauses(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		b.status.Store(530)
		b.say(model.TunnelConnected, public)
		last := time.Now()
		var pauses []time.Duration
		for seen := b.probes.Load(); len(pauses) < 10; time.Sleep(100 * time.Millisecond) {
			if n := b.probes.Load(); n != seen {
				pauses = append(pauses, time.Since(last).Round(time.Second))
				seen, last = n, time.Now()
			}
		}
		for i := 1; i < len(pauses); i++ {
			if pauses[i] < pauses[i-1] {
				t.Errorf("the pauses do not grow: %v", pauses)
			}
		}
		if pauses[0] != time.Second || pauses[9] != probeEvery {
			t.Errorf("the pauses are %v", pauses)
		}
	})
}

func TestAfterAReconnectTheOldProbeIsForgottenAndANewOneSent(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		b.say(model.TunnelConnected, public)
		b.say(model.TunnelReconnecting, public)
		if got := b.State(); got.Probe != nil || got.PublicURL != public {
			t.Errorf("while reconnecting: %+v", got)
		}
		after(time.Hour)
		b.expectProbes(t, 1)
		b.say(model.TunnelConnected, public)
		b.expectProbes(t, 2)
		b.says <- linkStatus{state: model.TunnelConnected, url: public, detail: "3 of 4"}
		synctest.Wait()
		b.expectProbes(t, 2)
		if got := b.State(); got.Detail != "3 of 4" || got.Probe == nil {
			t.Errorf("with one more connection: %+v", got)
		}
	})
}

func TestAProbeOfTheOldAddressSaysNothingAboutTheNew(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		b.status.Store(-1)
		b.say(model.TunnelConnected, public)
		b.status.Store(0)
		b.say(model.TunnelConnected, "https://b.example.com/")
		b.expectProbes(t, 2)
		after(probeTimeout + time.Second)
		if got := b.State(); got.PublicURL != "https://b.example.com/" || got.Probe == nil || !got.Probe.OK {
			t.Errorf("reported %+v", got)
		}
	})
}

func TestWakingFromSleepProbesAndTellsTheCarrier(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		b.say(model.TunnelConnected, public)
		after(time.Minute)
		b.expectProbes(t, 1)
		b.ahead.Add(int64(time.Hour)) // the wall's clock goes on in sleep
		after(clockEvery)
		b.expectProbes(t, 2)
		if b.woken.Load() != 1 {
			t.Errorf("the provider was woken %d times", b.woken.Load())
		}
		b.ahead.Add(-int64(time.Hour)) // set back, as by NTP
		after(time.Minute)
		b.expectProbes(t, 2)
	})
}

func TestStopWaitsForNoProbeAndEndsWithOff(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		b.status.Store(-1)
		b.say(model.TunnelConnected, public)
		start := time.Now()
		b.Stop()
		if time.Since(start) != 0 {
			t.Errorf("it took %s", time.Since(start))
		}
		all := b.list()
		if last := all[len(all)-1]; last.State != model.TunnelOff || last.PublicURL != "" || last.Probe != nil {
			t.Errorf("the last report is %+v", last)
		}
	})
}

func TestNothingIsReportedTwice(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		for range 3 {
			b.say(model.TunnelReconnecting, "")
		}
		if n := len(b.list()); n != 2 {
			t.Errorf("%d reports: %s", n, b.reports)
		}
	})
}

func TestOfAnAddressOfOnesOwnTheProbeTellsTheState(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		b.status.Store(502)
		b.says <- linkStatus{state: model.TunnelStarting, url: public, unmeasured: true}
		synctest.Wait()
		if got := b.State(); got.State != model.TunnelStarting || got.PublicURL != public {
			t.Errorf("at first: %+v", got)
		}
		after(4 * time.Second)
		got := b.State()
		if got.State != model.TunnelFailed || !strings.HasPrefix(got.Detail, "tunnel: ") || got.NextTry.Before(time.Now()) {
			t.Errorf("when it leads nowhere: %+v", got)
		}
		b.status.Store(0)
		after(5 * time.Second)
		if got := b.State(); got.State != model.TunnelConnected || !got.NextTry.IsZero() {
			t.Errorf("when it leads here: %+v", got)
		}
		b.status.Store(502)
		after(probeEvery + 10*time.Second)
		if got := b.State(); got.State != model.TunnelReconnecting || !strings.HasPrefix(got.Detail, "tunnel: ") {
			t.Errorf("when it was lost: %+v", got)
		}
	})
}
