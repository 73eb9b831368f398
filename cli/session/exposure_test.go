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
	secrets map[string]string // by id, of those that exist; "" of those that a PUT created
}

func (a *upserting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	_, exists := a.secrets[id]
	switch {
	case r.Method == http.MethodDelete && exists:
		delete(a.secrets, id)
		fmt.Fprint(w, `{"success":true}`)
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"detail":"not found"}`)
	case exists:
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

func TestAnEndpointThatIsGoneWhenTheURLChangesIsRegisteredAfresh(t *testing.T) {
	api := &upserting{secrets: map[string]string{}}
	server := httptest.NewServer(api)
	defer server.Close()
	client, err := aspect.New(aspect.Config{BaseURL: server.URL, Key: aspect.NewCredential("sk_live_qwrtzuiopghjklyvWXYZ")})
	if err != nil {
		t.Fatal(err)
	}
	state := t.TempDir()
	st, err := OpenStore(t.Context(), filepath.Join(state, "j.db"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	e := &Exposure{
		options: tunnel.Options{Mode: tunnel.OwnURL, PublicURL: "http://127.0.0.1:1", StateDir: state},
		leases:  aspect.NewLeases(client, state),
	}
	s := New(Options{Path: "/webhooks/aspect", Exposure: e}, st)
	if err := s.Listen("127.0.0.1:0", false); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.receive(ctx) }()
	<-s.receiving
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
	if err := <-ended; err != nil {
		t.Error(err)
	}
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
