//go:build unix

package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// handlerSecret is the one of the handlers under development here.
const handlerSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

// handler is somebody's own, which notes what it is sent.
type handler struct {
	*httptest.Server
	mu   sync.Mutex
	got  []*http.Request
	body []string
}

// newHandler answers each request as respond does; nil answers 204.
func newHandler(t *testing.T, respond func(n int, w http.ResponseWriter, r *http.Request)) *handler {
	t.Helper()
	h := new(handler)
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		h.got, h.body = append(h.got, r), append(h.body, string(b))
		n := len(h.got)
		h.mu.Unlock()
		if respond == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		respond(n, w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

// ids are those of the messages, in the order in which they came.
func (h *handler) ids() (ids []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.got {
		ids = append(ids, r.Header.Get("svix-id"))
	}
	return ids
}

// request is the nth that came, and its body.
func (h *handler) request(n int) (r *http.Request, body string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.got[n], h.body[n]
}

// verifies checks by hand that a message is signed, now, with the key.
func (h *handler) verifies(t *testing.T, n int, key string) {
	t.Helper()
	r, body := h.request(n)
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(key, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	stamp := r.Header.Get("svix-timestamp")
	mac := hmac.New(sha256.New, raw)
	fmt.Fprintf(mac, "%s.%s.%s", r.Header.Get("svix-id"), stamp, body)
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); r.Header.Get("svix-signature") != want {
		t.Errorf("message %d has the signature %q, not %q", n, r.Header.Get("svix-signature"), want)
	}
	if seconds, _ := strconv.ParseInt(stamp, 10, 64); time.Since(time.Unix(seconds, 0)).Abs() > time.Minute {
		t.Errorf("message %d has the stamp %q", n, stamp)
	}
}
