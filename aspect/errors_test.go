package aspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestEveryRefusalIsASentence(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		body   string
		header http.Header
		want   string
	}{
		{"wrong key", 401, `{"detail":"Invalid API key"}`, nil,
			"GET /tasks/active: 401 Unauthorized: Invalid API key (Aspect does not know this API key: check ASPECT_API_KEY)"},
		{"revoked key", 403, `{"code":"forbidden","detail":"No access"}`, nil,
			"GET /tasks/active: 403 Forbidden: forbidden: No access (the API key was revoked, or belongs to another account: check ASPECT_API_KEY)"},
		{"not there", 404, `{"detail":"Not Found"}`, nil,
			"GET /tasks/active: 404 Not Found: Not Found (it does not exist in this account, or no longer; if it should, check ASPECT_API_KEY and ASPECT_URL)"},
		{"FastAPI's list", 422, `{"detail":[{"loc":["body","url"],"msg":"field required","type":"missing","input":{"k":"` + testKey + `"}},{"loc":["query",0],"msg":"too big"},{"msg":"x"},"y"]}`, nil,
			"GET /tasks/active: 422 Unprocessable Entity: body.url: field required; query.0: too big; x; y (Aspect does not accept a value of the request)"},
		{"too many, for long", 429, `{"detail":"slow down"}`, http.Header{"Retry-After": {"120"}},
			"GET /tasks/active: 429 Too Many Requests: slow down (too many requests: try again in 2m0s)"},
		{"a page of HTML", 501, "<html><head><style>p{}</style><title>Oops</title></head><body>\n\n<h1>It  broke</h1>\x1b[31m</body></html>", http.Header{"Retry-After": {"3600"}},
			"GET /tasks/active: 501 Not Implemented: Oops It broke [31m (Aspect has trouble: try again in 1h0m0s)"},
		{"nothing", 400, ``, nil, "GET /tasks/active: 400 Bad Request"},
		{"a key repeated", 400, `{"detail":"Bearer ` + testKey + ` and ` + testSecret + ` are bad"}`, nil,
			"GET /tasks/active: 400 Bad Request: Bearer ****WXYZ and whsec_**** are bad"},
		{"bidi and control characters", 400, `{"message":"a\u202eb\u0007c\nd"}`, nil, "GET /tasks/active: 400 Bad Request: abc d"},
		{"long words", 400, strings.Repeat("x", 5000), nil, "GET /tasks/active: 400 Bad Request: " + strings.Repeat("x", 200) + "…"},
		{"an unknown status", 499, `{"error":{"a":1}}`, nil, `GET /tasks/active: 499: {"a":1}`},
		{"JSON in another shape", 400, `{"reason":"no"}`, nil, `GET /tasks/active: 400 Bad Request: {"reason":"no"}`},
	} {
		c := handling(t, func(w http.ResponseWriter, _ *http.Request) {
			for name, values := range test.header {
				w.Header()[name] = values
			}
			w.WriteHeader(test.status)
			io.WriteString(w, test.body)
		})
		_, err := c.ActiveTasks(t.Context())
		if err == nil || err.Error() != test.want {
			t.Errorf("%s:\n got %v\nwant %s", test.name, err, test.want)
		}
		var refused *APIError
		if !errors.As(err, &refused) || refused.Status != test.status {
			t.Errorf("%s is no APIError of its status", test.name)
		}
	}
}

func TestARedirectElsewhereIsNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the other host was asked, with %v", r.Header)
	}))
	defer elsewhere.Close()
	c := handling(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+"/tasks/active", http.StatusTemporaryRedirect)
	})
	_, err := c.ActiveTasks(t.Context())
	if err == nil || !strings.Contains(err.Error(), "leads to "+elsewhere.URL) || !strings.Contains(err.Error(), "ASPECT_URL") {
		t.Error(err)
	}
}

func TestARedirectOnTheSameServerKeepsTheMethod(t *testing.T) {
	c := handling(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/tasks/active":
			http.Redirect(w, r, "/tasks/active/", http.StatusTemporaryRedirect)
		case "/tasks/active/":
			io.WriteString(w, `[{"id":"`+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")+`"}]`)
		default:
			if r.Method != http.MethodPost {
				t.Errorf("a POST became %s %s", r.Method, r.URL)
			}
			http.Redirect(w, r, "/login", http.StatusFound)
		}
	})
	if tasks := must(c.ActiveTasks(t.Context()))(t); len(tasks) != 1 || tasks[0].ID != testKey {
		t.Errorf("tasks: %v", tasks)
	}
	_, err := c.CreateEndpoint(t.Context(), EndpointSpec{URL: "https://a.example"})
	if err == nil || !strings.Contains(err.Error(), "302 Found") || !certainlyUndone(err) {
		t.Error(err)
	}
}

func TestACircleOfRedirectsEnds(t *testing.T) {
	asked := 0
	c := handling(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
	})
	if _, err := c.ActiveTasks(t.Context()); err == nil || asked > 5 {
		t.Errorf("%v after %d requests", err, asked)
	}
}

func TestAnEndlessBodyIsNotReadOn(t *testing.T) {
	sent := make(chan int, 2)
	status := 200
	c := handling(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		chunk, n := []byte(strings.Repeat(" ", 1<<20)), 0
		for ; n < 10<<10; n++ { // 10 GiB
			if _, err := w.Write(chunk); err != nil {
				break
			}
		}
		sent <- n
	})
	_, err := c.ActiveTasks(t.Context())
	if err == nil || !strings.Contains(err.Error(), "larger than 8 MiB") {
		t.Error(err)
	}
	if n := <-sent; n > 64 {
		t.Errorf("%d MiB were read", n)
	}
	status = 400
	if _, err := c.ActiveTasks(t.Context()); err == nil || err.Error() != "GET /tasks/active: 400 Bad Request" {
		t.Error(err)
	}
	if n := <-sent; n > 64 {
		t.Errorf("%d MiB of an error were read", n)
	}
}

func TestWhatGoesWrongOnTheWayIsASentence(t *testing.T) {
	tlsServer := httptest.NewTLSServer(nil)
	defer tlsServer.Close()
	tlsServer.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	refused := httptest.NewServer(nil)
	refused.Close()
	noDNS := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "api.aspect.inc", IsNotFound: true}}
	}}
	for _, test := range []struct {
		name, url string
		transport http.RoundTripper
		want      []string
	}{
		{"a certificate nobody vouches for", tlsServer.URL, nil, []string{"could not prove who it is", "x509", "clock"}},
		{"nobody listens", refused.URL, nil, []string{"no connection to 127.0.0.1", "refused", "ASPECT_URL"}},
		{"no such host", "", noDNS, []string{"no address was found for api.aspect.inc", "no such host"}},
		{"an answer cut off", breaking(t, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{\"id\""), nil, []string{"broke", "unexpected EOF"}},
		{"no HTTP, with the key in it", breaking(t, "Bearer "+testKey+" \x1b[2J\r\n\r\n"), nil, []string{"broke", "malformed"}},
	} {
		ctx := within(t, 20*time.Second)
		c, err := New(Config{BaseURL: test.url, Key: NewCredential(testKey), HTTP: &http.Client{Transport: test.transport}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.try(ctx, call{method: "GET", path: "/tasks/active"}, nil)
		if err == nil {
			t.Errorf("%s: no error", test.name)
			continue
		}
		for _, part := range append(test.want, "GET /tasks/active: ") {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not say %q", test.name, err, part)
			}
		}
		holdsNothingSecret(t, err)
	}
}

// breaking is the URL of a server that answers these bytes and hangs up.
func breaking(t *testing.T, bytes string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 4096))
			io.WriteString(conn, bytes)
			conn.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestAHangingServerIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		c := inMemory(t, func(_ http.ResponseWriter, r *http.Request) { asked.Add(1); <-r.Context().Done() })
		begin := time.Now()
		_, err := c.ActiveTasks(t.Context())
		if err == nil || !strings.Contains(err.Error(), "api.test did not answer within 20s") {
			t.Error(err)
		}
		if took := time.Since(begin); asked.Load() != maxTries || took < 80*time.Second || took > 90*time.Second {
			t.Errorf("%d tries in %v", asked.Load(), took)
		}
	})
}

func TestABodyThatDribblesIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				io.WriteString(w, "[")
				w.(http.Flusher).Flush()
				time.Sleep(time.Second)
			}
		})
		begin := time.Now()
		_, err := c.ActiveTasks(t.Context())
		if err == nil || !strings.Contains(err.Error(), "did not answer within 20s") || time.Since(begin) > 90*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

func TestTheCallersEndEndsACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inMemory(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin := time.Now()
		_, err := c.ActiveTasks(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if !strings.Contains(err.Error(), "did not answer in the time given") {
			t.Error(err)
		}
		if _, err := c.ActiveTasks(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after its end: %v", err)
		}
	})
}

func TestCredentialsNeverPrint(t *testing.T) {
	for _, text := range []string{testKey, testSecret, "short"} {
		credential := NewCredential(" " + text + "\n")
		if credential.Reveal() != text {
			t.Errorf("reveals %q", credential.Reveal())
		}
		type holder struct {
			Shown  Credential
			hidden Credential
			list   []Credential
			saved  savedSecret
		}
		held := holder{credential, credential, []Credential{credential}, savedSecret{credential}}
		for _, v := range []any{credential, &credential, held, &held, map[string]any{"k": held}} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p"} {
				if got := fmt.Sprintf(verb, v); shows(got, text) {
					t.Errorf("%s of %T prints %s", verb, v, got)
				}
			}
			var b strings.Builder
			slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", v)
			slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
			if shows(b.String(), text) {
				t.Errorf("slog of %T prints %s", v, b.String())
			}
		}
	}
	if got := NewCredential(testKey).Masked(); got != "****WXYZ" {
		t.Errorf("masked: %s", got)
	}
	if got := NewCredential("short").Masked(); got != "****" {
		t.Errorf("a short one masked: %s", got)
	}
}

// shows reports whether more than the last four characters of text stand in s,
// plain, in hexadecimal or as numbers.
func shows(s, text string) bool {
	const piece = 5
	for i := 0; i+piece <= len(text); i++ {
		p := text[i : i+piece]
		for _, form := range []string{p, fmt.Sprintf("%x", p), fmt.Sprintf("%X", p), strings.Trim(fmt.Sprint([]byte(p)), "[]")} {
			if strings.Contains(s, form) {
				return true
			}
		}
	}
	return false
}

// holdsNothingSecret looks through an error and all that it wraps.
func holdsNothingSecret(t *testing.T, err error) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		if s := fmt.Sprintf(verb, err); strings.Contains(s, testKey) || strings.Contains(s, testSecret) {
			t.Errorf("an error holds a credential: %s", s)
		}
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			holdsNothingSecret(t, inner)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			holdsNothingSecret(t, inner)
		}
	}
}
