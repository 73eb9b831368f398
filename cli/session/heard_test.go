package session

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"aspectop/model"
	"aspectop/receiver"
	"aspectop/tunnel"
)

// A genuine delivery while the tunnel is told as failed is a reason to test it again.
func TestAGenuineDeliveryHasAFailedTunnelTested(t *testing.T) {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	var asked atomic.Int32
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer front.Close()
	st, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), "j.db"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	secrets, err := receiver.ParseSecrets(secret)
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{Path: "/webhooks/aspect", Secrets: secrets, Exposure: &Exposure{options: tunnel.Options{
		Mode: tunnel.OwnURL, PublicURL: front.URL, Probing: tunnel.ProbeStart, ReadyWait: time.Nanosecond,
	}}}, st)
	if err := s.Listen("127.0.0.1:0", false); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.receive(ctx) }()
	defer func() {
		end()
		<-ended
	}()
	eventually := func(what string, holds func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("waited in vain until " + what)
			}
		}
	}
	<-s.receiving
	eventually("the tunnel has failed", func() bool { return s.exposure.tunnel.State().State == model.TunnelFailed })
	before := asked.Load()
	if before != 2 {
		t.Errorf("asked %d times before", before)
	}
	if got := post(t, s.URL(), "msg_1", secret); got != http.StatusNoContent {
		t.Errorf("answered %d", got)
	}
	eventually("it is asked again", func() bool { return asked.Load() > before })
}
