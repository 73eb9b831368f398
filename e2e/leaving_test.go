//go:build unix

package e2e

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// registered is a watch that has registered an endpoint.
func registered(t *testing.T, api *standIn, args ...string) *piped {
	t.Helper()
	address := freeAddress(t)
	args = append([]string{"watch", "--json", "--listen", address, "--public-url", ownTunnel(t, address)}, args...)
	p := inPipe(t, with(program(t, args...), api.environment()...))
	p.next("ready")
	return p
}

func TestASecondCtrlCNamesTheEndpointThatItLeaves(t *testing.T) {
	api := aspectAPI(t)
	released := make(chan struct{})
	defer close(released)
	api.instead = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete {
			<-released
		}
		return false
	}
	p := registered(t, api)
	p.signal(syscall.SIGINT)
	p.tells("deleting webhook endpoint ep_1")
	time.Sleep(100 * time.Millisecond) // a person is not quicker, and two at once are one
	p.signal(syscall.SIGINT)
	if code := p.ends(); code != 130 {
		t.Errorf("ended with %d", code)
	}
	says(t, p.errors(), `webhook endpoint "ep_1"`, "still registered", "aspectop endpoints delete ep_1", "the next run will try again")
}

func TestAnEndpointThatSomebodyElseDeletedIsNotSaidToBeDeletedHere(t *testing.T) {
	api := aspectAPI(t)
	p := registered(t, api)
	api.set(func() { clear(api.endpoints) })
	p.signal(syscall.SIGINT)
	if code := p.ends(); code != 0 {
		t.Errorf("ended with %d", code)
	}
	says(t, p.errors(), "webhook endpoint ep_1 had already been deleted")
	if strings.Contains(p.errors(), "pending retries") {
		t.Errorf("it said: %s", p.errors())
	}
}

func TestAnEndpointIsNotSaidToBeDeletedByAPageOfAProxy(t *testing.T) {
	api := aspectAPI(t)
	api.instead = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodDelete {
			return false
		}
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte("<html><title>Log in</title></html>"))
		return true
	}
	p := registered(t, api)
	p.signal(syscall.SIGINT)
	if code := p.ends(); code != 1 {
		t.Errorf("ended with %d", code)
	}
	says(t, p.errors(), "still registered", "not one of Aspect's", "aspectop endpoints delete ep_1")
}

func TestAnEndpointsIDReachesTheTerminalClean(t *testing.T) {
	const id = "ep_1\u202e\x1b[31m\naspectop: all is well"
	clean := func(said string) {
		t.Helper()
		if strings.ContainsAny(said, "\u202e\x1b") || strings.Contains(said, "\naspectop: all is well") {
			t.Errorf("it said %q", said)
		}
	}
	for _, args := range [][]string{nil, {"--keep-endpoint"}} {
		api := aspectAPI(t)
		api.newID = id
		p := registered(t, api, args...)
		p.signal(syscall.SIGINT)
		p.ends()
		clean(p.errors())
		says(t, p.errors(), "webhook endpoint ep_1")
	}
	api := aspectAPI(t)
	api.newID = id
	stdout, stderr, _ := api.asks(t, "endpoints", "create", "--url", "https://a.example", "--show-secret")
	clean(stdout + stderr)
	says(t, stdout, "webhook endpoint ep_1")
	_, stderr, _ = api.asks(t, "endpoints", "delete", id)
	clean(stderr)
}

func TestCtrlCDuringARegistrationWithoutAnAnswerIsNoFailedSetUp(t *testing.T) {
	t.Parallel()
	api, address := aspectAPI(t), freeAddress(t)
	asked, released := make(chan bool, 1), make(chan struct{})
	defer close(released)
	api.instead = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			asked <- true
			<-released
		}
		return r.Method == http.MethodPost
	}
	p := inPipe(t, with(program(t, "watch", "--json", "--listen", address, "--public-url", ownTunnel(t, address)), api.environment()...))
	<-asked
	p.signal(syscall.SIGINT)
	if code := p.ends(); code != 1 { // not 0: an endpoint may be left
		t.Errorf("ended with %d", code)
	}
	says(t, p.errors(), "may have been created")
}

func TestOnAScreenCtrlCSaysWhatItWaitsForAndASecondOneWhatItLeaves(t *testing.T) {
	api, address := aspectAPI(t), freeAddress(t)
	released := make(chan struct{})
	defer close(released)
	api.instead = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete {
			<-released
		}
		return false
	}
	s := inTerminal(t, 120, 24, with(program(t, "watch", "--listen", address, "--public-url", ownTunnel(t, address)), api.environment()...))
	s.shows("ep_1")
	s.press("\x03")
	s.shows("deleting webhook endpoint ep_1; a second ctrl+c would leave it behind")
	time.Sleep(100 * time.Millisecond)
	s.press("\x03")
	s.ends(130)
	after := s.written()[strings.LastIndex(s.written(), "\x1b[?1049l"):]
	says(t, after, "still registered", "aspectop endpoints delete ep_1")
}
