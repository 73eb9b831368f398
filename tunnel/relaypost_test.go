package tunnel

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

func TestAFrameReachesTheReceiverExactlyAndItsAnswerGoesBackExactly(t *testing.T) {
	everyByte := make([]byte, 1<<20) // the largest body there is
	for i := range everyByte {
		everyByte[i] = byte(i)
	}
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		var got *http.Request
		var body []byte
		r.receive = func(w http.ResponseWriter, req *http.Request) {
			got = req
			body, _ = io.ReadAll(req.Body)
			w.Header().Set("Retry-After", "5")
			w.Header().Add("X-Two", "a")
			w.Header().Add("X-Two", "b")
			w.WriteHeader(http.StatusServiceUnavailable)
			w.Write([]byte{0, 255, '\n'})
		}
		answer, err := r.svix.send(t.Context(), event{Method: "PUT", Body: everyByte, Headers: map[string]string{
			"svix-id": "msg_1", "svix-signature": "v1,a v1,b", "host": "play.svix.com", "connection": "close", "content-length": "7",
			"x-empty": "",
		}})
		if err != nil {
			t.Fatal(err)
		}
		if got.Method != "PUT" || got.URL.Path != webhookPath || got.Host != "play.svix.com" || !bytes.Equal(body, everyByte) {
			t.Errorf("%s %s at %s with %d bytes", got.Method, got.URL, got.Host, len(body))
		}
		want := http.Header{"Svix-Id": {"msg_1"}, "Svix-Signature": {"v1,a v1,b"}, "X-Empty": {""}, "Content-Length": {"1048576"}}
		if !maps.EqualFunc(got.Header, want, func(a, b []string) bool { return strings.Join(a, "|") == strings.Join(b, "|") }) {
			t.Errorf("headers %v", got.Header)
		}
		if answer.Status != 503 || !bytes.Equal(answer.Body, []byte{0, 255, '\n'}) ||
			answer.Headers["Content-Length"] != "" || answer.Headers["Retry-After"] != "5" || answer.Headers["X-Two"] != "a, b" {
			t.Errorf("answered %+v", answer)
		}
	})
}

func TestARedirectOfTheReceiverIsItsAnswer(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		r.receive = func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, "/elsewhere", http.StatusFound) }
		if answer, err := r.svix.send(t.Context(), event{Method: "GET"}); err != nil || answer.Status != 302 || answer.Headers["Location"] != "/elsewhere" {
			t.Errorf("%+v, %v", answer, err)
		}
	})
}

func TestASlowAnswerHoldsNoOtherFrameUp(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		release := make(chan struct{})
		r.receive = func(w http.ResponseWriter, req *http.Request) {
			if req.Header.Get("Svix-Id") == "slow" {
				<-release
			}
			w.WriteHeader(http.StatusNoContent)
		}
		slow := make(chan reply, 1)
		go func() {
			answer, _ := r.svix.send(t.Context(), event{Method: "POST", Headers: map[string]string{"svix-id": "slow"}})
			slow <- answer
		}()
		synctest.Wait()
		if answer, err := r.svix.send(t.Context(), event{Method: "POST"}); err != nil || answer.Status != 204 {
			t.Errorf("%+v, %v", answer, err)
		}
		close(release)
		if answer := <-slow; answer.Status != 204 {
			t.Errorf("%+v", answer)
		}
	})
}

func TestWithoutAnAnswerOfTheReceiverTheSenderGets502(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		r.receive = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		if answer, err := r.svix.send(t.Context(), event{Method: "POST"}); err != nil || answer.Status != 502 || len(answer.Body) != 0 {
			t.Errorf("%+v, %v", answer, err)
		}
		r.receive = func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }
		start := time.Now()
		if answer, err := r.svix.send(t.Context(), event{Method: "POST"}); err != nil || answer.Status != 502 || time.Since(start) != 30*time.Second {
			t.Errorf("%+v, %v after %s", answer, err, time.Since(start))
		}
		if answer, err := r.svix.send(t.Context(), event{Method: "BAD METHOD"}); err != nil || answer.Status != 502 {
			t.Errorf("%+v, %v", answer, err)
		}
	})
}

func TestAFrameThatIsNoEventIsPassedOver(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		var posted atomic.Int32
		r.receive = func(w http.ResponseWriter, req *http.Request) {
			posted.Add(1)
			w.WriteHeader(http.StatusNoContent)
		}
		for _, text := range []string{"", "{", `{"type":"news","version":9}`, `{"type":"event","data":7}`,
			`{"type":"event","version":1,"data":null}`, `{"type":"event","version":1,"data":{"id":"event-x"}}`,
			`{"type":"event","version":1,"data":{"method":"POST","headers":{},"body":""}}`,
		} {
			if err := r.svix.conn.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		if answer, err := r.svix.send(t.Context(), event{Method: "POST"}); err != nil || answer.Status != 204 || r.svix.dialed() != 1 || posted.Load() != 1 {
			t.Errorf("%+v, %v after %d dials and %d posts", answer, err, r.svix.dialed(), posted.Load())
		}
	})
}

// Anyone may post to the public URL. Svix's own program takes frames of 64 MiB.
func TestALargeRequestDoesNotEndTheConnection(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		var most, now atomic.Int32
		r.receive = func(w http.ResponseWriter, req *http.Request) {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			n, _ := io.Copy(io.Discard, req.Body)
			if n > 1<<20 {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
			}
		}
		body := make([]byte, 47<<20) // in base64 nearly 64 MiB
		var sending sync.WaitGroup
		for range 2 {
			sending.Go(func() {
				if answer, err := r.svix.send(t.Context(), event{Method: "POST", Body: body}); err != nil || answer.Status != http.StatusRequestEntityTooLarge {
					t.Errorf("%d, %v", answer.Status, err)
				}
			})
		}
		sending.Wait()
		if answer, err := r.svix.send(t.Context(), event{Method: "POST"}); err != nil || answer.Status != http.StatusOK || r.svix.dialed() != 1 {
			t.Errorf("%+v, %v after %d dials", answer, err, r.svix.dialed())
		}
		if most.Load() != 1 {
			t.Errorf("%d large requests are in memory", most.Load())
		}
	})
}
