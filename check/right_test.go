package check_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aspectop/check"
)

// A handler that works gets no fail and no danger, whatever its style.
func TestARightHandlerHasNoFault(t *testing.T) {
	var answered atomic.Int64
	var events, ids known
	for name, h := range map[string]http.HandlerFunc{
		"204": verifying(raw),
		"202 with text": then(func(w http.ResponseWriter, r *http.Request, b []byte) {
			w.WriteHeader(202)
			io.WriteString(w, "queued")
		}),
		"a count": then(func(w http.ResponseWriter, r *http.Request, b []byte) {
			fmt.Fprintf(w, `{"received":%d}`, answered.Add(1))
		}),
		"echoes the id": then(func(w http.ResponseWriter, r *http.Request, b []byte) {
			fmt.Fprintf(w, "got %s", r.Header.Get("svix-id"))
		}),
		"says duplicate": remembering(200, true),
		"known ids 208":  remembering(http.StatusAlreadyReported, true),
		"by the event's id": then(func(w http.ResponseWriter, r *http.Request, b []byte) {
			var e envelope
			if json.Unmarshal(b, &e) == nil && events.add(e.EventID) > 0 {
				io.WriteString(w, "skipped")
			}
		}),
		"403 in JSON": func(w http.ResponseWriter, r *http.Request) {
			if err := hook.Verify(body(r), r.Header); err != nil {
				w.WriteHeader(403)
				json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
			}
		},
		"401 without a word": func(w http.ResponseWriter, r *http.Request) {
			if hook.Verify(body(r), r.Header) != nil {
				w.WriteHeader(401)
			}
		},
		"by hand": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("svix-id") == "" {
				http.Error(w, "Missing Svix headers", 400)
				return
			}
			byHand(func(id, at, b string) string { return "v1," + b64(mac(key, id+"."+at+"."+b)) })(w, r)
		},
		"closes each connection": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close")
			verifying(raw)(w, r)
		},
		"slow": then(func(w http.ResponseWriter, r *http.Request, b []byte) { time.Sleep(20 * time.Millisecond) }),
		"answers before the body is read, if it must": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("svix-signature") == "" {
				http.Error(w, "no", 400)
				return
			}
			verifying(raw)(w, r)
		},
		"drops other types": then(func(w http.ResponseWriter, r *http.Request, b []byte) {
			var e envelope
			if json.Unmarshal(b, &e) == nil && strings.HasPrefix(e.EventType, "task.") && ids.add(r.Header.Get("svix-id")) == 0 {
				w.WriteHeader(201)
			}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, probes := checked(t, h)
			if r.Bad() || r.Err != nil || len(r.Undecided) > 0 || len(r.Findings) > 0 && codesOf(r)[0] != "serial" {
				t.Errorf("found %v (%v, %v)", codesOf(r), r.Err, r.Undecided)
				for _, p := range probes {
					t.Logf("%+v", p)
				}
			}
		})
	}
}

// A framework is named only where an answer tells it, and not another that looks alike.
func TestAFrameworkIsNamedByWhatTellsIt(t *testing.T) {
	for name, c := range map[string]struct {
		header map[string]string
		status int
		body   string
		want   string // in the fix; "" is no name
	}{
		"Express":           {map[string]string{"X-Powered-By": "Express"}, 400, "Invalid signature", "Express: "},
		"Nest":              {map[string]string{"X-Powered-By": "Express"}, 400, `{"message":"no","error":"Bad Request","statusCode":400}`, "Nest: "},
		"Fastify":           {nil, 400, `{"statusCode":400,"code":"FST_ERR_VALIDATION","error":"Bad Request","message":"no"}`, "Fastify: "},
		"Hapi":              {nil, 400, `{"statusCode":400,"error":"Bad Request","message":"no"}`, ""},
		"Django":            {map[string]string{"Cross-Origin-Opener-Policy": "same-origin", "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff"}, 400, "no", "Django: "},
		"helmet":            {map[string]string{"Cross-Origin-Opener-Policy": "same-origin", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}, 400, "no", ""},
		"another's CSRF":    {nil, 400, `{"error":"invalid csrf token"}`, ""},
		"FastAPI":           {map[string]string{"Server": "uvicorn"}, 400, `{"detail":"Invalid signature"}`, "FastAPI: "},
		"Litestar":          {map[string]string{"Server": "uvicorn"}, 400, `{"status_code":400,"detail":"Invalid signature"}`, ""},
		"Flask":             {map[string]string{"Server": "Werkzeug/3.1.9 Python/3.11.7"}, 400, "no", "Flask: "},
		"Flask in gunicorn": {map[string]string{"Server": "gunicorn"}, 400, "<!doctype html>\n<html lang=en>\n<title>400 Bad Request</title>\n<h1>Bad Request</h1>", "Flask: "},
		"Quart":             {map[string]string{"Server": "hypercorn-h11"}, 400, "<!doctype html>\n<html lang=en>\n<title>400 Bad Request</title>\n<h1>Bad Request</h1>", ""},
		"Pyramid":           {map[string]string{"Server": "waitress"}, 400, "no", ""},
	} {
		next := verifying(func(b []byte) []byte { return unescaped(compact(b)) })
		r, _ := checked(t, func(w http.ResponseWriter, r *http.Request) {
			for k, v := range c.header {
				w.Header().Set(k, v)
			}
			rec := httptest.NewRecorder()
			if next(rec, r); rec.Code/100 == 2 {
				w.WriteHeader(rec.Code)
				return
			}
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		})
		var got string
		for _, f := range r.Findings {
			if f.Code == "reserialised" {
				got = f.Fix
			}
		}
		_, named, _ := strings.Cut(got, ". ")
		if got == "" || (c.want == "") != (named == "") || !strings.HasPrefix(named, c.want) {
			t.Errorf("%s: found %v, and the fix is %q", name, codesOf(r), got)
		}
	}
}

// What a handler that re-serialises accepts is said to be so only in the form that it verifies.
func TestWhatIsAcceptedInAnotherFormIsSaidSo(t *testing.T) {
	r, _ := checked(t, verifying(spaced))
	for _, o := range r.Outcomes {
		if strings.Contains(o.Property, "svix.ping") && !strings.HasPrefix(o.Detail, "if signed as JSON with a space") {
			t.Errorf("it is told as %+v", o)
		}
	}
}

func TestWorkIsObserved(t *testing.T) {
	for name, c := range map[string]struct {
		remembers, works bool
		want             string
	}{"once": {true, true, ""}, "each time": {false, true, "not_idempotent"}, "never": {true, false, "not_done"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen, done known
			h := then(func(w http.ResponseWriter, r *http.Request, b []byte) {
				if id := r.Header.Get("svix-id"); c.works && (seen.add(id) == 0 || !c.remembers) {
					done.add(id)
				}
			})
			r, _ := checked(t, h, func(o *check.Options) {
				o.Observe = func(_ context.Context, id string) (int, error) {
					done.mu.Lock()
					defer done.mu.Unlock()
					return done.ids[id], nil
				}
			})
			if got := strings.Join(codesOf(r), " "); got != c.want || r.Err != nil {
				t.Errorf("found %q, not %q: %v", got, c.want, r.Err)
			}
			for _, f := range r.Findings {
				told(t, f, r.Probes)
			}
		})
	}
}

func TestWhatCannotBeObservedIsSkipped(t *testing.T) {
	r, _ := checked(t, verifying(raw), func(o *check.Options) {
		o.Observe = func(context.Context, string) (int, error) { return 0, errors.New("no such table \x1b[31m" + secret) }
	})
	last := r.Outcomes[len(r.Outcomes)-1]
	if len(r.Findings) > 0 || len(r.Undecided) != 1 || last.Skipped != r.Undecided[0] || !strings.Contains(last.Skipped, "no such table") {
		t.Errorf("found %v, undecided %q, %+v", codesOf(r), r.Undecided, last)
	}
	if strings.Contains(last.Skipped, secret[6:]) || strings.Contains(last.Skipped, "\x1b") {
		t.Errorf("it is told as %q", last.Skipped)
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + l.Addr().String()
	l.Close()
	r, probes := checkedAt(t, address)
	if !errors.Is(r.Err, check.ErrNobody) || len(r.Findings) > 0 || len(probes) != 1 || r.Complete() {
		t.Errorf("%v, found %v in %d", r.Err, codesOf(r), len(probes))
	}
}

func TestAHandlerThatGoesAwayHasCrashed(t *testing.T) {
	var n atomic.Int32
	s := httptest.NewUnstartedServer(nil)
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 3 {
			s.Listener.Close()
		}
		w.Header().Set("Connection", "close")
		verifying(raw)(w, r)
	})
	s.Start()
	defer s.Close()
	r, _ := checkedAt(t, s.URL)
	if got := codesOf(r); !slices.Equal(got, []string{"crash"}) || !errors.Is(r.Err, check.ErrNobody) {
		t.Errorf("found %v: %v", got, r.Err)
	}
}

func TestAHandlerThatDoesNotAnswerIsLeft(t *testing.T) {
	t.Parallel()
	end := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-end }))
	defer s.Close()
	defer close(end)
	r, probes := checkedAt(t, s.URL, hurry)
	if !errors.Is(r.Err, check.ErrSilent) || !slices.Equal(codesOf(r), []string{"slow"}) || len(probes) != 1 || r.Bad() {
		t.Errorf("%v, found %v in %d", r.Err, codesOf(r), len(probes))
	}
}

func TestAnAnswerThatDoesNotEndIsCut(t *testing.T) {
	t.Parallel()
	end := make(chan struct{})
	s := httptest.NewServer(then(func(w http.ResponseWriter, r *http.Request, b []byte) {
		io.WriteString(w, "begun")
		w.(http.Flusher).Flush()
		<-end
	}))
	defer s.Close()
	defer close(end)
	if r, _ := checkedAt(t, s.URL, hurry); !slices.Equal(codesOf(r), []string{"cut"}) || r.Err != check.ErrCut {
		t.Errorf("%v, found %v", r.Err, codesOf(r))
	}
}

func TestNoAnswerIsNoVerdict(t *testing.T) {
	other := httptest.NewUnstartedServer(nil)
	other.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	other.StartTLS()
	defer other.Close()
	r, _ := checkedAt(t, other.URL)
	if !errors.Is(r.Err, check.ErrSilent) || !strings.Contains(r.Err.Error(), "certificate") || len(r.Findings) > 0 {
		t.Errorf("%v, found %v", r.Err, codesOf(r))
	}
	if r, _ := checkedAt(t, other.URL, func(o *check.Options) { o.Insecure = true }); !slices.Equal(codesOf(r), []string{"no_verification"}) {
		t.Errorf("insecure: %v, found %v", r.Err, codesOf(r))
	}
}

func TestAnInterruptedCheckSaysWhatItFound(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := httptest.NewServer(uncaughtThen(func(n int32) {
		if n == 12 {
			cancel()
		}
	}))
	defer s.Close()
	u, _ := url.Parse(s.URL)
	o := check.Options{URL: u, Secret: secretOf(t)}
	var err error
	if o.Place, err = check.Resolve(ctx, u); err != nil {
		t.Fatal(err)
	}
	r := check.Run(ctx, o)
	if got := codesOf(r); !slices.Equal(got, []string{"forged_5xx"}) || !errors.Is(r.Err, context.Canceled) || r.Complete() || r.Probes > 13 {
		t.Errorf("found %v in %d: %v", got, r.Probes, r.Err)
	}
	if last := r.Outcomes[len(r.Outcomes)-1]; last.Skipped != "interrupted" {
		t.Errorf("the last property was skipped: %s", last.Skipped)
	}
}

func uncaughtThen(do func(n int32)) http.HandlerFunc {
	var n atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		uncaught(w, r)
		do(n.Add(1))
	}
}

// A handler may echo all that it is sent; and send what controls a terminal.
func TestNothingSecretIsInAnyOutput(t *testing.T) {
	const value = "the-value-of-the-header"
	r, probes := checked(t, func(w http.ResponseWriter, r *http.Request) {
		if hook.Verify(body(r), r.Header) == nil {
			w.WriteHeader(500)
		} else {
			w.WriteHeader(400)
		}
		expected := mac(key, r.Header.Get("svix-id")+"."+r.Header.Get("svix-timestamp")+".{}")
		fmt.Fprintf(w, "\x1b]0;x\x07%s %s %s %s expected %s", r.Header.Get("X-Tenant"), r.Header.Get("svix-signature"), secret, secret[6:], b64(expected))
	}, func(o *check.Options) { o.Header = http.Header{"X-Tenant": {value}} })
	if len(probes) < 3 {
		t.Fatalf("%d probes", len(probes))
	}
	text := fmt.Sprintf("%+v", probes)
	for _, f := range r.Findings {
		text += fmt.Sprintf("%+v", *f)
	}
	for _, o := range r.Outcomes {
		text += fmt.Sprintf("%+v", o)
	}
	if mac := regexp.MustCompile(`[0-9A-Za-z+/]{43}=`).FindString(text); mac != "" {
		t.Errorf("the signature %s that the handler expects is in %s", mac, text)
	}
	for _, secret := range []string{value, secret, secret[6:], "\x1b", "\x07"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in %s", secret, text)
		}
	}
	if i := strings.Index(text, "v1,"); i >= 0 && !strings.HasPrefix(text[i:], "v1,[redacted]") {
		t.Errorf("a signature is in %s", text)
	}
}

func TestOnlyPrivateAddressesAreFree(t *testing.T) {
	for host, near := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "127.8.9.1": true, "[::1]": true, "10.1.2.3": true, "172.31.0.1": true, "192.168.1.1": true,
		"100.64.0.1": true, "[fd00::1]": true, "[::ffff:10.0.0.1]": true, "app.localhost": true,
		"169.254.169.254": false, "[fe80::1]": false, "172.32.0.1": false, "100.128.0.1": false, "192.0.2.1": false, "[2001:db8::1]": false, "[::ffff:192.0.2.1]": false,
	} {
		u := &url.URL{Scheme: "http", Host: host}
		if p, err := check.Resolve(t.Context(), u); err != nil || p.Near != near || p.Near == p.Far.IsValid() {
			t.Errorf("%s: %+v, %v", host, p, err)
		}
	}
}

// What is checked is where the host was when it was resolved.
func TestNoProxyIsUsedAndNoRedirectFollowed(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	t.Setenv("HTTP_PROXY", other.URL)
	t.Setenv("http_proxy", other.URL)
	s := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer s.Close()
	r, probes := checkedAt(t, s.URL, func(o *check.Options) { // the name of the host is not looked up again
		u, _ := url.Parse(s.URL)
		o.URL = &url.URL{Scheme: "http", Host: "handler.example:" + u.Port(), Path: "/"}
	})
	if got := codesOf(r); !slices.Equal(got, []string{"redirect"}) || len(probes) != 1 || elsewhere.Load() != 0 {
		t.Errorf("found %v; %d requests went elsewhere", got, elsewhere.Load())
	}
	if !strings.Contains(r.Findings[0].Title, other.URL) {
		t.Errorf("it is told as %s", r.Findings[0].Title)
	}
}

func TestAPublicAddressGetsOneRequestAtATime(t *testing.T) {
	var now, most atomic.Int32
	r, _ := checked(t, func(w http.ResponseWriter, r *http.Request) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer now.Add(-1)
		time.Sleep(15 * time.Millisecond)
		verifying(raw)(w, r)
	}, func(o *check.Options) { o.Place.Near, o.Place.Far = false, netip.MustParseAddr("192.0.2.1") })
	if most.Load() != 1 || len(r.Findings) > 0 || r.Err != nil {
		t.Errorf("%d at once; found %v, %v", most.Load(), codesOf(r), r.Err)
	}
}

func TestEveryProbeHasAConnectionOfItsOwn(t *testing.T) {
	var used atomic.Int32
	r, _ := checked(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Context().Value(usedConn{}).(*atomic.Bool).Swap(true) {
			used.Add(1)
		}
		verifying(raw)(w, r)
	})
	if used.Load() != 1 || r.Err != nil { // the second one of those that ask about a kept connection
		t.Errorf("%d requests came on a connection that was used before; %v", used.Load(), r.Err)
	}
}
