package tunnel

import (
	"strings"
	"testing"

	"aspectop/model"
)

func TestAddressesThatMeanNothingElsewhereAreKnown(t *testing.T) {
	for url, want := range map[string]string{
		"http://localhost:23000":           "localhost:23000, which is a loopback address",
		"https://app.localhost./x":         "a loopback address",
		"http://127.0.0.1:8787":            "a loopback address",
		"http://127.9.9.9":                 "a loopback address",
		"https://[::1]:1":                  "a loopback address",
		"https://[::ffff:127.0.0.1]":       "a loopback address",
		"https://0.0.0.0":                  "a loopback address",
		"https://10.1.2.3":                 "10.1.2.3, which is a private address",
		"https://172.31.0.1/x":             "a private address",
		"https://192.168.1.9":              "a private address",
		"https://169.254.1.1":              "a private address",
		"https://100.64.0.7":               "a private address",
		"https://[fd00::1]":                "a private address",
		"https://[fe80::1]":                "a private address",
		"https://224.0.0.1":                "a multicast address",
		"https://Printer.LOCAL/x":          "a name of the local network only",
		"https://gateway":                  "a name of the local network only",
		"https://nas.Home.arpa.":           "a name of the local network only",
		"https://db.corp.internal.":        "a name of the local network only",
		"http://example.com":               "http://example.com is not encrypted",
		"http://8.8.8.8":                   "is not encrypted",
		"https://example.com":              "",
		"https://8.8.8.8":                  "",
		"https://172.32.0.1":               "",
		"https://[2001:4860:4860::8888]":   "",
		"https://local.example.com":        "",
		"https://xn--bcher-kva.example/x":  "",
		"https://100.128.0.1/webhooks":     "",
		"https://localhost.example.com:44": "",
	} {
		o := Options{Mode: OwnURL, PublicURL: url}
		if got := o.unreachable(); got != want && (want == "" || !strings.Contains(got, want)) {
			t.Errorf("of %s it is said %q, not %q", url, got, want)
		}
	}
	if got := (&Options{Mode: Cloudflared, PublicURL: "https://10.0.0.1"}).unreachable(); got != "" {
		t.Errorf("of a named tunnel it is said %q", got)
	}
}

// The probe comes through all the same.
func TestThatSvixCannotReachAURLIsToldAtOnceAndInTheState(t *testing.T) {
	r := newTarget(t)
	told := &reports{}
	tunnel, err := Start(t.Context(), Options{
		Mode: OwnURL, PublicURL: "http://" + r.address, Local: "http://" + r.address, Path: webhookPath, Prober: r.Prober, Report: told.add,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer tunnel.Stop()
	says := "Svix cannot reach " + r.address + ", which is a loopback address"
	if got := tunnel.Notice(); !strings.HasPrefix(got, says) {
		t.Errorf("at the start it is said %q", got)
	}
	if err := tunnel.Ready(t.Context(), enough); err != nil {
		t.Fatal(err)
	}
	connected, _ := told.wait(t, 0, "that it is connected", is(model.TunnelConnected))
	if !connected.Probe.OK || !strings.HasPrefix(connected.Doubt, says) || !strings.Contains(connected.Detail, says) {
		t.Errorf("the state is %+v", connected)
	}
}
