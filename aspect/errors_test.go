package aspect

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"aspectop/loopback"
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
		{"a page of something else", 404, "<html><title>nginx</title></html>", nil,
			"GET /tasks/active: 404 Not Found: nginx (this answer is not one of Aspect's: check ASPECT_URL, and whether there is a proxy in between)"},
		{"revoked key", 403, `{"code":"forbidden","detail":"No access"}`, nil,
			"GET /tasks/active: 403 Forbidden: forbidden: No access (the API key was revoked, or belongs to another account: check ASPECT_API_KEY)"},
		{"not there", 404, `{"detail":"Not Found"}`, nil,
			"GET /tasks/active: 404 Not Found: Not Found (it does not exist in this account; if it should, check ASPECT_API_KEY and ASPECT_URL)"},
		{"FastAPI's list", 422, `{"detail":[{"loc":["body","url"],"msg":"field required","type":"missing","input":{"k":"` + testKey + `"}},{"loc":["query",0],"msg":"too big"},{"msg":"x"},"y"]}`, nil,
			"GET /tasks/active: 422 Unprocessable Entity: body.url: field required; query.0: too big; x; y (Aspect does not accept a value in the request)"},
		{"too many, for long", 429, `{"detail":"slow down"}`, http.Header{"Retry-After": {"120"}},
			"GET /tasks/active: 429 Too Many Requests: slow down (too many requests: try again in 2m0s)"},
		{"a page of HTML", 501, "<html><head><style>p{}</style><title>Oops</title></head><body>\n\n<h1>It  broke</h1>\x1b[31m</body></html>", http.Header{"Retry-After": {"3600"}},
			"GET /tasks/active: 501 Not Implemented: It broke (server error: try again in 1h0m0s)"},
		{"nothing", 400, ``, nil, "GET /tasks/active: 400 Bad Request"},
		{"a key repeated", 400, `{"detail":"Bearer ` + testKey + ` and ` + testSecret + ` are bad"}`, nil,
			"GET /tasks/active: 400 Bad Request: Bearer ****WXYZ and whsec_**** are bad"},
		{"bidi and control characters", 400, `{"message":"a\u202eb\u0007c\nd"}`, nil, "GET /tasks/active: 400 Bad Request: abc d"},
		{"long words", 400, strings.Repeat("x", 5000), nil, "GET /tasks/active: 400 Bad Request: " + strings.Repeat("x", 200) + "…"},
		{"an unknown status", 499, `{"error":{"a":1}}`, nil, `GET /tasks/active: 499: {"error":{"a":1}}`},
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
	if err == nil || !strings.Contains(err.Error(), "redirects to "+elsewhere.URL) || !strings.Contains(err.Error(), "ASPECT_URL") {
		t.Error(err)
	}
}

func TestARedirectOnTheSameServerKeepsTheMethod(t *testing.T) {
	c := handling(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/tasks/active":
			http.Redirect(w, r, "/tasks/active/", http.StatusTemporaryRedirect)
		case "/tasks/active/":
			if r.Header.Get("Authorization") != "Bearer "+testKey {
				t.Errorf("redirected with %v", r.Header)
			}
			io.WriteString(w, `[{"id":"a"}]`)
		default:
			if r.Method != http.MethodPost {
				t.Errorf("a POST became %s %s", r.Method, r.URL)
			}
			http.Redirect(w, r, "/login", http.StatusFound)
		}
	})
	if tasks := must(c.ActiveTasks(t.Context()))(t); len(tasks) != 1 || tasks[0].ID != "a" {
		t.Errorf("tasks: %v", tasks)
	}
	_, err := c.CreateEndpoint(t.Context(), EndpointSpec{URL: "https://a.example"})
	if err == nil || !strings.Contains(err.Error(), "302 Found") || !Undone(err) {
		t.Error(err)
	}
}

func TestARedirectOutOfTLSIsNotFollowed(t *testing.T) {
	request := func(url string) *http.Request {
		r, err := http.NewRequest("GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := []*http.Request{request("https://api.aspect.inc/tasks/active")}
	if CheckRedirect(request("https://api.aspect.inc/tasks/active/"), first) != nil {
		t.Error("a slash at the end is not followed")
	}
	for _, url := range []string{"http://api.aspect.inc/tasks/active/", "https://api.aspect.inc:444/", "https://sub.api.aspect.inc/"} {
		if CheckRedirect(request(url), first) != http.ErrUseLastResponse {
			t.Errorf("%s is followed with the key", url)
		}
	}
}

func TestOnlyARedirectWithAHostIsNamed(t *testing.T) {
	c := handling(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "data:;")
		w.WriteHeader(http.StatusFound)
	})
	if _, err := c.ActiveTasks(t.Context()); err == nil || err.Error() != "GET /tasks/active: 302 Found" {
		t.Error(err)
	}
}

func TestAPostThatIsNotThereIsNotSaidToBeMissingInTheAccount(t *testing.T) {
	c := answering(t, 404, `{"detail":"Not Found"}`)
	_, err := c.CreateEndpoint(t.Context(), EndpointSpec{URL: "https://a.example"})
	if err == nil || !strings.HasSuffix(err.Error(), "(this server has no such call: check ASPECT_URL)") {
		t.Error(err)
	}
}

func TestAnAnswerThatWasCutOffIsSaid(t *testing.T) {
	if _, err := answering(t, 200, `[{"id":"a"`).ActiveTasks(t.Context()); err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Error(err)
	}
}

func TestAKeyThatAnAnswerEchoesIsMasked(t *testing.T) {
	tasks := must(answering(t, 200, `[{"id":"a","note":"`+testKey+`"}]`).ActiveTasks(t.Context()))(t)
	if len(tasks) != 1 || string(tasks[0].Raw) != `{"id":"a","note":"****WXYZ"}` {
		t.Errorf("tasks: %s", tasks)
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

// TestWhatAProxyAnswersIsNamedAsTheProxys has the API behind a proxy that answers itself.
func TestWhatAProxyAnswersIsNamedAsTheProxys(t *testing.T) {
	t.Parallel()
	status, asked := 0, 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.WriteHeader(status)
	}))
	defer proxy.Close()
	for _, c := range []struct {
		api          string
		status, asks int
		want         []string
	}{
		{"https://api.example.com", 403, maxTries, []string{"the proxy " + proxy.URL + " refused to connect: 403 Forbidden", "name api.example.com in NO_PROXY"}},
		{"http://api.example.com", 407, maxTries, []string{"a proxy asks for it, not Aspect", "through the proxy " + proxy.URL}},
		{"http://api.example.com", 401, 1, []string{"through the proxy " + proxy.URL}},
	} {
		status, asked = c.status, 0
		transport := loopback.Route(&http.Transport{Proxy: func(r *http.Request) (*url.URL, error) { return r.URL.Parse(proxy.URL) }}, new(net.Dialer))
		client, err := New(Config{BaseURL: c.api, Key: NewCredential(testKey), HTTP: &http.Client{Transport: transport}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.ActiveTasks(t.Context())
		if err == nil || asked != c.asks {
			t.Fatalf("%s, %d: %v after %d requests", c.api, c.status, err, asked)
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q lacks %q", err, part)
			}
		}
	}
}
