package aspect

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"aspectop/model"
)

func TestAnEndpointIsCreatedUpdatedAndDeletedAsThePageSays(t *testing.T) {
	s := newStandIn(t)
	c, ctx := s.serve(), within(t, 10*time.Second)

	created, err := c.CreateEndpoint(ctx, EndpointSpec{URL: "https://a.example/hook", Description: "Prod listener"})
	if err != nil {
		t.Fatal(err)
	}
	e := created.Endpoint
	if e.ID != "ep_1" || created.Secret.Reveal() != testSecret {
		t.Errorf("created %+v", e)
	}
	if e.RateLimit != 120 || e.Version != 1 || e.Disabled || len(e.EventTypes) != 3 || e.Created.IsZero() {
		t.Errorf("the endpoint is read as %+v", e)
	}

	spec := e.EndpointSpec
	spec.URL, spec.Disabled = "https://b.example/hook", true
	updated, err := NewLeases(c, t.TempDir()).Update(ctx, e.ID, spec)
	if err != nil {
		t.Fatal(err)
	}
	if updated.URL != spec.URL || !updated.Disabled || s.urlOf("ep_1") != spec.URL {
		t.Errorf("updated to %+v", updated)
	}

	if err := c.DeleteEndpoint(ctx, e.ID); err != nil {
		t.Fatal(err)
	}
	if len(s.alive()) != 0 {
		t.Error("the endpoint is still there")
	}
	if err := c.DeleteEndpoint(ctx, e.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleting it again: %v, which does not say that it is gone", err)
	}
}

func TestASecretIsFoundWhereverTheAnswerHasItAndStaysOutOfTheRawJSON(t *testing.T) {
	for _, body := range []string{
		`{"endpoint":{"id":"ep_1"},"secret":"` + testSecret + `"}`,
		`{"endpoint":{"id":"ep_1","secret":"` + testSecret + `"}}`,
		`{"id":"ep_1","secret":"` + testSecret + `"}`,
	} {
		created := must(answering(t, 201, body).CreateEndpoint(t.Context(), EndpointSpec{URL: "https://a.example"}))(t)
		if created.Endpoint.ID != "ep_1" || created.Secret.Reveal() != testSecret {
			t.Errorf("%s is read as %+v", body, created)
		}
		if strings.Contains(string(created.Endpoint.Raw), testSecret) || !strings.Contains(string(created.Endpoint.Raw), "ep_1") {
			t.Errorf("the raw JSON is %s", created.Endpoint.Raw)
		}
	}
}

func TestAnUpdateThatAnswersNoEndpointReturnsWhatWasSet(t *testing.T) {
	for _, body := range []string{`{"success": true}`, ``, `null`} {
		c := answering(t, 200, body)
		e, err := NewLeases(c, t.TempDir()).Update(t.Context(), "ep_1", EndpointSpec{URL: "https://a.example", EventTypes: []string{"task.*"}})
		if err != nil {
			t.Errorf("answer %q: %v", body, err)
		}
		if e.ID != "ep_1" || e.URL != "https://a.example" || len(e.EventTypes) != 3 || e.RateLimit != 120 {
			t.Errorf("answer %q gives %+v", body, e)
		}
	}
}

func TestASuccessThatSaysFalseIsAnError(t *testing.T) {
	c := answering(t, 200, `{"success": false}`)
	if err := c.DeleteEndpoint(t.Context(), "ep_1"); err == nil {
		t.Error("the deletion counts as done")
	}
	if _, err := NewLeases(c, t.TempDir()).Update(t.Context(), "ep_1", EndpointSpec{URL: "https://a.example"}); err == nil {
		t.Error("the update counts as done")
	}
}

func TestListsAreAskedForAsThePageSays(t *testing.T) {
	s := newStandIn(t)
	c, ctx := s.serve(), within(t, 10*time.Second)

	messages := must(c.Messages(ctx, 50))(t)
	if len(messages) != 1 || messages[0].ID != "msg_1" || messages[0].EventType != "task.progress" || messages[0].Time.IsZero() {
		t.Errorf("messages: %+v", messages)
	}
	for name, list := range map[string][]model.SentAttempt{
		"by message":  must(c.AttemptsByMessage(ctx, "msg_1", 50))(t),
		"by endpoint": must(c.AttemptsByEndpoint(ctx, "ep_1", 50))(t),
	} {
		if len(list) != 1 {
			t.Fatalf("%s: %+v", name, list)
		}
		a := list[0]
		if a.ID != "atmpt_1" || a.MessageID != "msg_1" || a.EndpointID != "ep_1" || a.Status != "success" || a.ResponseCode != 204 || a.URL == "" || a.Time.IsZero() {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestTasksKeepTheirBytesAsTheyCame(t *testing.T) {
	s := newStandIn(t)
	one := `{"id":"t1",  "features":{"visual":{"state":"queued","storage_variant":null}}, "é":1}`
	s.tasks = []string{one, `{"id":"t2","features":{}}`}
	c := clientOf(t, rawServer(t, "["+one+` , {"id":"t2","features":{}}]`+"\n"))

	tasks := must(c.ActiveTasks(t.Context()))(t)
	if len(tasks) != 2 || tasks[0].ID != "t1" || string(tasks[0].Raw) != one || tasks[1].ID != "t2" {
		t.Errorf("tasks: %+v", tasks)
	}
	c = clientOf(t, rawServer(t, one+"\n"))
	if task := must(c.Task(t.Context(), "t1"))(t); string(task.Raw) != one {
		t.Errorf("task: %s", task.Raw)
	}
	c = s.serve()
	if len(must(c.ActiveTasks(t.Context()))(t)) != 2 {
		t.Error("the stand-in's tasks are not all there")
	}
	if _, err := c.Task(t.Context(), "t3"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a task that does not exist: %v", err)
	}
	asset := must(c.Asset(t.Context(), "a1"))(t)
	if asset.Name != "holiday.mov" {
		t.Errorf("asset: %+v", asset)
	}
}

func TestAnIdStaysOneSegmentOfThePath(t *testing.T) {
	var got string
	c := handling(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.EscapedPath()
		answer(w, 200, map[string]any{"id": "x"})
	})
	if _, err := c.Task(t.Context(), "../users/me?x=1#y"); err != nil {
		t.Fatal(err)
	}
	if want := "/tasks/..%2Fusers%2Fme%3Fx=1%23y"; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
	for _, id := range []string{"", ".", ".."} {
		if _, err := c.Task(t.Context(), id); err == nil {
			t.Errorf("the id %q is accepted", id)
		}
	}
}

func TestAConfigurationThatCannotWorkIsRefusedWithoutQuotingIt(t *testing.T) {
	for name, c := range map[string]Config{
		"no key":              {},
		"a blank key":         {Key: NewCredential(" \n")},
		"a key in two lines":  {Key: NewCredential("sk_first\nsk_second")},
		"a webhook's secret":  {Key: NewCredential("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")},
		"no scheme":           {Key: NewCredential(testKey), BaseURL: "api.aspect.inc"},
		"another scheme":      {Key: NewCredential(testKey), BaseURL: "ftp://api.aspect.inc"},
		"a password":          {Key: NewCredential(testKey), BaseURL: "https://me:sk_secret@api.aspect.inc"},
		"a query":             {Key: NewCredential(testKey), BaseURL: "https://api.aspect.inc/?key=sk_secret"},
		"a URL that is none":  {Key: NewCredential(testKey), BaseURL: "https://sk_secret\x7f"},
		"a host that is none": {Key: NewCredential(testKey), BaseURL: "https://"},
	} {
		_, err := New(c)
		if err == nil {
			t.Errorf("%s is accepted", name)
		} else if strings.Contains(err.Error(), "sk_") || !strings.Contains(err.Error(), "ASPECT_") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABaseURLMayHaveAPathAndASlash(t *testing.T) {
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.Path
		w.Write([]byte("[]"))
	}))
	defer server.Close()
	must(clientOf(t, server.URL+"/v1/").ActiveTasks(t.Context()))(t)
	if got != "/v1/tasks/active" {
		t.Errorf("asked for %s", got)
	}
}

// answering is a client of a server that always gives this answer.
func answering(t *testing.T, status int, body string) *Client {
	t.Helper()
	return handling(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		w.Write([]byte(body))
	})
}

func handling(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return clientOf(t, server.URL)
}

func rawServer(t *testing.T, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(body)) }))
	t.Cleanup(server.Close)
	return server.URL
}

func TestAnAddressIsAtTheAPIOnlyWithItsSchemeHostAndPort(t *testing.T) {
	for address, want := range map[string]bool{
		"https://api.aspect.inc/events":     true,
		"https://API.aspect.inc:443/events": true,
		"http://api.aspect.inc/events":      false,
		"https://api.aspect.inc:8443/":      false,
		"https://events.aspect.inc/":        false,
		"https://api.aspect.inc.example/":   false,
		"/events":                           false,
		"":                                  false,
	} {
		if got := clientOf(t, DefaultURL).At(address); got != want {
			t.Errorf("%q is at the API: %v", address, got)
		}
	}
}
