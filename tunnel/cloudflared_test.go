package tunnel

import (
	"testing"

	"aspectop/model"
)

func TestAQuickTunnelIsReadyWhenTheProbeCameThrough(t *testing.T) {
	r := open(t, script{Connections: 1, Hosts: []string{"a-b-c.trycloudflare.com"}})
	if err := r.Ready(t.Context(), enough); err != nil {
		t.Fatal(err, r.reports)
	}
	got := r.State()
	if got.State != model.TunnelConnected || got.Detail != "1 of 1" || got.Kind != "cloudflared" ||
		got.PublicURL != "https://a-b-c.trycloudflare.com/webhooks/aspect" {
		t.Errorf("reported %+v", got)
	}
	if got.Probe == nil || !got.Probe.OK || got.Probe.RoundTrip <= 0 || got.Probe.At.IsZero() {
		t.Errorf("the probe is %+v", got.Probe)
	}
	if first := r.list()[0]; first.State != model.TunnelStarting {
		t.Errorf("the first report is %+v", first)
	}
	r.Stop()
	if got := r.State(); got.State != model.TunnelOff || got.PublicURL != "" {
		t.Errorf("after Stop: %+v", got)
	}
}
