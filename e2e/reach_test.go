//go:build unix

package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// freeAddress is one on which nothing listens now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// ownTunnel is a tunnel of the user's own: what it gets, it posts to the
// address.
func ownTunnel(t *testing.T, address string) string {
	t.Helper()
	server := httptest.NewServer(httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: address}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestAKeyAndAURLAreTheWholeSetUp(t *testing.T) {
	api, address := aspectAPI(t), freeAddress(t)
	public := ownTunnel(t, address)
	secretFile := filepath.Join(t.TempDir(), "secret")
	watch := with(program(t, "watch", "--json", "--listen", address, "--public-url", public, "--secret-out", secretFile), api.environment()...)
	p := inPipe(t, watch)
	ready := p.next("ready")
	if ready["public_url"] != public+"/webhooks/aspect" || ready["probe"] != "ok" || ready["tunnel"] != "url" {
		t.Errorf("the ready line is %v", ready)
	}
	if got := api.registered(); !slices.Equal(got, []string{public + "/webhooks/aspect"}) {
		t.Errorf("endpoints are registered for %v", got)
	}
	if b, err := os.ReadFile(secretFile); err != nil || strings.TrimSpace(string(b)) != secret {
		t.Errorf("the secret was written as %q, %v", b, err)
	}
	if info, err := os.Stat(secretFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret's file is %v, %v", info.Mode(), err)
	}
	keeps(t, public+"/webhooks/aspect", delivery{id: "msg_1", body: tells(upload, "task.progress", time.Now(), feature("visual", "queued"))})
	if e := p.next("event"); e["secret"] != "registered" {
		t.Errorf("the event is %v", e)
	}
	p.signal(syscall.SIGTERM)
	p.next("end")
	if code := p.ends(); code != 0 {
		t.Errorf("the program ended with %d: %s", code, p.errors())
	}
	if got := api.registered(); len(got) != 0 {
		t.Errorf("endpoints are left behind: %v", got)
	}
	if strings.Contains(p.errors(), secret) || strings.Contains(p.errors(), apiKey) {
		t.Errorf("a secret was told: %s", p.errors())
	}
}

func TestAnEndpointLeftByAKillIsTakenOverByTheNextStart(t *testing.T) {
	api, address := aspectAPI(t), freeAddress(t)
	public := ownTunnel(t, address)
	watch := with(program(t, "watch", "--json", "--listen", address, "--public-url", public), api.environment()...)
	p := inPipe(t, watch)
	p.next("ready")
	p.cmd.Process.Kill()
	p.ends()
	if len(api.registered()) != 1 {
		t.Fatalf("endpoints after the kill: %v", api.registered())
	}
	other := ownTunnel(t, address)
	again := with(program(t, "watch", "--json", "--listen", address, "--public-url", other), api.environment()...)
	again.Env = append(watch.Env, api.environment()...) // the same state
	p = inPipe(t, again)
	p.next("ready")
	if got := api.registered(); !slices.Equal(got, []string{other + "/webhooks/aspect"}) {
		t.Errorf("after the next start endpoints point to %v", got)
	}
	p.signal(syscall.SIGINT)
	p.next("end")
	p.ends()
	if got := api.registered(); len(got) != 0 {
		t.Errorf("endpoints are left behind: %v", got)
	}
}

func TestAnEndpointLeftByAKillIsDeletedByAStartThatNeedsNone(t *testing.T) {
	api, address := aspectAPI(t), freeAddress(t)
	first := with(program(t, "watch", "--json", "--listen", address, "--public-url", ownTunnel(t, address)), api.environment()...)
	p := inPipe(t, first)
	p.next("ready")
	p.cmd.Process.Kill()
	p.ends()
	again := watching(t, "--json")
	again.Env = append(first.Env, "ASPECT_WEBHOOK_SECRET="+secret) // the same state, and a secret
	p = inPipe(t, again)
	p.next("ready")
	for end := time.Now().Add(patience); len(api.registered()) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("endpoints are left behind: %v", api.registered())
		}
	}
}

func TestAKeyAloneWatchesWithoutAPort(t *testing.T) {
	api := aspectAPI(t)
	task := fmt.Sprintf(`{"id":%q,"asset_id":"asset-1","features":{"visual":{"state":"processing"}},"user_id":"u","created":%q,"updated":%q}`,
		upload, time.Now().Format(time.RFC3339Nano), time.Now().Format(time.RFC3339Nano))
	api.mu.Lock()
	api.active, api.tasks[upload] = []string{task}, task
	api.mu.Unlock()
	p := inPipe(t, with(program(t, "watch", "--json", "--poll", "1s"), api.environment()...))
	if ready := p.next("ready"); ready["url"] != nil {
		t.Errorf("a port was opened: %v", ready)
	}
	e := p.next("event")
	if e["source"] != "api" || e["task_id"] != upload || e["secret"] != nil {
		t.Errorf("the event is %v", e)
	}
	p.signal(syscall.SIGINT)
	if end := p.next("end"); end["unsigned"] != 1.0 || end["verified"] != 0.0 {
		t.Errorf("a snapshot that did not change was entered again: %v", end)
	}
	p.ends()
	for _, call := range []string{"POST /webhooks/endpoints"} {
		if api.called(call) {
			t.Errorf("%s was called", call)
		}
	}
}

func TestAKeyBesideASecretRegistersNothing(t *testing.T) {
	api := aspectAPI(t)
	p := inPipe(t, with(watching(t, "--json"), api.environment()...))
	p.next("ready")
	p.signal(syscall.SIGINT)
	p.next("end")
	p.ends()
	if api.called("POST /webhooks/endpoints") {
		t.Error("an endpoint was registered although a secret was given")
	}
}

func TestWhatCannotBeReachedIsSaidWithItsCode(t *testing.T) {
	api := aspectAPI(t)
	for _, c := range []struct {
		name string
		args []string
		env  []string
		code int
		says []string
	}{
		{"poll without a key", []string{"--poll", "5s"}, nil, 2, []string{"ASPECT_API_KEY"}},
		{"register without a key", []string{"--register", "--public-url", "https://example.com"}, []string{"ASPECT_WEBHOOK_SECRET=" + secret}, 2, []string{"ASPECT_API_KEY"}},
		{"register without a way", []string{"--register"}, append(api.environment(), "ASPECT_WEBHOOK_SECRET="+secret), 2, []string{"--tunnel"}},
		{"no register without a secret", []string{"--no-register", "--public-url", "https://example.com"}, api.environment(), 2, []string{"ASPECT_WEBHOOK_SECRET"}},
		{"tunnel as an argument", []string{"--tunnel", "svix"}, []string{"ASPECT_WEBHOOK_SECRET=" + secret}, 2, []string{"--tunnel=svix"}},
		{"unknown tunnel", []string{"--tunnel=ngrok"}, []string{"ASPECT_WEBHOOK_SECRET=" + secret}, 2, []string{"ngrok"}},
		{"no cloudflared", []string{"--tunnel", "--cloudflared", "/nowhere/cloudflared"}, []string{"ASPECT_WEBHOOK_SECRET=" + secret}, 3, []string{"/nowhere/cloudflared"}},
		{"wrong key", []string{"--public-url", "https://example.com", "--listen", "127.0.0.1:0"}, []string{"ASPECT_URL=" + api.URL, "ASPECT_API_KEY=sk_wrong_key_000000"}, 3, []string{"401"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := inPipe(t, with(program(t, append([]string{"watch", "--json", "--journal", "memory"}, c.args...)...), c.env...))
			if code := p.ends(); code != c.code {
				t.Errorf("ended with %d, not %d", code, c.code)
			}
			for _, want := range c.says {
				if !strings.Contains(p.errors(), want) {
					t.Errorf("does not say %q:\n%s", want, p.errors())
				}
			}
			if strings.Contains(p.errors(), "sk_wrong_key") {
				t.Errorf("told the key: %s", p.errors())
			}
		})
	}
}

func TestTheEventStreamIsReadWithNothingElse(t *testing.T) {
	body := tells(upload, "task.progress", time.Now(), feature("visual", "queued"))
	stream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "id: 1\ndata: %s\n\n", body)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(stream.Close)
	t.Cleanup(stream.CloseClientConnections)
	p := inPipe(t, program(t, "watch", "--json", "--sse", stream.URL))
	p.next("ready")
	if e := p.next("event"); e["source"] != "sse" || e["task_id"] != upload {
		t.Errorf("the event is %v", e)
	}
	p.signal(syscall.SIGINT)
	p.next("end")
	if code := p.ends(); code != 0 {
		t.Errorf("ended with %d: %s", code, p.errors())
	}
}

func TestAHandlerGetsWhatArrivesAndACommandRunsForWhatEnded(t *testing.T) {
	got := make(chan string, 10)
	handler := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- r.Header.Get("svix-id") + " " + string(b)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(handler.Close)
	out := filepath.Join(t.TempDir(), "out")
	p := inPipe(t, watching(t, "--json", "--forward-to", handler.URL+"/hook", "--exec", "cat > "+out+".part && mv "+out+".part "+out))
	url := p.next("ready")["url"].(string)
	body := tells(upload, "task.completed", time.Now(), feature("visual", "completed"))
	keeps(t, url, delivery{id: "msg_1", body: body})
	if f := p.next("forward"); f["status"] != 204.0 || f["seq"] != 1.0 || f["resigned"] != false || f["error"] != nil {
		t.Errorf("the forward line is %v", f)
	}
	if g := <-got; g != "msg_1 "+body {
		t.Errorf("the handler got %s", g)
	}
	var task string
	for end := time.Now().Add(patience); task == "" && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		b, _ := os.ReadFile(out)
		task = string(b)
	}
	if !strings.Contains(task, `"task_id":"`+upload+`"`) || !strings.Contains(task, `"state":"completed"`) {
		t.Errorf("the command got %q", task)
	}
	p.signal(syscall.SIGINT)
	p.next("end")
	p.ends()
}

func TestWaitAsksTheAPIWhereNoWatchRuns(t *testing.T) {
	api := aspectAPI(t)
	task := func(state string) string {
		return fmt.Sprintf(`{"id":%q,"asset_id":"asset-1","features":{"visual":{"state":%q}},"user_id":"u","created":%q,"updated":%q}`,
			upload, state, time.Now().Format(time.RFC3339Nano), time.Now().Format(time.RFC3339Nano))
	}
	api.mu.Lock()
	api.tasks[upload] = task("completed")
	api.mu.Unlock()
	p := inPipe(t, with(program(t, "wait", upload, "--json", "--timeout", "30s"), api.environment()...))
	if r := p.next("result"); r["task_id"] != upload || r["state"] != "completed" || r["done"] != true {
		t.Errorf("the result is %v", r)
	}
	if code := p.ends(); code != 0 {
		t.Errorf("ended with %d: %s", code, p.errors())
	}
}

// Where this machine cannot reach its own public URL, readiness takes 30 s or for
// ever; what comes meanwhile is told, forwarded and counted all the same.
func TestWhatArrivesBeforeReadyIsToldForwardedAndCounted(t *testing.T) {
	h := newHandler(t, nil)
	p := inPipe(t, watching(t, "--json", "--journal", "memory", "--public-url", "https://hooks.invalid", "--forward-to", h.URL))
	url := p.next("receiving")["url"].(string)
	for i := range 10 {
		keeps(t, url, delivery{id: fmt.Sprint("msg_", i), body: tells("task", "task.progress", time.Now(), feature("visual", "queued"))})
		if line := p.next("event"); line["id"] != fmt.Sprint("msg_", i) {
			t.Errorf("message %d is told as %v", i, line["id"])
		}
	}
	for deadline := time.Now().Add(patience); len(h.ids()) < 10; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the handler got %d of 10", len(h.ids()))
		}
	}
	p.signal(syscall.SIGINT)
	if end := p.next("end"); end["verified"] != 10.0 {
		t.Errorf("it ended with %v", end)
	}
}

func TestTheAddressPrintedIsOneThatOthersCanOpen(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", "[::]:0", ":0"} {
		cmd := with(program(t, "watch", "--json", "--journal", "memory", "--listen", listen), "ASPECT_WEBHOOK_SECRET="+secret)
		p := inPipe(t, cmd)
		url, _ := p.next("ready")["url"].(string)
		host := regexp.MustCompile(`^http://(.*):\d+/webhooks/aspect$`).FindStringSubmatch(url)
		if host == nil || host[1] == "0.0.0.0" || host[1] == "[::]" || host[1] == "" {
			t.Errorf("--listen %s prints %s", listen, url)
		} else if net.ParseIP(strings.Trim(host[1], "[]")) != nil {
			keeps(t, url, some()[0])
		}
		p.tells("open to the network")
		p.signal(syscall.SIGTERM)
		if code := p.ends(); code != 0 {
			t.Errorf("ended with %d", code)
		}
	}
}
