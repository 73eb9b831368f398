package receiver

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"aspectop/model"
)

// memory is a journal without a disk.
type memory struct {
	mu   sync.Mutex
	kept []*model.Delivery
	err  error
}

func (m *memory) Append(_ context.Context, d *model.Delivery) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	d.Seq = int64(len(m.kept) + 1)
	d.Message, d.Attempt = d.Seq, 1
	for _, k := range m.kept {
		if k.ID == d.ID {
			d.Message, d.Attempt = k.Message, d.Attempt+1
		}
	}
	m.kept = append(m.kept, d)
	return nil
}

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// signed is a request with a fresh, rightly signed delivery.
func signed(s Secret, id, body string, at time.Time) *http.Request {
	r := httptest.NewRequest(http.MethodPost, DefaultPath, strings.NewReader(body))
	r.Header.Set("svix-id", id)
	r.Header.Set("svix-timestamp", strconv.FormatInt(at.Unix(), 10))
	r.Header.Set("svix-signature", s.Sign(id, at, []byte(body)))
	return r
}

func TestGenuineDeliveryIsKeptAndAcknowledged(t *testing.T) {
	secret := NewSecret("studio")
	journal := &memory{}
	s, err := New(Config{Secrets: []Secret{secret}, Journal: journal, Status: model.NewStatusLog(10),
		Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, signed(secret, "msg_1", `{"success": true}`, now))
	if w.Code != http.StatusNoContent || w.Body.Len() != 0 {
		t.Errorf("answered %d %q, want 204", w.Code, w.Body)
	}
	if len(journal.kept) != 1 {
		t.Fatalf("kept %d deliveries, want 1", len(journal.kept))
	}
	d := journal.kept[0]
	if d.ID != "msg_1" || d.Secret != "studio" || d.Source != model.SourceWebhook || !d.Received.Equal(now) ||
		string(d.Body) != `{"success": true}` || d.Header["Host"][0] != "example.com" {
		t.Errorf("kept %+v", d)
	}
}
