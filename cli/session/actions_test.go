package session

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"aspectop/model"
	"aspectop/receiver"
)

// A replay may be asked for while an endpoint is being registered, whose secret is
// then added. The race detector sees it if both touch the list.
func TestASecretMayBeAddedDuringAReplay(t *testing.T) {
	handler := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("svix-signature") == "" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer handler.Close()
	secrets, err := receiver.ParseSecrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{Secrets: secrets[:1]}, nil)
	s.url = handler.URL
	var adding sync.WaitGroup
	adding.Go(func() { s.knownSecrets(secrets[1]) })
	for range 3 {
		// A delivery of the event stream names no secret.
		f, err := s.replay(t.Context(), model.Delivery{Source: model.SourceSSE, ID: "evt_1", Body: []byte("{}")}, nil)
		if err != nil || f.Status != http.StatusOK {
			t.Errorf("%+v, %v", f, err)
		}
	}
	adding.Wait()
	if known := s.knownSecrets(); len(known) != 2 {
		t.Errorf("%d secrets are known", len(known))
	}
}
