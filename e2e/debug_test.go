//go:build unix

package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A run that has every secret there is.
func TestTheDebugLogFollowsADeliveryAndContainsNoSecret(t *testing.T) {
	api, address := aspectAPI(t), freeAddress(t)
	public := ownTunnel(t, address)
	handler := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(handler.Close)
	path := filepath.Join(t.TempDir(), "debug.log")
	watch := with(program(t, "watch", "--json", "--listen", address, "--public-url", public, "--forward-to",
		handler.URL+"/?token=hush", "--forward-secret-env", "HANDLER_SECRET"), api.environment()...)
	p := inPipe(t, with(watch, "ASPECTOP_DEBUG="+path, "HANDLER_SECRET="+handlerSecret))
	url, _ := p.next("ready")["url"].(string)
	keeps(t, url, delivery{id: "msg_1", body: `{"hush":"body"}`, authorization: "Bearer hush"})
	p.next("forward")
	delivery{id: "msg_2", body: "{}", key: handlerSecret}.post(t, url)
	p.next("rejected")
	malformed := delivery{id: "msg_3", body: "{}"}.request(t, url)
	malformed.Header.Set("Svix-Signature", "hush")
	if resp, err := http.DefaultClient.Do(malformed); err != nil || resp.StatusCode != http.StatusBadRequest {
		t.Fatal(resp, err)
	}
	p.next("rejected")
	p.signal(syscall.SIGINT)
	if code := p.ends(); code != 0 {
		t.Errorf("ended with %d: %s", code, p.errors())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	log := string(text)
	says(t, log, "msg=started", "msg=tunnel state=connected", "msg=delivery id=msg_1 source=webhook", "msg=rejected id=msg_2 reason=no_match",
		"msg=rejected id=msg_3 reason=malformed",
		"msg=forward seq=1", "status=418", "msg=aspect method=POST path=/webhooks/endpoints", "msg=aspect method=DELETE", "msg=ended")
	for _, hush := range []string{strings.TrimPrefix(secret, "whsec_"), strings.TrimPrefix(handlerSecret, "whsec_"), apiKey, "hush"} {
		if strings.Contains(log, hush) {
			t.Errorf("the log contains %q:\n%s", hush, log)
		}
	}
}

func TestProfilesAreServedOnLoopback(t *testing.T) {
	p := inPipe(t, watching(t, "--json", "--pprof", "127.0.0.1:0"))
	url := p.says(`profiles at (\S+)\n`)
	client := http.Client{Timeout: 5 * time.Second}
	res, err := client.Get(url + "heap?debug=1")
	if err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("%v, %v", res, err)
	}
}
