package tunnel

import (
	"context"
	"os"
	"testing"
	"time"

	"aspectop/model"
)

// hostJob, in the environment of this test binary, makes it run a tunnel until
// it is killed.
const hostJob = "TUNNEL_TEST_HOST"

func hostUntilKilled() {
	_, err := Start(context.Background(), Options{
		Mode: Cloudflared, Local: "http://127.0.0.1:1", Path: webhookPath, Prober: newProber(), Report: func(model.Tunnel) {},
	})
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	select {}
}

func TestAChildThatWillNotEndIsKilledAfterItsGrace(t *testing.T) {
	s := quick()
	s.Stubborn = true
	r := open(t, s, setup{pace: func(c *cloudflared) { c.patience = 100 * time.Millisecond }})
	ready(t, r)
	start := time.Now()
	r.Stop()
	if took := time.Since(start); took < 100*time.Millisecond || took > 5*time.Second {
		t.Errorf("Stop took %s", took)
	}
	gone(t, r.runs()[0].Pid)
}

func TestStopGivesCloudflaredItsGrace(t *testing.T) {
	c, err := newCloudflared(Options{Local: "http://127.0.0.1:1", Path: webhookPath, Program: os.Args[0]})
	if err != nil {
		t.Fatal(err)
	}
	if c.patience != grace+2*time.Second {
		t.Errorf("patience is %s with a grace of %s", c.patience, grace)
	}
}

func TestStopEndsWhatTheChildStarted(t *testing.T) {
	s := quick()
	s.Offspring = true
	r := open(t, s, setup{})
	ready(t, r)
	run := r.runs()[0]
	if run.Offspring == 0 {
		t.Fatal("it started nothing")
	}
	r.Stop()
	gone(t, run.Pid)
	gone(t, run.Offspring)
}

func TestAChildThatDiedLeavesNothingBehind(t *testing.T) {
	s := quick()
	s.Offspring = true
	r := open(t, s, setup{})
	ready(t, r)
	run := r.runs()[0]
	s.Ends, s.Code = true, 1
	r.now(s)
	gone(t, run.Offspring)
}

func TestStopDuringTheStartLeavesNoChild(t *testing.T) {
	r := open(t, script{Unmetered: true}, setup{})
	eventually(t, func() bool { return len(r.runs()) == 1 }, func() string { return "it does not start" })
	r.Stop()
	gone(t, r.runs()[0].Pid)
}

func TestStopEndsAPauseAtOnce(t *testing.T) {
	r := open(t, script{Ends: true, Code: 1}, setup{pace: func(c *cloudflared) {
		c.pause = func(int, bool) time.Duration { return time.Hour }
	}})
	r.wait(t, 0, "that it waits", func(m model.Tunnel) bool { return !m.NextTry.IsZero() })
	r.Stop()
}

func TestTheEndOfTheContextIsAStop(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p, l, all := install(t, quick()), newLocal(t), &reports{}
	tunnel, err := Start(ctx, Options{Mode: Cloudflared, Local: l.URL, Path: webhookPath, Prober: l.prober, Report: all.add})
	if err != nil {
		t.Fatal(err)
	}
	all.wait(t, 0, "that it is connected", is(model.TunnelConnected))
	cancel()
	all.wait(t, 0, "that it is off", is(model.TunnelOff))
	tunnel.Stop()
	gone(t, p.runs()[0].Pid)
}
