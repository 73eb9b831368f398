//go:build unix

package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// apiKey is the one that the stand-in for Aspect's API knows.
const apiKey = "sk_test_0123456789abcdef"

// standIn is a stand-in for Aspect's API that follows the provider's page.
type standIn struct {
	*httptest.Server
	t *testing.T

	mu        sync.Mutex
	endpoints map[string]map[string]any // by id, as they were created or updated last
	calls     []string                  // method and path
	active    []string                  // tasks, as JSON
	tasks     map[string]string         // by id, as JSON
	assets    map[string]string         // names by id
	messages  []string                  // as JSON
	attempts  map[string][]string       // by id of their message or endpoint, as JSON
	created   int
	upserts   bool   // a PUT of an endpoint that does not exist creates another one, as at Svix
	newID     string // of the next endpoint, "" for a plain one
	// instead may answer a request in place of the stand-in; false if it did not.
	instead func(w http.ResponseWriter, r *http.Request) bool
}

func aspectAPI(t *testing.T) *standIn {
	t.Helper()
	a := &standIn{t: t, endpoints: map[string]map[string]any{}, tasks: map[string]string{}, assets: map[string]string{}, attempts: map[string][]string{}}
	a.Server = httptest.NewServer(http.HandlerFunc(a.answer))
	t.Cleanup(a.Close)
	return a
}

// environment is what a program needs to use the stand-in.
func (a *standIn) environment() []string {
	return []string{"ASPECT_URL=" + a.URL, "ASPECT_API_KEY=" + apiKey}
}

func (a *standIn) answer(w http.ResponseWriter, r *http.Request) {
	if a.instead != nil && a.instead(w, r) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	call := r.Method + " " + r.URL.Path
	a.calls = append(a.calls, call)
	w.Header().Set("Content-Type", "application/json")
	if r.Header.Get("Authorization") != "Bearer "+apiKey {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"detail":"Invalid API key"}`)
		return
	}
	id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	var body map[string]any
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			a.t.Errorf("%s with %v", call, err)
		}
	}
	switch {
	case call == "POST /webhooks/endpoints":
		a.created++
		id = cmp.Or(a.newID, fmt.Sprintf("ep_%d", a.created))
		a.endpoints[id] = body
		body["id"], body["disabled"] = id, false
		body["event_types"] = []string{"task.progress", "task.completed", "task.failed"}
		json.NewEncoder(w).Encode(map[string]any{"endpoint": body, "secret": secret, "app": map[string]any{"id": "app_1", "is_new": true}})
	case call == "GET /webhooks/messages":
		fmt.Fprintf(w, `{"data":[%s],"iterator":null,"done":true}`, strings.Join(a.messages, ","))
	case call == "GET /webhooks/delivery-attempts":
		q := r.URL.Query()
		if len(q) != 1 || q.Get("message_id")+q.Get("endpoint_id") == "" {
			a.t.Errorf("%s with %v", call, q)
		}
		fmt.Fprintf(w, "[%s]", strings.Join(a.attempts[q.Get("message_id")+q.Get("endpoint_id")], ","))
	case r.Method == http.MethodPut && a.endpoints[id] == nil && a.upserts:
		a.created++
		id = fmt.Sprintf("ep_%d", a.created)
		a.endpoints[id] = body
		body["id"] = id
		w.WriteHeader(http.StatusCreated)
		json.NewEncoder(w).Encode(map[string]any{"endpoint": body})
	case strings.HasPrefix(r.URL.Path, "/webhooks/endpoints/") && a.endpoints[id] == nil:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"detail":"Endpoint not found"}`)
	case r.Method == http.MethodPut:
		for _, key := range []string{"url", "description", "event_types", "rate_limit", "version", "disabled"} {
			if _, ok := body[key]; !ok {
				a.t.Errorf("%s lacks %s", call, key)
			}
		}
		body["id"] = id
		a.endpoints[id] = body
		json.NewEncoder(w).Encode(map[string]any{"endpoint": body})
	case r.Method == http.MethodDelete:
		delete(a.endpoints, id)
		fmt.Fprint(w, `{"success":true}`)
	case call == "GET /tasks/active":
		fmt.Fprintf(w, "[%s]", strings.Join(a.active, ","))
	case strings.HasPrefix(call, "GET /tasks/") && a.tasks[id] != "":
		fmt.Fprint(w, a.tasks[id])
	case strings.HasPrefix(call, "GET /assets/") && a.assets[id] != "":
		fmt.Fprintf(w, `{"id":%q,"name":%q,"type":"video"}`, id, a.assets[id])
	default:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"detail":"Not Found"}`)
	}
}

// registered are the URLs to which endpoints point.
func (a *standIn) registered() (urls []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range a.endpoints {
		urls = append(urls, fmt.Sprint(e["url"]))
	}
	return urls
}

// called reports whether a call was made.
func (a *standIn) called(call string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.calls {
		if c == call {
			return true
		}
	}
	return false
}

// endpoint is what was set of an endpoint last, nil if there is none.
func (a *standIn) endpoint(id string) map[string]any {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.endpoints[id]
}

// asked are all calls so far.
func (a *standIn) asked() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.calls)
}
