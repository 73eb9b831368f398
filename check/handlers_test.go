package check_test

import (
	"bytes"
	"crypto/hmac"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// unescaped undoes what Go escapes beyond JSON.stringify.
func unescaped(b []byte) []byte {
	return []byte(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(b)))
}

func asciiOnly(b []byte) []byte {
	var out []byte
	for _, r := range string(b) {
		if r < utf8.RuneSelf {
			out = append(out, byte(r))
		} else {
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

func asLatin1(b []byte) []byte {
	var out []rune
	for _, c := range b {
		out = append(out, rune(c))
	}
	return []byte(string(out))
}

// inPieces decodes each 16 KiB by itself, as `text += chunk` does in Node.
func inPieces(b []byte) []byte {
	var out []byte
	for len(b) > 0 {
		n := min(len(b), 16<<10)
		out = append(out, bytes.ToValidUTF8(b[:n], []byte("\ufffd"))...)
		b = b[n:]
	}
	return out
}

// parsedStruct verifies a struct that was written again, and refuses other events.
func parsedStruct(w http.ResponseWriter, r *http.Request) {
	var e envelope
	b := body(r)
	if json.Unmarshal(b, &e) == nil {
		b, _ = json.Marshal(e)
	}
	if hook.Verify(b, r.Header) != nil {
		http.Error(w, "bad signature", 400)
	}
}

// replayed gives each of several handlers the request, and answers as the first that accepts.
func either(handlers ...http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b := body(r)
		for _, h := range handlers {
			rec := httptest.NewRecorder()
			r.Body = io.NopCloser(bytes.NewReader(b))
			if h(rec, r); rec.Code/100 == 2 {
				return
			}
		}
		http.Error(w, "no", http.StatusUnauthorized)
	}
}

// renamed is a library that knows only the headers webhook-*.
func renamed(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			if strings.HasPrefix(name, "Svix-") {
				delete(r.Header, name)
			}
		}
		next(w, r)
	}
}

// firstOnly looks at the first signature only.
func firstOnly(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		first, _, _ := strings.Cut(r.Header.Get("svix-signature"), " ")
		r.Header.Set("svix-signature", first)
		next(w, r)
	}
}

func oldEvents(w http.ResponseWriter, _ *http.Request, b []byte) {
	var e envelope
	json.Unmarshal(b, &e)
	if at, err := time.Parse(time.RFC3339, e.Timestamp); err == nil && time.Since(at) > time.Hour {
		http.Error(w, "stale", http.StatusGone)
	}
}

// remembering answers known messages with a status.
func remembering(status int, says bool) http.HandlerFunc {
	var k known
	return then(func(w http.ResponseWriter, r *http.Request, _ []byte) {
		if k.add(r.Header.Get("svix-id")) > 0 {
			w.WriteHeader(status)
			if says {
				io.WriteString(w, "duplicate")
			}
		}
	})
}

// racing fails where a message comes while it is worked on.
func racing() http.HandlerFunc {
	var table sync.Map
	return then(func(w http.ResponseWriter, r *http.Request, _ []byte) {
		id := r.Header.Get("svix-id")
		if _, done := table.Load(id); done {
			return
		}
		time.Sleep(20 * time.Millisecond) // the work, between select and insert
		if _, done := table.LoadOrStore(id, true); done {
			http.Error(w, "UNIQUE constraint failed", 500)
		}
	})
}

// poisoned remembers an id before it verifies.
func poisoned() http.HandlerFunc {
	var k known
	next := verifying(raw)
	return func(w http.ResponseWriter, r *http.Request) {
		if k.add(r.Header.Get("svix-id")) > 0 {
			io.WriteString(w, "already have "+r.Header.Get("svix-id"))
			return
		}
		next(w, r)
	}
}

// poisonedSilently answers known ids as new ones.
func poisonedSilently() http.HandlerFunc {
	var k known
	next := verifying(raw)
	return func(w http.ResponseWriter, r *http.Request) {
		if k.add(r.Header.Get("svix-id")) > 0 {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next(w, r)
	}
}

// poisonedThenVerified remembers ids first, and verifies known ones too.
func poisonedThenVerified() http.HandlerFunc {
	var k known
	return func(w http.ResponseWriter, r *http.Request) {
		before := k.add(r.Header.Get("svix-id"))
		if hook.Verify(body(r), r.Header) != nil {
			http.Error(w, "bad", 400)
		} else if before > 0 {
			io.WriteString(w, "ignored")
		}
	}
}

func panicking(w http.ResponseWriter, r *http.Request) {
	if hook.Verify(body(r), r.Header) != nil {
		panic(http.ErrAbortHandler)
	}
}

func rated(most int32) http.HandlerFunc {
	var n atomic.Int32
	next := verifying(raw)
	return func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) > most {
			http.Error(w, "slow down", http.StatusTooManyRequests)
			return
		}
		next(w, r)
	}
}

// usedConn is the key of whether a connection was used before.
type usedConn struct{}

// keptClosed answers, and closes a connection at the second request on it.
func keptClosed() http.HandlerFunc {
	next := verifying(raw)
	return func(w http.ResponseWriter, r *http.Request) {
		if used := r.Context().Value(usedConn{}).(*atomic.Bool); used.Swap(true) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Close()
			return
		}
		next(w, r)
	}
}

func swallowed(w http.ResponseWriter, r *http.Request) {
	if err := hook.Verify(body(r), r.Header); err != nil {
		fmt.Fprintf(w, `{"ok":false,"error":%q}`, err)
		return
	}
	io.WriteString(w, `{"ok":true}`)
}

// unbound verifies a signature that does not depend on the body. It takes the body that was
// signed from a list of those that came with it.
func unbound(w http.ResponseWriter, r *http.Request) {
	b := body(r)
	for _, part := range strings.Fields(r.Header.Get("svix-signature")) {
		for _, try := range [][]byte{b, bytes.Replace(b, []byte(`"failed"`), []byte(`"completed"`), 1)} {
			want := "v1," + b64(mac(key, r.Header.Get("svix-id")+"."+r.Header.Get("svix-timestamp")+"."+string(try)))
			if hmac.Equal([]byte(want), []byte(part)) && hook.Verify(try, r.Header) == nil {
				return
			}
		}
	}
	http.Error(w, "no", 400)
}

func unsignedToo(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("svix-signature") != "" {
		verifying(raw)(w, r)
	}
}

func presence(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("svix-signature") == "" {
		http.Error(w, "no signature", 400)
	}
}

func uncaught(w http.ResponseWriter, r *http.Request) {
	if err := hook.Verify(body(r), r.Header); err != nil {
		http.Error(w, "Internal Server Error", 500)
	}
}

func malformed(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("svix-signature"), "garbage") {
		verifying(raw)(w, r)
		return
	}
	http.Error(w, "ValueError", 500)
}

// oneAtATime holds a lock, and longer while others wait: that the machine has other work does
// not make its messages in turn look as slow as those at once.
func oneAtATime(next http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	var waiting atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		hold := 15 * time.Millisecond
		if waiting.Add(1) > 1 {
			hold = 150 * time.Millisecond
		}
		defer waiting.Add(-1)
		mu.Lock()
		defer mu.Unlock()
		time.Sleep(hold)
		next(w, r)
	}
}

// busyOnce is a handler on a machine that has other work, while different messages come at the
// same time for the first time.
func busyOnce(next http.HandlerFunc) http.HandlerFunc {
	var seen known
	var waiting, held atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		n := waiting.Add(1)
		defer waiting.Add(-1)
		hold := 100 * time.Millisecond
		if first := seen.add(r.Header.Get("svix-id")) == 0; first && n > 1 && held.Add(1) <= 4 {
			hold = time.Duration(n) * 300 * time.Millisecond
		}
		time.Sleep(hold)
		next(w, r)
	}
}
