package demo

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"aspectop/model"
)

// envelope is the body of an event, in the order of the provider's page.
type envelope struct {
	Timestamp string `json:"timestamp"`
	UserID    string `json:"user_id"`
	EventID   string `json:"event_id"`
	EventType string `json:"event_type"`
	Data      struct {
		Task *wireTask `json:"task,omitempty"`
	} `json:"data"`
}

type wireTask struct {
	ID       string                 `json:"id"`
	AssetID  string                 `json:"asset_id"`
	Features map[string]wireFeature `json:"features"`
	UserID   string                 `json:"user_id"`
	Created  string                 `json:"created"`
	Updated  string                 `json:"updated"`
}

type wireFeature struct {
	State model.State `json:"state"`
}

// PingType is the type of Svix's test message.
const PingType = "svix.ping"

// pingBody is what Svix sends as that.
var pingBody = []byte(`{"success": true}`)

const (
	typeProgress  = "task.progress"
	typeCompleted = "task.completed"
	typeFailed    = "task.failed"
)

// eventType is the event type for these features: a final one if every visible feature
// has ended and none was cancelled (Aspect sends no final event for those).
func eventType(features map[string]model.State) string {
	seen := map[model.State]bool{}
	for name, s := range features {
		if model.Internal(name) {
			continue
		}
		if !s.Terminal() {
			return typeProgress
		}
		seen[s] = true
	}
	switch {
	case seen[model.Failed]:
		return typeFailed
	case seen[model.Cancelled], len(seen) == 0:
		return typeProgress
	}
	return typeCompleted
}

// body is the event about the task at the instant updated.
func (w *world) body(t *task, kind string, features map[string]model.State, updated time.Duration) []byte {
	e := envelope{
		// The envelope is created a few milliseconds after the change.
		Timestamp: w.stamp(updated + time.Duration(1000+w.rng.IntN(7000))*time.Microsecond),
		UserID:    w.user,
		EventID:   uuid(w.rng),
		EventType: kind,
	}
	e.Data.Task = &wireTask{
		ID: t.id, AssetID: t.asset, UserID: w.user,
		Features: make(map[string]wireFeature, len(features)),
		Created:  w.stamp(t.created), Updated: w.stamp(updated),
	}
	for name, s := range features {
		e.Data.Task.Features[name] = wireFeature{s}
	}
	return e.encode()
}

func (e envelope) encode() []byte {
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings and maps of strings always encode
	}
	return b
}

// stampFormat is Aspect's.
const stampFormat = "2006-01-02T15:04:05.000000Z07:00"

func (w *world) stamp(at time.Duration) string { return w.instant(at).Format(stampFormat) }

// uuid draws a random UUID (version 4) in its usual spelling.
func uuid(r *rand.Rand) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], r.Uint64())
	binary.BigEndian.PutUint64(b[8:], r.Uint64())
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// messageID draws a Svix message id: "msg_" and a KSUID, 27 base62 characters
// that sort by time (seconds since ksuidEpoch, then 16 random bytes).
func messageID(r *rand.Rand, at time.Time) string {
	const ksuidEpoch = 1_400_000_000
	var b [20]byte
	binary.BigEndian.PutUint32(b[:4], uint32(at.Unix()-ksuidEpoch))
	binary.BigEndian.PutUint64(b[4:12], r.Uint64())
	binary.BigEndian.PutUint64(b[12:], r.Uint64())
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var n, digit big.Int
	n.SetBytes(b[:])
	base := big.NewInt(int64(len(digits)))
	var id [27]byte
	for i := len(id) - 1; i >= 0; i-- {
		n.DivMod(&n, base, &digit)
		id[i] = digits[digit.Int64()]
	}
	return "msg_" + string(id[:])
}

// Event is a single event outside of a scenario.
type Event struct {
	// Type is any event type. One that begins with "task." has a task; "svix.ping" is
	// Svix's test message, which is not an envelope; others have a task only if Task or
	// Features are set.
	Type string
	Task string // the task's id, which determines the asset's; "": a random one
	User string // the user's id; "": always the same
	// Features override the usual ones of the type: all completed in task.completed;
	// visual failed in task.failed, unless another one failed; otherwise some completed,
	// visual processing and transcription queued.
	Features []model.Feature
	At       time.Time // of the change and of the event
	Body     []byte    // if not nil, sent instead of all that
}

// Message returns a message with the event and a new id. Random parts depend only on the
// seed.
func (e Event) Message(seed int64) Message {
	rng := rand.New(rand.NewPCG(uint64(seed), 0))
	m := Message{ID: messageID(rng, e.At), At: e.At, Body: pingBody}
	if e.Body != nil {
		m.Body = e.Body
	}
	if e.Body != nil || e.Type == PingType {
		return m
	}
	stamp := func(before time.Duration) string { return e.At.Add(-before).UTC().Format(stampFormat) }
	body := envelope{Timestamp: stamp(2 * time.Millisecond), EventID: uuid(rng), UserID: cmp.Or(e.User, uuid(drawnFrom("user"))), EventType: e.Type}
	if strings.HasPrefix(e.Type, "task.") || e.Task != "" || len(e.Features) > 0 {
		task := cmp.Or(e.Task, uuid(rng))
		body.Data.Task = &wireTask{
			ID: task, AssetID: uuid(drawnFrom("asset of " + task)), UserID: body.UserID,
			Features: e.features(), Created: stamp(time.Minute), Updated: stamp(5 * time.Millisecond),
		}
	}
	m.Body = body.encode()
	return m
}

func (e Event) features() map[string]wireFeature {
	states := slices.Repeat([]model.State{model.Completed}, 4)
	switch e.Type {
	case typeCompleted:
	case typeFailed:
		if !slices.ContainsFunc(e.Features, func(f model.Feature) bool { return f.State == model.Failed }) {
			states[2] = model.Failed
		}
	default:
		states[2], states[3] = model.Processing, model.Queued
	}
	features := map[string]wireFeature{}
	for i, name := range model.DocumentedFeatures() {
		features[name] = wireFeature{states[i]}
	}
	for _, f := range e.Features {
		features[f.Name] = wireFeature{f.State}
	}
	return features
}

// drawnFrom is a random source seeded by a text.
func drawnFrom(text string) *rand.Rand {
	sum := sha256.Sum256([]byte(text))
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])))
}
