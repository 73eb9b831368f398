package session

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"aspectop/forward"
	"aspectop/model"
	"aspectop/receiver"
)

// A replay may be asked for while an endpoint is being registered, whose secret is
// then added. The race detector sees it if both touch the list.
// forwardingTo are the flags with --forward-to.
func forwardingTo(t *testing.T, url string) (h HandlerFlags) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	h.Flags(flags)
	if err := flags.Set("forward-to", url); err != nil {
		t.Fatal(err)
	}
	return h
}

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
	st, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), "j.db"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	s := New(Options{Secrets: secrets[:1]}, st)
	if err := s.AddHandlers(t.Context(), forwardingTo(t, handler.URL)); err != nil {
		t.Fatal(err)
	}
	var adding sync.WaitGroup
	adding.Go(func() { s.trust(secrets[1]) })
	for range 3 {
		// A delivery of the event stream names no secret.
		_, f, err := forward.Resend(t.Context(), s.forwarders, model.Delivery{Source: model.SourceSSE, ID: "evt_1", Body: []byte("{}")}, nil)
		if err != nil || f.Status != http.StatusOK {
			t.Errorf("%+v, %v", f, err)
		}
	}
	adding.Wait()
	if known := s.knownSecrets(); len(known) != 2 {
		t.Errorf("%d secrets are known", len(known))
	}
}

// What a handler of this run gave up is tried again by its forwarder. What one of an
// earlier run gave up is not: it is replayed.
func TestOnlyWhatAHandlerOfThisRunGaveUpIsTriedAgain(t *testing.T) {
	var posted atomic.Int32
	handler := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { posted.Add(1) }))
	defer handler.Close()
	st, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), "j.db"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	var kept []model.Delivery
	for i := range 2 {
		d := model.Delivery{Source: model.SourceWebhook, Received: time.Now(), ID: fmt.Sprint("msg_", i), Body: []byte("{}")}
		if err := st.journal.Append(t.Context(), &d); err != nil {
			t.Fatal(err)
		}
		kept = append(kept, d)
	}
	running, earlier := handler.URL+"/hook", "http://127.0.0.1:1/gone"
	for i, to := range []string{running, earlier} {
		outcome := model.Forward{Seq: kept[i].Seq, To: to, At: time.Now(), Tries: 8, Final: true, GaveUp: true}
		if err := st.journal.SaveForwards(to, to, kept[i].Seq, []model.Forward{outcome}); err != nil {
			t.Fatal(err)
		}
	}
	s := New(Options{}, st)
	t.Setenv("HANDLER", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	flags := forwardingTo(t, running)
	flags.forwardSecretEnv = "HANDLER"
	if err := s.AddHandlers(t.Context(), flags); err != nil {
		t.Fatal(err)
	}
	again, _, err := forward.Resend(t.Context(), s.forwarders, kept[0], nil)
	if err != nil || len(again) != 1 || again[0] != running || posted.Load() != 0 {
		t.Errorf("tried again at %q, %d posts, %v", again, posted.Load(), err)
	}
	for i, body := range [][]byte{[]byte(`{"edited":1}`), nil} { // an edit is another message
		again, answer, err := forward.Resend(t.Context(), s.forwarders, kept[i], body)
		if err != nil || len(again) != 0 || answer.Status != http.StatusOK || posted.Load() != int32(i+1) {
			t.Errorf("tried again at %q, answered %+v, %d posts, %v", again, answer, posted.Load(), err)
		}
	}
}
