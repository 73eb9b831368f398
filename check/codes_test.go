package check_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"aspectop/check"
)

// then is a handler that verifies, and then does something with the body.
func then(do func(w http.ResponseWriter, r *http.Request, b []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b := body(r)
		if err := hook.Verify(b, r.Header); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		do(w, r, b)
	}
}

func always(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		io.WriteString(w, text)
	}
}

// first reads the body before the next handler does, and stops at what is no JSON.
func parsedFirst(next func(parsed any) []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var v any
		if err := json.Unmarshal(body(r), &v); err != nil {
			http.Error(w, "Unexpected token", http.StatusUnprocessableEntity)
			return
		}
		if hook.Verify(next(v), r.Header) != nil {
			http.Error(w, "Invalid", http.StatusBadRequest)
		}
	}
}

type envelope struct {
	Timestamp string `json:"timestamp"`
	UserID    string `json:"user_id"`
	EventID   string `json:"event_id"`
	EventType string `json:"event_type"`
	Data      struct {
		Task struct {
			ID       string `json:"id"`
			AssetID  string `json:"asset_id"`
			Features map[string]struct {
				State string `json:"state"`
			} `json:"features"`
			UserID  string    `json:"user_id"`
			Created time.Time `json:"created"`
			Updated time.Time `json:"updated"`
		} `json:"task"`
	} `json:"data"`
}

// spaced writes JSON with a space after commas and colons outside strings.
func spaced(b []byte) []byte {
	var out []byte
	inside := false
	for i, c := range compact(b) {
		if c == '"' && (i == 0 || b[i-1] != '\\') {
			inside = !inside
		}
		if out = append(out, c); !inside && (c == ',' || c == ':') {
			out = append(out, ' ')
		}
	}
	return out
}

// sortedKeys writes JSON as Rust's and Go's maps do; html escapes < > &.
func sortedKeys(b []byte, html bool) []byte {
	var v any
	if json.Unmarshal(b, &v) != nil {
		return b
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(html)
	e.Encode(v)
	return bytes.TrimSpace(out.Bytes())
}

// known remembers ids, and reports whether one was there.
type known struct {
	mu  sync.Mutex
	ids map[string]int
}

func (k *known) add(id string) (before int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ids == nil {
		k.ids = map[string]int{}
	}
	k.ids[id]++
	return k.ids[id] - 1
}

func TestEveryCodeIsFound(t *testing.T) {
	pause := func(w http.ResponseWriter, r *http.Request, b []byte) { w.WriteHeader(http.StatusNoContent) }
	tolerant := func(old, future bool) http.HandlerFunc { // verifies, but not the time, or one side of it
		return func(w http.ResponseWriter, r *http.Request) {
			seconds, _ := strconv.ParseInt(r.Header.Get("svix-timestamp"), 10, 64)
			age := time.Since(time.Unix(seconds, 0))
			if hook.VerifyIgnoringTimestamp(body(r), r.Header) != nil || !old && age > 5*time.Minute || !future && age < -5*time.Minute {
				http.Error(w, "no", 400)
			}
		}
	}
	refusing := func(text string, status int) http.HandlerFunc {
		return then(func(w http.ResponseWriter, r *http.Request, b []byte) {
			if bytes.Contains(b, []byte(text)) {
				http.Error(w, "cannot handle this", status)
			}
		})
	}
	limited := func(most int) http.HandlerFunc {
		next := verifying(raw)
		return func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength > int64(most) {
				io.Copy(io.Discard, r.Body)
				http.Error(w, "too large", http.StatusRequestEntityTooLarge)
				return
			}
			next(w, r)
		}
	}
	answering := func(change func(w http.ResponseWriter)) http.HandlerFunc {
		return then(func(w http.ResponseWriter, r *http.Request, b []byte) { change(w) })
	}
	hangUp := func(w http.ResponseWriter) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	}
	missing := check.Codes()
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"minimal JSON":    {verifying(func(b []byte) []byte { return unescaped(compact(b)) }), "reserialised:minimal_json"},
		"python":          {verifying(spaced), "reserialised:python_json"},
		"serde":           {verifying(func(b []byte) []byte { return sortedKeys(b, false) }), "reserialised:sorted_json"},
		"go map":          {verifying(func(b []byte) []byte { return sortedKeys(b, true) }), "reserialised:go_json"},
		"python, compact": {verifying(func(b []byte) []byte { return asciiOnly(unescaped(compact(b))) }), "reserialised:python_json"},
		"struct":          {parsedStruct, "reserialised:struct"},
		"in a pipe":       {parsedFirst(func(v any) []byte { b, _ := json.Marshal(v); return b }), "reserialised:go_json"},
		"json.Encoder": {parsedFirst(func(v any) []byte {
			var out bytes.Buffer
			json.NewEncoder(&out).Encode(v)
			return out.Bytes()
		}), "reserialised:go_json"},
		"not parsed":         {verifying(func([]byte) []byte { return []byte("{}") }), "consumed"},
		"consumed":           {func(w http.ResponseWriter, r *http.Request) { body(r); verifying(raw)(w, r) }, "consumed"},
		"object":             {parsedFirst(func(v any) []byte { return fmt.Append(nil, v) }), "parsed_first"},
		"type":               {always(http.StatusUnsupportedMediaType, "no"), "parsed_first"},
		"trim":               {verifying(bytes.TrimSpace), "trimmed"},
		"latin1":             {verifying(asLatin1), "latin1"},
		"chunks":             {verifying(inPieces), "chunks"},
		"universal newlines": {verifying(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")) }), "reserialised:lf"},
		"normalised":         {verifying(norm.NFC.Bytes), "reserialised:nfc"},
		"both":               {either(verifying(raw), verifying(func(b []byte) []byte { return unescaped(compact(b)) })), "accepts_both"},
		"text as key":        {byHand(func(id, at, b string) string { return "v1," + b64(mac([]byte(secret), id+"."+at+"."+b)) }), "raw_key"},
		"base64 as key":      {byHand(func(id, at, b string) string { return "v1," + b64(mac([]byte(secret[6:]), id+"."+at+"."+b)) }), "raw_key"},
		"body only":          {byHand(func(id, at, b string) string { return "v1," + b64(mac(key, b)) }), "body_only"},
		"time and body":      {byHand(func(id, at, b string) string { return "v1," + b64(mac(key, at+"."+b)) }), "body_only"},
		"hex":                {byHand(func(id, at, b string) string { return "v1," + hexed(mac(key, id+"."+at+"."+b)) }), "hex"},
		"no version":         {byHand(func(id, at, b string) string { return b64(mac(key, id+"."+at+"."+b)) }), "hex"},
		"as at GitHub":       {byHand(func(id, at, b string) string { return hexed(mac([]byte(secret), b)) }), "body_only hex raw_key"},
		"another secret":     {byHand(func(id, at, b string) string { return "v1," + b64(mac([]byte("other"), id+"."+at+"."+b)) }), "wrong_secret"},
		"headers lost":       {func(w http.ResponseWriter, r *http.Request) { http.Error(w, "Missing required headers", 400) }, "wrong_secret"},
		"standardwebhooks":   {renamed(verifying(raw)), "wrong_secret"},
		"one signature":      {firstOnly(verifying(raw)), "rotation"},
		"strict feature":     {refusing("unheard_of", 422), "strict_feature"},
		"strict state":       {refusing(`"paused"`, 500), "strict_state"},
		"strict type":        {refusing("asset.created", 400), "strict_type"},
		"strict member":      {refusing(`"name"`, 422), "strict_feature"},
		"strict event":       {refusing("task.", 422), "strict_type"},
		"ping":               {refusing("success", 400), "ping"},
		"age by the body":    {then(oldEvents), "stale_event"},
		"duplicates refused": {remembering(http.StatusConflict, false), "duplicate_refused"},
		"race":               {racing(), "race"},
		"poison":             {poisoned(), "poison"},
		"poison, silent":     {poisonedSilently(), "poison"},
		"poison, verified":   {poisonedThenVerified(), "poison"},
		"panics":             {panicking, "forged_5xx"},
		"nothing there":      {http.NotFound, "not_found"},
		"GET only":           {always(http.StatusMethodNotAllowed, "no"), "not_found"},
		"a page":             {always(200, "<!DOCTYPE html><title>Vite App</title>"), "not_found"},
		"unknown task":       {refusing(check.TaskID, 404), "not_found"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/hook/", http.StatusPermanentRedirect)
		}, "redirect"},
		"login":      {always(401, `{"error":"no token"}`), "auth"},
		"CSRF":       {always(403, "<h1>Forbidden</h1>CSRF verification failed"), "auth"},
		"crash page": {always(500, "<h1>RuntimeError</h1>You called this URL via POST<td>CSRF_COOKIE_NAME</td>"), "crash"},
		"crash":      {refusing("task.", 500), "crash"},
		"always 500": {always(500, "oops"), "crash"},
		"rate":       {rated(10), "rate"},
		"closes":     {func(w http.ResponseWriter, r *http.Request) { hangUp(w) }, "closes"},
		"closes after a while": {then(func(w http.ResponseWriter, r *http.Request, b []byte) {
			if bytes.Contains(b, []byte("paused")) {
				hangUp(w)
			}
		}), "closes strict_state"},
		"closes a kept one": {keptClosed(), "closes"},
		"cut": {answering(func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "short")
		}), "cut"},
		"disables":            {answering(func(w http.ResponseWriter) { w.Header().Set("Webhook-Delivery", "disable") }), "disables"},
		"headers for Svix":    {answering(func(w http.ResponseWriter) { w.Header().Set("webhook-retry", "no") }), "webhook_headers"},
		"no verification":     {always(200, "ok"), "no_verification"},
		"swallowed":           {swallowed, "no_verification"},
		"body not verified":   {func(w http.ResponseWriter, r *http.Request) { unbound(w, r) }, "no_verification"},
		"unsigned accepted":   {unsignedToo, "no_verification"},
		"presence":            {presence, "presence_only"},
		"uncaught":            {uncaught, "forged_5xx"},
		"malformed":           {malformed, "malformed_5xx"},
		"no tolerance":        {tolerant(true, true), "no_tolerance"},
		"old ones only":       {tolerant(true, false), "no_tolerance"},
		"no future tolerance": {tolerant(false, true), "no_future_tolerance"},
		"64 KiB and more":     {limited(100 << 10), "limit"},
		"serial":              {oneAtATime(then(pause)), "serial"},
		"busy once":           {busyOnce(then(pause)), ""},
	} {
		missing = slices.DeleteFunc(missing, func(code string) bool { return strings.Contains(c.want, code) })
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, probes := checked(t, c.handler)
			if got := strings.Join(codesOf(r), " "); got != c.want {
				t.Errorf("found %q, not %q: %v %v", got, c.want, r.Err, r.Undecided)
				for _, p := range probes {
					t.Logf("%+v", p)
				}
			}
			if len(probes) > 100 || r.Valid > 60 || len(probes) != r.Probes {
				t.Errorf("%d probes, %d of them valid", len(probes), r.Valid)
			}
			for _, f := range r.Findings {
				told(t, f, len(probes))
			}
		})
	}
	slices.Sort(missing)
	if other := []string{"not_done", "not_idempotent", "slow"}; !slices.Equal(missing, other) {
		t.Errorf("not looked at here: %v; other tests have only %v", missing, other)
	}
}

var doc = sync.OnceValue(func() string {
	text, err := os.ReadFile("../docs/check.md")
	if err != nil {
		panic(err)
	}
	return string(text)
})

// told checks that a finding says all it has to.
func told(t *testing.T, f *check.Finding, probes int) {
	t.Helper()
	if f.Title == "" || f.Meaning == "" || f.Fix == "" || f.URL != "docs/check.md#"+f.Code || strings.Contains(f.Meaning+f.Title, "%!") {
		t.Errorf("it is not told: %+v", f)
	}
	if len(f.Evidence) == 0 {
		t.Errorf("%s has no evidence", f.Code)
	}
	if i := slices.IndexFunc(f.Evidence, func(n int) bool { return n < 1 || n > probes }); i >= 0 {
		t.Errorf("%s has evidence %v", f.Code, f.Evidence)
	}
}

func TestEveryCodeIsDocumented(t *testing.T) {
	for _, code := range check.Codes() {
		if !strings.Contains(doc(), "\n### "+code+"\n") {
			t.Errorf("docs/check.md has no section %s", code)
		}
	}
	for _, f := range check.Frameworks {
		for _, line := range append([]string{f.Raw, f.Limit}, slices.Collect(valuesOf(f.Other))...) {
			if _, text, _ := strings.Cut(line, ": "); !strings.Contains(strings.Join(strings.Fields(doc()), " "), text) {
				t.Errorf("docs/check.md does not say %q of %s", text, f.Name)
			}
		}
	}
}

func valuesOf(m map[string]string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

func TestALimitIsAsBadAsItIsLow(t *testing.T) {
	for most, want := range map[int]check.Severity{100: check.Fail, 4 << 10: check.Fail, 20_000: check.Warn, 100 << 10: check.Note, 1 << 20: ""} {
		next := verifying(raw)
		r, _ := checked(t, func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength > int64(most) {
				http.Error(w, "too large", http.StatusRequestEntityTooLarge)
				return
			}
			next(w, r)
		})
		var got check.Severity
		if len(r.Findings) == 1 && r.Findings[0].Code == "limit" {
			got = r.Findings[0].Severity
		}
		if got != want || len(r.Findings) > 1 {
			t.Errorf("a limit of %d: %q, %v", most, got, codesOf(r))
		}
		if most == 100<<10 && !strings.Contains(r.Findings[0].Title, "100 KiB") {
			t.Errorf("it is told as %s", r.Findings[0].Title)
		}
	}
}

// hurry has a second be slow, on a machine that may be loaded, and two be too long.
func hurry(o *check.Options) { o.Hurry(time.Second, 2*time.Second) }

func TestAHandlerThatClosesEachConnectionIsNotSaidToAcceptMessages(t *testing.T) {
	r, _ := checked(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if first := r.Outcomes[0].Property; len(r.Of(first)) != 1 || r.Of(first)[0].Code != "closes" {
		t.Errorf("%q holds, and %v is found of others", first, codesOf(r))
	}
}

func TestTwoSlowAnswersAtFirstEndTheCheck(t *testing.T) {
	t.Parallel()
	r, probes := checked(t, func(w http.ResponseWriter, r *http.Request) { time.Sleep(1100 * time.Millisecond) }, hurry)
	if got := codesOf(r); !slices.Equal(got, []string{"slow"}) || len(probes) != 2 || r.Err != check.ErrSlow || r.Bad() {
		t.Errorf("found %v in %d probes: %v", got, len(probes), r.Err)
	}
}

func TestOneSlowAnswerIsToldAndTheCheckGoesOn(t *testing.T) {
	for _, slow := range []int32{1, 2} { // of a server that compiles on the first request, or of any other
		t.Run(fmt.Sprint("number ", slow), func(t *testing.T) {
			t.Parallel()
			var n atomic.Int32
			r, probes := checked(t, then(func(w http.ResponseWriter, r *http.Request, b []byte) {
				if n.Add(1) == slow {
					time.Sleep(1100 * time.Millisecond)
				}
			}), hurry)
			if got := codesOf(r); !slices.Equal(got, []string{"slow"}) || r.Err != nil || len(probes) < 30 {
				t.Errorf("found %v in %d probes: %v", got, len(probes), r.Err)
			}
		})
	}
}

// What every short é loses is not blamed on the pieces of a long body.
func TestTextBeyondASCIIIsNotBlamedOnPieces(t *testing.T) {
	r, _ := checked(t, verifying(func(b []byte) []byte {
		return bytes.Map(func(r rune) rune {
			if r > 127 {
				return -1
			}
			return r
		}, b)
	}))
	if got := codesOf(r); len(got) != 0 || len(r.Undecided) != 1 {
		t.Errorf("found %v, undecided %q", got, r.Undecided)
	}
}

// A handler that goes away over one message has that fault, not those of the messages that
// nobody answered after it.
func TestAHandlerThatGoesAwayHasOneFault(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var server http.Server
	server.Handler = then(func(w http.ResponseWriter, r *http.Request, b []byte) {
		if bytes.Contains(b, []byte("asset.created")) {
			server.Close()
		}
	})
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	r, probes := checkedAt(t, "http://"+listener.Addr().String()+"/hook")
	if got := codesOf(r); !slices.Equal(got, []string{"crash"}) {
		t.Fatalf("found %v, %v", got, r.Err)
	}
	if first := probes[r.Findings[0].Evidence[0]-1]; first.Name != "unknown_type" {
		t.Errorf("it is said to have gone away over %s", first.Name)
	}
}
