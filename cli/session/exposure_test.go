package session

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"

	"aspectop/aspect"
	"aspectop/tunnel"
)

// upserting is Aspect's API as far as endpoints go. Like Svix it answers a PUT of an
// endpoint that does not exist by creating another one.
type upserting struct {
	mu      sync.Mutex
	made    int
	refuse  int               // requests that are answered 403 before others are answered
	target  string            // see aims
	secrets map[string]string // by id, of those that exist; "" of those that a PUT created
}

func (a *upserting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	_, exists := a.secrets[id]
	switch {
	case a.refuse > 0 && r.Method != http.MethodDelete:
		a.refuse--
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"detail":"no"}`)
	case r.Method == http.MethodDelete && exists:
		delete(a.secrets, id)
		fmt.Fprint(w, `{"success":true}`)
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"detail":"not found"}`)
	case exists:
		var spec struct{ URL string }
		json.NewDecoder(r.Body).Decode(&spec)
		a.target = spec.URL
		fmt.Fprintf(w, `{"endpoint":{"id":%q}}`, id)
	default:
		a.made++
		id = fmt.Sprintf("ep_%d", a.made)
		made := map[string]any{"endpoint": map[string]any{"id": id}}
		if a.secrets[id] = ""; r.Method == http.MethodPost {
			a.secrets[id] = fmt.Sprintf("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa%02d", a.made)
			made["secret"] = a.secrets[id]
		}
		w.WriteHeader(http.StatusCreated)
		json.NewEncoder(w).Encode(made)
	}
}

// only is the one endpoint that exists, "" if there is none or another number.
func (a *upserting) only() (id, secret string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.secrets) == 1 {
		for id, secret = range a.secrets {
		}
	}
	return id, secret
}

// exposed registers an endpoint at the API and receives until end is called, which fails
// the test if that did not end well.
func exposed(t *testing.T, api *upserting) (s *Session, e *Exposure, end func()) {
	t.Helper()
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	client, err := aspect.New(aspect.Config{BaseURL: server.URL, Key: aspect.NewCredential("sk_live_qwrtzuiopghjklyvWXYZ")})
	if err != nil {
		t.Fatal(err)
	}
	state := t.TempDir()
	st, err := OpenStore(t.Context(), filepath.Join(state, "j.db"), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	e = &Exposure{
		options: tunnel.Options{Mode: tunnel.OwnURL, PublicURL: "http://127.0.0.1:1", StateDir: state},
		leases:  aspect.NewLeases(client, state), retry: time.Millisecond,
	}
	s = New(Options{Path: "/webhooks/aspect", Exposure: e}, st)
	if err := s.Listen("127.0.0.1:0", false); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.receive(ctx) }()
	<-s.receiving
	return s, e, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// aims is where the newest PUT that was not refused leads.
func (a *upserting) aims() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.target
}

func TestAnEndpointThatCouldNotBePointedToANewURLIsTriedAgain(t *testing.T) {
	for name, gone := range map[string]bool{"refused": false, "gone, and refused": true} {
		t.Run(name, func(t *testing.T) {
			api := &upserting{secrets: map[string]string{}}
			_, e, end := exposed(t, api)
			api.mu.Lock()
			api.refuse = 3
			if gone {
				clear(api.secrets)
			}
			api.mu.Unlock()
			const url = "https://b.example/webhooks/aspect"
			e.addresses <- url
			pointed := func() bool {
				endpoint := e.registered()
				if endpoint.URL() != url || gone == (endpoint.EndpointID == "ep_1") {
					return false
				}
				id, _ := api.only()
				return id == endpoint.EndpointID && (gone || api.aims() == url)
			}
			for deadline := time.Now().Add(10 * time.Second); !pointed(); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("it points to %s, and the API has %v", e.registered().URL(), api.secrets)
				}
			}
			end()
			if len(api.secrets) != 0 {
				t.Errorf("left at Aspect: %v", api.secrets)
			}
		})
	}
}

func TestAnEndpointThatIsGoneWhenTheURLChangesIsRegisteredAfresh(t *testing.T) {
	api := &upserting{secrets: map[string]string{}}
	s, e, end := exposed(t, api)
	id, first := api.only()
	if id != "ep_1" {
		t.Fatalf("registered %q", id)
	}
	api.mu.Lock()
	clear(api.secrets) // somebody deleted it in the dashboard
	api.mu.Unlock()
	e.addresses <- "https://b.example/webhooks/aspect"

	var second string
	for deadline := time.Now().Add(time.Minute); len(s.knownSecrets()) == 0 || e.registered().EndpointID == "ep_1"; {
		if time.Now().After(deadline) {
			t.Fatalf("it was not registered again: %v", api.secrets)
		}
		time.Sleep(time.Millisecond)
	}
	if id, second = api.only(); id != "ep_3" || second == first {
		t.Errorf("at Aspect are %v", api.secrets)
	}
	for id, secret := range map[string]string{"msg_1": first, "msg_2": second} {
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			got := post(t, s.URL(), id, secret)
			if got == http.StatusNoContent {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s was answered with %d", id, got)
			}
		}
	}
	if len(s.knownSecrets()) != 1 {
		t.Errorf("%d secrets sign", len(s.knownSecrets()))
	}
	end()
	if id, _ := api.only(); id != "" || len(api.secrets) != 0 {
		t.Errorf("left at Aspect: %v", api.secrets)
	}
}

func post(t *testing.T, url, id, secret string) int {
	t.Helper()
	w, err := svix.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	signature, err := w.Sign(id, now, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r, _ := http.NewRequest(http.MethodPost, url, strings.NewReader("{}"))
	r.Header.Set("svix-id", id)
	r.Header.Set("svix-timestamp", strconv.FormatInt(now.Unix(), 10))
	r.Header.Set("svix-signature", signature)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}
