package forward

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"

	"aspectop/model"
)

const (
	tight   = `{"event_type":"task.progress","data":{"task":{"id":"t"}}}`
	dumped  = `{"event_type": "task.progress", "data": {"task": {"id": "t"}}}`
	pretty  = "{\n  \"event_type\": \"task.progress\"\n}"
	escaped = `{"event_type":"task.progress","n":1.0}`
	asset   = `{"event_type":"asset.created"}`
	ping    = `{"success": true}`
)

// verifying is a handler that verifies what transform makes of the body, with a secret.
func verifying(secret string, transform func([]byte) []byte, then http.HandlerFunc) http.HandlerFunc {
	w, err := svix.NewWebhook(secret)
	if err != nil {
		panic(err)
	}
	return func(rw http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		q.Body = io.NopCloser(bytes.NewReader(body))
		if transform != nil {
			body = transform(body)
		}
		if err := w.Verify(body, q.Header); err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		if then != nil {
			then(rw, q)
			return
		}
		rw.WriteHeader(http.StatusNoContent)
	}
}

func compact(body []byte) []byte {
	var b bytes.Buffer
	json.Compact(&b, body)
	return b.Bytes()
}

func dumps(body []byte) []byte {
	return []byte(strings.NewReplacer(",", ", ", ":", ": ").Replace(string(compact(body))))
}

func answers(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// inTurn answers each request by the next handler, and then by the last one.
func inTurn(all ...http.HandlerFunc) http.HandlerFunc {
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		all[min(n, len(all)-1)](w, r)
		n++
	}
}

func padded(n int) string {
	return `{"event_type":"task.progress","pad":"` + strings.Repeat("x", n) + `"}`
}

// TestTheJudgementOfAnAnswerFollowsTheEvidence has servers that do what the handlers of
// A2 to A12 did, and says what is told of the last of the bodies that are posted to each.
func TestTheJudgementOfAnAnswerFollowsTheEvidence(t *testing.T) {
	raw := verifying(aspectSecret, nil, nil)
	const aboutSecret, aboutRaw, finds = "check the secret", "verify the raw body, before", "aspectop check http://"
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		bodies  []string
		webhook bool     // the last message has webhook-* headers
		sameID  bool     // of all messages
		status  int      // of the last answer
		answer  string   // the handler's own words
		says    []string // parts of the hint; none: there is none
		not     []string
	}{
		{name: "right", handler: raw, bodies: []string{tight, dumped, pretty, escaped, asset, ping}, status: 204},
		{name: "another secret", handler: verifying(handlerSecret, nil, nil), bodies: []string{tight}, status: 400,
			answer: "no matching signature found", says: []string{aboutSecret, aboutRaw, `"default"`, finds}},
		{name: "a ping at once", handler: verifying(aspectSecret, compact, nil), bodies: []string{ping}, status: 400,
			answer: "no matching signature found", says: []string{aboutRaw, `", " and ": " is lost when JSON is re-serialised`, aboutSecret}},
		{name: "minimal JSON written again", handler: verifying(aspectSecret, compact, nil), bodies: []string{tight, dumped}, status: 400,
			answer: "no matching signature found",
			says:   []string{"it accepts minimal JSON and refuses JSON with", "re-serialised", finds}, not: []string{aboutSecret}},
		{name: "minimal JSON, pretty", handler: verifying(aspectSecret, compact, nil), bodies: []string{tight, pretty}, status: 400,
			answer: "no matching signature found", says: []string{"it accepts minimal JSON and refuses JSON with other white space"}, not: []string{aboutSecret}},
		{name: "minimal JSON, ping", handler: verifying(aspectSecret, compact, nil), bodies: []string{tight, ping}, status: 400,
			answer: "no matching signature found", says: []string{"it accepts minimal JSON"}, not: []string{aboutSecret, "test message"}},
		{name: "json.dumps written again", handler: verifying(aspectSecret, dumps, nil), bodies: []string{dumped, tight}, status: 400,
			answer: "no matching signature found", says: []string{"refuses minimal JSON", "re-serialised"}, not: []string{aboutSecret}},
		{name: "written again, without words", handler: func(w http.ResponseWriter, q *http.Request) {
			rec := &silent{ResponseWriter: w}
			verifying(aspectSecret, compact, nil)(rec, q)
		}, bodies: []string{tight, pretty}, status: 400, says: []string{"re-serialised"}, not: []string{aboutSecret}},
		{name: "a strict type", handler: verifying(aspectSecret, nil, func(w http.ResponseWriter, q *http.Request) {
			body, _ := io.ReadAll(q.Body)
			if bytes.Contains(body, []byte("asset")) {
				http.Error(w, "unknown event asset.created", 400)
			}
		}), bodies: []string{tight, asset}, status: 400, answer: "unknown event asset.created",
			says: []string{`none of type "asset.created"`, "event types", finds}, not: []string{aboutRaw, aboutSecret}},
		{name: "a strict type at once", handler: answers(400, "unknown event asset.created"), bodies: []string{asset}, status: 400,
			answer: "unknown event asset.created", says: []string{"event types"}, not: []string{aboutRaw, aboutSecret}},
		{name: "svix headers only", handler: func(w http.ResponseWriter, q *http.Request) {
			for _, name := range []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
				q.Header.Del(name)
			}
			raw(w, q)
		}, bodies: []string{tight, tight}, webhook: true, status: 400, answer: "missing required headers",
			says: []string{"webhook-*", "both families"}, not: []string{aboutRaw, aboutSecret}},
		{name: "headers lost", handler: answers(400, "Missing required headers"), bodies: []string{tight}, status: 400,
			answer: "Missing required headers", says: []string{"svix-* headers", "pass them on"}, not: []string{aboutSecret}},
		{name: "a limit that answers 503", handler: func(w http.ResponseWriter, q *http.Request) {
			q.Body = http.MaxBytesReader(w, q.Body, 64<<10)
			if _, err := io.ReadAll(q.Body); err != nil {
				http.Error(w, "Error reading request body", http.StatusServiceUnavailable)
			}
		}, bodies: []string{tight, padded(150_000)}, status: 503, answer: "Error reading request body",
			says: []string{"raise the limit", "150"}, not: []string{"proxy"}},
		{name: "503 with words", handler: answers(503, "Error reading request body"), bodies: []string{tight}, status: 503,
			answer: "Error reading request body", says: []string{finds}, not: []string{"proxy"}},
		{name: "503 without words", handler: answers(503, ""), bodies: []string{tight}, status: 503, says: []string{"proxy"}, not: []string{finds}},
		{name: "413 of a small body", handler: answers(413, ""), bodies: []string{tight}, status: 413, says: []string{"not the reason"}, not: []string{"raise"}},
		{name: "413 of a smaller body", handler: inTurn(answers(204, ""), answers(413, "")), bodies: []string{padded(90_000), padded(20_000)}, status: 413,
			says: []string{"it has accepted a body of 90"}, not: []string{"raise"}},
		{name: "413", handler: answers(413, `{"statusCode":413,"code":"FST_ERR_CTP_BODY_TOO_LARGE","message":"Request body is too large"}`), bodies: []string{padded(150_000)},
			status: 413, answer: "Request body is too large", says: []string{"raise the limit", "150"}},
		{name: "a repeat", handler: inTurn(answers(204, ""), answers(409, "duplicate")), bodies: []string{tight, tight}, sameID: true, status: 409,
			answer: "duplicate", says: []string{"this very message"}, not: []string{aboutSecret}},
		{name: "its secret changed", handler: inTurn(answers(204, ""), verifying(handlerSecret, nil, nil)), bodies: []string{tight, tight}, status: 400,
			answer: "no matching signature found", says: []string{"accepted messages like this one", "or its secret"}},
		{name: "its secret has changed", handler: inTurn(answers(204, ""), verifying(handlerSecret, nil, nil)), bodies: []string{tight, tight, pretty}, status: 400,
			answer: "no matching signature found", says: []string{"accepted messages like this one", "or its secret"}, not: []string{"re-serialised"}},
		{name: "words about something else", handler: inTurn(answers(204, ""), answers(400, "no room for this asset")), bodies: []string{tight, pretty}, status: 400,
			answer: "no room for this asset", says: []string{"accepted messages like this one", finds}, not: []string{"re-serialised", aboutRaw}},
		{name: "a signature of another type", handler: inTurn(answers(204, ""), answers(400, "No matching signature found")), bodies: []string{tight, asset}, status: 400,
			answer: "No matching signature found", says: []string{"or its secret"}, not: []string{"event types"}},
		{name: "nothing said, two differences", handler: inTurn(answers(204, ""), answers(400, "")), bodies: []string{tight, ping}, status: 400,
			says: []string{"re-serialised", ", or ", "test message"}, not: []string{aboutSecret}},
		{name: "strict about what a message says", handler: inTurn(answers(204, ""), answers(400, ""), answers(204, ""), answers(400, "")), bodies: []string{tight, tight, tight, pretty}, status: 400,
			says: []string{"re-serialised"}, not: []string{aboutSecret}},
		{name: "CSRF", handler: answers(403, "<!DOCTYPE html><html><head><title>403 Forbidden</title></head><body><h1>Forbidden <span>(403)</span></h1><p>CSRF verification failed.", "Content-Type", "text/html"),
			bodies: []string{tight}, status: 403, answer: "Forbidden (403)", says: []string{"CSRF protection"}, not: []string{aboutSecret}},
		{name: "the settings on the page of a crash", handler: answers(500, "<html><title>RuntimeError</title><td>CSRF_COOKIE_NAME</td>", "Content-Type", "text/html"),
			bodies: []string{tight}, status: 500, answer: "RuntimeError", says: []string{"HTML error page"}, not: []string{"CSRF protection"}},
		{name: "401", handler: answers(401, `{"error":"login required"}`), bodies: []string{tight}, status: 401, answer: "login required",
			says: []string{"protected"}, not: []string{aboutSecret}},
		{name: "401 after others", handler: inTurn(answers(204, ""), answers(401, "")), bodies: []string{tight, tight}, status: 401,
			says: []string{"accepted messages like"}, not: []string{"protected"}},
		{name: "FastAPI's 422", handler: answers(422, `{"detail":[{"type":"missing","loc":["body","timestamp"],"msg":"Field required","input":{}},{"loc":["body","user_id"],"msg":"Field required"}]}`, "Content-Type", "application/json"),
			bodies: []string{tight}, status: 422, answer: "body.timestamp: Field required; body.user_id: Field required", says: []string{"validates the form of the body", finds}, not: []string{aboutSecret}},
		{name: "Express's page", handler: answers(500, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n<pre>TypeError: Cannot read &#39;x&#39;<br> &nbsp; at /srv/app.js:3</pre>\n</body>\n</html>", "Content-Type", "text/html; charset=utf-8"),
			bodies: []string{tight}, status: 500, answer: "TypeError: Cannot read 'x'", says: []string{"HTML error page", finds}},
		{name: "a parsed body", handler: answers(400, "Error: Expected payload to be of type string or Buffer."), bodies: []string{tight}, status: 400,
			answer: "Error: Expected payload to be of type string or Buffer.", says: []string{"parsed or read before"}, not: []string{aboutSecret}},
		{name: "an uncaught failure", handler: answers(500, "Internal Server Error"), bodies: []string{tight}, status: 500, answer: "Internal Server Error", says: []string{finds}},
		{name: "a page", handler: answers(200, "<!doctype html><html><head><title>Vite App</title></head></html>", "Content-Type", "text/html"), bodies: []string{tight}, status: 200,
			answer: "Vite App", says: []string{"HTML page", "Vite App", "route", finds}},
		{name: "a redirect", handler: answers(301, "", "Location", "/hook/"), bodies: []string{tight}, status: 301, says: []string{`it points to "/hook/"`}, not: []string{finds}},
		{name: "the wrong path", handler: answers(404, "Not Found"), bodies: []string{tight}, status: 404, answer: "Not Found", says: []string{"nothing is at POST /hook"}, not: []string{finds}},
		{name: "a path that is gone", handler: inTurn(answers(204, ""), answers(404, "")), bodies: []string{tight, tight}, status: 404, says: []string{"accepted messages at this path"}},
		{name: "an endpoint disabled", handler: answers(200, "ok", "Webhook-Delivery", "disable"), bodies: []string{tight}, status: 200, answer: "ok", says: []string{"makes Svix disable the endpoint"}},
		{name: "a message ended", handler: answers(204, "", "webhook-delivery", "abort-message"), bodies: []string{tight}, status: 204, says: []string{"never send this message again"}},
		{name: "a body cut off", handler: cut, bodies: []string{tight}, status: 200, answer: "hello", says: []string{"breaks off after 5 of 100 bytes", finds}},
		{name: "chunks cut off", handler: func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "hello")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, bodies: []string{tight}, status: 200, answer: "hello", says: []string{"breaks off after 5 bytes"}},
		{name: "a secret told", handler: answers(500, "no match for whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw at postgres://me:s3cr3t@db/x"), bodies: []string{tight}, status: 500,
			answer: "no match for whsec_**** at postgres://db/x", says: []string{finds}, not: []string{"MfKQ9"}},
		{name: "hostile words", handler: answers(400, "\x1b[31mbad\x1b]0;x\a signature \u202e"+strings.Repeat("ü", 2000)), bodies: []string{tight}, status: 400,
			answer: "[31mbad]0;x signature " + strings.Repeat("ü", 499) + "…", says: []string{aboutRaw}},
	} {
		h := newHandler(t, nil)
		h.Config.Handler = c.handler
		p, err := NewReplay(ReplayOptions{Target: Target{URL: h.URL + "/hook?token=s3cr3t"}})
		if err != nil {
			t.Fatal(err)
		}
		var f model.Forward
		for i, body := range c.bodies {
			id := fmt.Sprint("msg_", i)
			if c.sameID {
				id = "msg_0"
			}
			f = p.Post(t.Context(), signedMessage(id, body, c.webhook && i == len(c.bodies)-1))
		}
		if f.Status != c.status || !strings.EqualFold(f.Answer, c.answer) || len(f.Answer) > 1<<10 {
			t.Errorf("%s: %d %q, not %d %q", c.name, f.Status, f.Answer, c.status, c.answer)
		}
		if len(c.says) == 0 && f.Hint != "" {
			t.Errorf("%s: %q, nothing to say wanted", c.name, f.Hint)
		}
		for _, part := range c.says {
			if !strings.Contains(f.Hint, part) {
				t.Errorf("%s: %q lacks %q", c.name, f.Hint, part)
			}
		}
		for _, part := range append(c.not, "s3cr3t", "\x1b") {
			if strings.Contains(f.Hint+f.Answer, part) {
				t.Errorf("%s: %q has %q", c.name, f.Hint, part)
			}
		}
	}
}

// silent answers without a body.
type silent struct{ http.ResponseWriter }

func (s *silent) Write(p []byte) (int, error) { return len(p), nil }

func cut(w http.ResponseWriter, _ *http.Request) {
	c, out, _ := w.(http.Hijacker).Hijack()
	out.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
	out.Flush()
	c.Close()
}

func signedMessage(id, body string, webhook bool) *model.Delivery {
	now := time.Now()
	d := &model.Delivery{ID: id, Source: model.SourceWebhook, Secret: "default", Received: now, Body: []byte(body), Header: http.Header{"Content-Type": {"application/json"}}}
	prefix := "Svix-"
	if webhook {
		prefix = "Webhook-"
	}
	d.Header[prefix+"Id"] = []string{id}
	d.Header[prefix+"Timestamp"] = []string{fmt.Sprint(now.Unix())}
	d.Header[prefix+"Signature"] = []string{signerOf(aspectSecret)(id, now, d.Body)}
	return d
}

func TestTheFormOfABody(t *testing.T) {
	for body, want := range map[string]form{
		tight: minimal, `{"a":[1,-2,0.5,true,null],"b":"x, y: z"}`: minimal, `[]`: minimal, `{"time":"2026-11-23T12:00:00.10Z"}`: minimal,
		dumped: python, ping: python, `{"a": [1, 2]}`: python,
		pretty: spaced, tight + "\n": spaced, `{ "a":1}`: spaced, `{"a" : 1}`: spaced, `{"a":  1}`: spaced, `{"a": 1,"b":2}`: spaced,
		escaped: odd, `{"a":1e5}`: odd, `{"a":12345678901234567890}`: odd, `{"a":-0}`: odd, `{"a":"\u00e9"}`: odd, `{"a":"\/"}`: odd,
		`{"a":"\\"}`: minimal, ``: notJSON, "\ufeff{}": notJSON, `"text"`: notJSON, `{"a`: minimal,
	} {
		if got := formOf([]byte(body)); got != want {
			t.Errorf("%s: %s, not %s", body, got, want)
		}
	}
}

func TestABodyThatDoesNotEndIsNamed(t *testing.T) {
	inVirtualTime(t, func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, ContentLength: -1, Body: noEnd{r}}, nil
	}, func(v *virtual) {
		v.journal.append(message("t", 1))
		time.Sleep(time.Minute)
		f := v.journal.outcome(1)
		if f.Status != 200 || !f.Delivered() || f.Tries != 1 {
			t.Errorf("%+v", f)
		}
		has(t, f.Hint, "does not end", "within 15s", "aspectop check")
	})
}

// noEnd is a body that gives nothing until the request ends.
type noEnd struct{ r *http.Request }

func (e noEnd) Read([]byte) (int, error) {
	<-e.r.Context().Done()
	return 0, e.r.Context().Err()
}

func (e noEnd) Close() error { return nil }

func TestWhatAnEarlierRunAcceptedIsKnown(t *testing.T) {
	h := newHandler(t, nil)
	h.Config.Handler = verifying(aspectSecret, compact, nil)
	j := newJournal(t)
	first := forwardFrom(t, j, h.URL)
	first.append(signedMessage("msg_1", tight, false))
	first.settled(1)
	first.stop()
	second := forwardFrom(t, j, h.URL)
	second.append(signedMessage("msg_2", pretty, false))
	f := second.settled(2)
	has(t, f.Hint, "it accepts minimal JSON and refuses JSON with other white space", "aspectop check "+h.URL+"/ finds out why")
	sameText(t, "the answer", strings.ToLower(f.Answer), "no matching signature found")
}

func TestThatAnOldSignatureIsRefusedTellsNothingElse(t *testing.T) {
	h := newHandler(t, nil)
	h.Config.Handler = verifying(aspectSecret, compact, nil)
	p, err := NewReplay(ReplayOptions{Target: Target{URL: h.URL}})
	if err != nil {
		t.Fatal(err)
	}
	p.Post(t.Context(), signedMessage("msg_1", tight, false))
	old := messageAt("t", 1, time.Now().Add(-time.Hour))
	old.Body = []byte(tight)
	if f := p.Post(t.Context(), old); f.Status != 400 || !strings.Contains(f.Hint, "the signature is 1h0m") {
		t.Errorf("%d %q", f.Status, f.Hint)
	}
	f := p.Post(t.Context(), signedMessage("msg_2", pretty, false))
	has(t, f.Hint, "it accepts minimal JSON")
}

func TestAtMost20FactsAreKnown(t *testing.T) {
	var k known
	for i := range 100 {
		k.note(fact{kind: kind{key: fmt.Sprint(i)}, size: i}, true, false)
		k.note(fact{kind: kind{key: fmt.Sprint(i)}}, true, false)
	}
	if len(k.facts) != maxFacts || k.facts[19].key != "99" || k.facts[19].size != 99 {
		t.Errorf("%+v", k.facts)
	}
}
