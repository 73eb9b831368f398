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
	"aspectop/sig"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// memory is a journal without a disk.
type memory struct {
	mu   sync.Mutex
	kept []*model.Delivery
	// before, if set, runs before each append and may refuse or delay it.
	before func(ctx context.Context, d *model.Delivery) error
}

func (m *memory) Append(ctx context.Context, d *model.Delivery) error {
	if m.before != nil {
		if err := m.before(ctx, d); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
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

func (m *memory) deliveries() []*model.Delivery {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept
}

// rig is a server with everything around it in memory and its clock at now.
type rig struct {
	*Server
	secret  Secret
	journal *memory
	status  *model.StatusLog
}

func newRig(t testing.TB, change ...func(*Config)) *rig {
	t.Helper()
	r := &rig{secret: NewSecret("studio"), journal: &memory{}, status: model.NewStatusLog(1000)}
	c := Config{Secrets: []Secret{r.secret}, Journal: r.journal, Status: r.status, Now: func() time.Time { return now }}
	for _, f := range change {
		f(&c)
	}
	var err error
	if r.Server, err = New(c); err != nil {
		t.Fatal(err)
	}
	return r
}

// signed is a request with a rightly signed delivery.
func (r *rig) signed(id, body string) *http.Request {
	q := httptest.NewRequest(http.MethodPost, DefaultPath, strings.NewReader(body))
	q.Header = sealed(sig.Families[0], r.secret, id, now, []byte(body))
	return q
}

// raw is the same request as it goes over the wire, with more header lines.
func (r *rig) raw(id, body string, more ...string) string {
	return "POST " + DefaultPath + " HTTP/1.1\r\nHost: x\r\n" + r.signature(id, body) +
		"Content-Length: " + strconv.Itoa(len(body)) + "\r\n" + strings.Join(more, "") + "\r\n" + body
}

func (r *rig) signature(id, body string) string {
	return "svix-id: " + id + "\r\nsvix-timestamp: " + strconv.FormatInt(now.Unix(), 10) +
		"\r\nsvix-signature: " + r.secret.Sign(id, now, []byte(body)) + "\r\n"
}

// do answers q, and checks what holds for every answer.
func (r *rig) do(t testing.TB, q *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	for _, name := range []string{"webhook-delivery", "server", "x-powered-by", "location"} {
		if v := w.Header().Get(name); v != "" {
			t.Errorf("the answer has %s: %s", name, v)
		}
	}
	return w
}

func (r *rig) rejected() (all []*model.Rejected) {
	entries, _, _ := r.status.After(0)
	for _, e := range entries {
		if e.Rejected != nil {
			all = append(all, e.Rejected)
		}
	}
	return all
}

func (r *rig) notices() (all []string) {
	entries, _, _ := r.status.After(0)
	for _, e := range entries {
		if e.Notice != "" {
			all = append(all, e.Notice)
		}
	}
	return all
}
