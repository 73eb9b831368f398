package demo

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"aspectop/model"
)

// Event is a single event outside of a scenario.
type Event struct {
	// Type is any event type. One that begins with "task." has a task; "svix.ping" is
	// Svix's test message, which is not an envelope; others have a task only if Task or
	// Features are set.
	Type string
	// Task is the task's id; "" is a random one. A task has the same asset in every
	// event.
	Task string
	// Features override the usual ones of the type: all completed in task.completed;
	// visual failed in task.failed, unless another one failed; otherwise some completed,
	// visual processing and transcription queued.
	Features []model.Feature
	// At is the time of the change and of the event.
	At time.Time
}

// pingType is the event type of Svix's test message.
const pingType = "svix.ping"

// Message returns a message with the event and a new id. Random parts depend only on the
// seed.
func (e Event) Message(seed int64) Message {
	rng := rand.New(rand.NewPCG(uint64(seed), 0))
	m := Message{ID: messageID(rng, e.At), At: e.At, Body: pingBody}
	if e.Type == pingType {
		return m
	}
	stamp := func(before time.Duration) string {
		return e.At.Add(-before).UTC().Format("2006-01-02T15:04:05.000000Z07:00")
	}
	body := envelope{Timestamp: stamp(2 * time.Millisecond), EventID: uuid(rng), UserID: uuid(drawnFrom("user")), EventType: e.Type}
	if strings.HasPrefix(e.Type, "task.") || e.Task != "" || len(e.Features) > 0 {
		task := e.Task
		if task == "" {
			task = uuid(rng)
		}
		body.Data.Task = &wireTask{
			ID: task, AssetID: uuid(drawnFrom("asset of " + task)), UserID: body.UserID,
			Features: e.features(), Created: stamp(time.Minute), Updated: stamp(5 * time.Millisecond),
		}
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // strings and maps of strings always encode
	}
	m.Body = b
	return m
}

func (e Event) features() map[string]wireFeature {
	states := []model.State{model.Completed, model.Completed, model.Processing, model.Queued}
	switch e.Type {
	case typeCompleted:
		states = slices.Repeat([]model.State{model.Completed}, 4)
	case typeFailed:
		states = slices.Repeat([]model.State{model.Completed}, 4)
		if !slices.ContainsFunc(e.Features, func(f model.Feature) bool { return f.State == model.Failed }) {
			states[2] = model.Failed
		}
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
