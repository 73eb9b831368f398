package tunnel

import (
	"context"
	"io"
	"net/http"
	"slices"
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
	prober  *Prober
	says    chan linkStatus
	woken   atomic.Int32
	probes  atomic.Int32
	full    atomic.Int32 // of them with a body
	status  atomic.Int32 // what is answered to probes; 0 lets them through, -1 never answers
	probing Probing
	ahead   atomic.Int64 // of the clock on the wall
}

// inVirtualTime runs f with a Tunnel that is starting.
func inVirtualTime(t *testing.T, f func(t *testing.T, b *trial)) { probing(t, ProbeOn, f) }

func probing(t *testing.T, when Probing, f func(t *testing.T, b *trial)) {
	synctest.Test(t, func(t *testing.T) {
		b := &trial{reports: &reports{}, prober: newProber(), says: make(chan linkStatus), probing: when}
		net := newPipes(b)
		defer net.shut()
		b.prober.transport.DialTLSContext = net.dial
		b.prober.transport.DialContext = net.dial
		b.Tunnel = launch(t.Context(), Options{
			Mode: Cloudflared, Prober: b.prober, Report: b.add,
			Now:     func() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) },
			Probing: b.probing, ReadyWait: ReadyWait,
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
	body, _ := io.ReadAll(r.Body)
	b.probes.Add(1)
	if len(body) > 0 {
		b.full.Add(1)
	}
	switch status := b.status.Load(); status {
	case 0:
		b.prober.Saw(r, body)
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

func TestAConnectedTunnelIsCheckedEveryFiftySecondsAndInFullEveryFiveMinutes(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		after(time.Hour)
		b.expectProbes(t, 0)
		b.say(model.TunnelConnected, public)
		b.expectProbes(t, 1)
		before := *b.State().Probe
		after(49 * time.Second)
		b.expectProbes(t, 1)
		after(4 * time.Minute)
		b.expectProbes(t, 6)
		if n := b.full.Load(); n != 1 {
			t.Errorf("%d of 6 probes were full", n)
		}
		after(20*time.Minute + 12*time.Second)
		b.expectProbes(t, 31)
		if n := b.full.Load(); n != 6 {
			t.Errorf("%d of 31 probes were full", n)
		}
		if now := b.State().Probe; !now.OK || now.At.Sub(before.At) != 25*time.Minute {
			t.Errorf("the probe shown is %+v, the first was %+v", now, before)
		}
	})
}

func TestAFailureIsTriedAgainAtOnceAndThenCounted(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		b.status.Store(502)
		b.say(model.TunnelConnected, public)
		after(arrivalWait)
		b.expectProbes(t, 2)
		if p := b.State().Probe; p != nil {
			t.Fatalf("after one of them, a probe is shown: %+v", p)
		}
		after(arrivalWait)
		if p := b.State().Probe; p == nil || p.OK || !strings.HasPrefix(p.Detail, "tunnel: ") {
			t.Fatalf("after two of them, %+v is shown", p)
		}
		b.status.Store(0)
		after(5 * time.Second)
		if p := b.State().Probe; p == nil || !p.OK || p.Detail != "" {
			t.Fatalf("when it came through, %+v is shown", p)
		}
	})
}

func TestADeadTunnelIsToldWithin75Seconds(t *testing.T) {
	for _, status := range []int32{502, 404, -1} { // -1 hangs
		inVirtualTime(t, func(t *testing.T, b *trial) {
			b.say(model.TunnelConnected, public)
			after(10*checkEvery + time.Second) // just after a check
			n, died := len(b.list()), time.Now()
			b.status.Store(status)
			for len(b.list()) == n {
				after(100 * time.Millisecond)
			}
			if took := time.Since(died); took > 75*time.Second || b.list()[n].Probe.OK {
				t.Errorf("with %d it took %s: %s", status, took, b.reports)
			}
		})
	}
}

// At rest is an hour after the last change.
func TestAtRestThereIsOneReportAndAtMostTwoProbesAMinute(t *testing.T) {
	for _, status := range []int32{0, 502, -1} {
		inVirtualTime(t, func(t *testing.T, b *trial) {
			b.says <- linkStatus{state: model.TunnelStarting, url: public, unmeasured: true}
			b.status.Store(status)
			after(time.Minute)
			n := len(b.list())
			after(time.Hour)
			before, full := b.probes.Load(), b.full.Load()
			after(time.Hour)
			if sent := b.probes.Load() - before; sent > 120 || sent < 60 || len(b.list()) != n {
				t.Errorf("with %d: %d probes, and reports%s", status, sent, b.reports)
			}
			if status != 0 && b.full.Load()-full != b.probes.Load()-before {
				t.Errorf("with %d an empty probe could hide what a full one found", status)
			}
		})
	}
}

func TestAFailingProbeIsRepeatedWithGrowingPauses(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		b.status.Store(530)
		b.say(model.TunnelConnected, public)
		last := time.Now()
		var pauses []time.Duration
		for seen := b.probes.Load(); len(pauses) < 9; time.Sleep(100 * time.Millisecond) {
			if n := b.probes.Load(); n != seen {
				pauses = append(pauses, time.Since(last).Round(time.Second)-arrivalWait)
				seen, last = n, time.Now()
			}
		}
		if want := append(probePauses[:], 30*time.Second); !slices.Equal(pauses, want) {
			t.Errorf("the pauses are %v, not %v", pauses, want)
		}
	})
}

func TestAGenuineDeliveryTriggersAProbeOfAFailedTunnel(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		b.status.Store(502)
		b.say(model.TunnelConnected, public)
		after(time.Hour)
		for before := b.probes.Load(); b.probes.Load() == before; {
			after(time.Second)
		}
		after(heardPause + arrivalWait)
		n := b.probes.Load()
		b.status.Store(0)
		b.Delivered()
		synctest.Wait()
		b.expectProbes(t, n+1)
		if p := b.State().Probe; !p.OK {
			t.Errorf("the state is %+v", p)
		}
		for range 100 { // a working tunnel is not asked more often for that
			b.Delivered()
		}
		after(time.Second)
		b.expectProbes(t, n+1)
	})
}

func TestManyDeliveriesThroughAFailedTunnelTriggerOneProbeAtATime(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		b.status.Store(502)
		b.say(model.TunnelConnected, public)
		after(time.Hour)
		n := b.probes.Load()
		for range 600 {
			b.Delivered()
			after(100 * time.Millisecond)
		}
		if sent := b.probes.Load() - n; sent < 7 || sent > 10 { // every 5 s and 2 s
			t.Errorf("%d probes in a minute", sent)
		}
	})
}

func TestTheNameOfANewTunnelMayTakeSomeSeconds(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		b.status.Store(530)
		b.says <- linkStatus{state: model.TunnelConnected, url: public, settle: time.Second}
		after(6 * time.Second)
		if p := b.State().Probe; p != nil || b.probes.Load() < 2 {
			t.Fatalf("after %d probes: %+v", b.probes.Load(), p)
		}
		b.status.Store(0)
		after(6 * time.Second)
		if p := b.State().Probe; p == nil || !p.OK {
			t.Errorf("at last: %+v", p)
		}
	})
}

func TestProbesOnlyAtTheStartAndAfterChanges(t *testing.T) {
	probing(t, ProbeStart, func(t *testing.T, b *trial) {
		b.say(model.TunnelConnected, public)
		after(time.Hour)
		b.expectProbes(t, 1)
		b.say(model.TunnelReconnecting, public)
		b.status.Store(502)
		b.say(model.TunnelConnected, public)
		after(2 * ReadyWait)
		n := b.probes.Load()
		after(time.Hour)
		b.expectProbes(t, n)
		if p := b.State(); n < 4 || p.Probe.OK || !p.NextTry.IsZero() {
			t.Errorf("after %d probes: %+v", n, p)
		}
		for range 100 { // deliveries by another way, for a quarter of an hour
			b.Delivered()
			after(9 * time.Second)
		}
		if more := b.probes.Load() - n; more < 2 || more > 4 {
			t.Errorf("%d probes in 15 minutes with deliveries", more)
		}
		b.status.Store(0)
		b.Delivered()
		after(heardSeldom)
		if p := b.State().Probe; !p.OK {
			t.Errorf("after a delivery: %+v", p)
		}
	})
}

func TestAProbeThatTheEndCutsOffIsNoFailure(t *testing.T) {
	for range 20 { // whichever comes first, that the provider ended or what became of the probe
		inVirtualTime(t, func(t *testing.T, b *trial) {
			b.says <- linkStatus{state: model.TunnelStarting, url: public, unmeasured: true}
			b.status.Store(-1)
			after(probeTimeout + time.Second) // one has failed, and a second is under way
			b.Stop()
			if said := b.reports.String(); strings.Contains(said, "cancel") {
				t.Fatalf("it says %s", said)
			}
		})
	}
}

func TestWithoutProbesTheStateSaysSo(t *testing.T) {
	probing(t, ProbeOff, func(t *testing.T, b *trial) {
		for _, l := range []linkStatus{
			{state: model.TunnelStarting, url: public, unmeasured: true},
			{state: model.TunnelConnected, url: public, detail: "1 of 1"},
		} {
			b.says <- l
			synctest.Wait()
			start := time.Now()
			if err := b.Ready(t.Context(), time.Hour); err != nil || time.Since(start) != 0 {
				t.Errorf("ready after %s: %v", time.Since(start), err)
			}
			after(time.Hour)
			b.Delivered()
			b.expectProbes(t, 0)
			if got := b.State(); got.State != "not checked" || got.Probe != nil || got.Detail != l.detail || got.PublicURL != public {
				t.Errorf("the state is %+v", got)
			}
		}
		b.say(model.TunnelReconnecting, public)
		if got := b.State(); got.State != model.TunnelReconnecting {
			t.Errorf("when it is lost: %+v", got)
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
		b.say(model.TunnelConnected, "https://b.example.com/webhooks/aspect")
		b.expectProbes(t, 2)
		after(probeTimeout + time.Second)
		if got := b.State(); got.PublicURL != "https://b.example.com/webhooks/aspect" || got.Probe == nil || !got.Probe.OK {
			t.Errorf("reported %+v", got)
		}
	})
}

func TestWakingFromSleepProbesAndTellsTheCarrier(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		b.say(model.TunnelConnected, public)
		after(4 * clockEvery)
		b.expectProbes(t, 1)
		b.ahead.Add(int64(time.Hour)) // the wall's clock goes on in sleep
		after(clockEvery)
		b.expectProbes(t, 2)
		if n := b.full.Load(); n != 2 {
			t.Errorf("%d of them were full", n)
		}
		if b.woken.Load() != 1 {
			t.Errorf("the provider was woken %d times", b.woken.Load())
		}
		b.ahead.Add(-int64(time.Hour)) // set back, as by NTP
		after(4 * clockEvery)
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
		after(2 * arrivalWait)
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
		after(checkEvery + 5*time.Second)
		if got := b.State(); got.State != model.TunnelReconnecting || !strings.HasPrefix(got.Detail, "tunnel: ") {
			t.Errorf("when it was lost: %+v", got)
		}
	})
}
