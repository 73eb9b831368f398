package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"aspectop/forward"
)

// maxSent is how many messages an [Account] remembers.
const maxSent = 200

// Account answers those calls of Aspect's API that tell what became of the messages of a
// [Sender], and names the assets.
type Account struct {
	mu   sync.Mutex
	sent []*sentMessage // oldest first
}

type sentMessage struct {
	ID        string          `json:"id"`
	EventType string          `json:"eventType"`
	EventID   string          `json:"eventId,omitempty"`
	Timestamp time.Time       `json:"timestamp"`
	Status    int             `json:"status"` // as Svix counts: 0 success, 2 fail
	Payload   json.RawMessage `json:"payload"`
	attempts  []sentAttempt
}

type sentAttempt struct {
	ID         string    `json:"id"`
	MsgID      string    `json:"msgId"`
	EndpointID string    `json:"endpointId"`
	Status     int       `json:"status"`
	Code       int       `json:"responseStatusCode"`
	Response   string    `json:"response"`
	Took       int64     `json:"responseDurationMs"`
	Trigger    int       `json:"triggerType"`
	Timestamp  time.Time `json:"timestamp"`
}

// Observe notes an attempt, as [Sender.Observe]. Forgeries are not Aspect's.
func (a *Account) Observe(m Message, answer forward.Answer, err error) {
	if m.Break != "" {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now().UTC()
	i := slices.IndexFunc(a.sent, func(s *sentMessage) bool { return s.ID == m.ID })
	if i < 0 {
		var e envelope
		_ = json.Unmarshal(m.Body, &e) // a ping is none
		a.sent = append(a.sent, &sentMessage{ID: m.ID, EventType: e.EventType, EventID: e.EventID, Timestamp: now.Add(-answer.Latency), Payload: m.Body})
		a.sent = a.sent[max(0, len(a.sent)-maxSent):]
		i = len(a.sent) - 1
	}
	s := a.sent[i]
	t := sentAttempt{ID: fmt.Sprintf("atmpt_%s_%d", m.ID[len("msg_"):], len(s.attempts)+1), MsgID: m.ID, EndpointID: "ep_demo",
		Code: answer.Status, Response: answer.Said, Took: answer.Latency.Milliseconds(), Timestamp: now}
	if err != nil || !m.Break.Right(answer) {
		t.Status = 2
	}
	s.Status, s.attempts = t.Status, append(s.attempts, t)
}

// ServeHTTP answers a call of the API.
func (a *Account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var answer any
	switch {
	case r.URL.Path == "/webhooks/messages":
		answer = map[string]any{"data": slices.Clone(a.sent), "done": true}
	case r.URL.Path == "/webhooks/delivery-attempts":
		attempts := []sentAttempt{}
		for _, s := range a.sent {
			if s.ID == r.URL.Query().Get("message_id") {
				attempts = s.attempts
			}
		}
		answer = map[string]any{"data": attempts, "done": true}
	case strings.HasPrefix(r.URL.Path, "/assets/"):
		id := path.Base(r.URL.Path)
		answer = map[string]any{"id": id, "name": assetName(id)}
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// assetName is what the asset with that id is called, always the same.
func assetName(id string) string {
	of := drawnFrom("name of " + id)
	what := []string{"interview", "keynote", "harbour", "trailer", "rehearsal", "drone", "podcast", "kitchen", "stadium", "backstage"}
	return fmt.Sprintf("%s-%02d", what[of.IntN(len(what))], 1+of.IntN(99))
}
