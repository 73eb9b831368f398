// Package feedtest helps to test what reads a feed: a journal in memory, and
// deliveries that tell believable tasks.
package feedtest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aspectop/broadcast"
	"aspectop/feed"
	"aspectop/model"
)

// Memory is a journal in memory. The zero value is empty.
type Memory struct {
	mu         sync.Mutex
	deliveries []model.Delivery // Seq is index + 1
	grown      broadcast.Signal // something is appended
	waited     int              // deliveries that Wait has told of
	Outcomes   map[int64][]model.Forward
}

// Append keeps deliveries. A Message of 0 is one of its own.
func (j *Memory) Append(ds ...model.Delivery) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, d := range ds {
		d.Seq = int64(len(j.deliveries) + 1)
		if d.Message == 0 {
			d.Message = d.Seq
		}
		d.Attempt = max(1, d.Attempt)
		j.deliveries = append(j.deliveries, d)
	}
	j.grown.Send()
}

// Receive appends a delivery, as a repeat if its id was there before.
func (j *Memory) Receive(d model.Delivery) {
	j.mu.Lock()
	for i := range j.deliveries {
		if first := &j.deliveries[i]; first.ID == d.ID {
			d.Message = first.Message
			d.Attempt++
			d.Body = nil
		}
	}
	j.mu.Unlock()
	if d.Message != 0 {
		d.Attempt++
	}
	j.Append(d)
}

// Cut forgets all deliveries but the first n.
func (j *Memory) Cut(n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.deliveries = j.deliveries[:n]
}

func (j *Memory) After(_ context.Context, seq int64, limit int) ([]model.Delivery, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	from := min(int(seq), len(j.deliveries))
	return slices.Clone(j.deliveries[from:min(from+limit, len(j.deliveries))]), nil
}

func (j *Memory) Before(_ context.Context, seq int64, limit int) ([]model.Delivery, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	to := min(int(seq-1), len(j.deliveries))
	out := slices.Clone(j.deliveries[max(0, to-limit):to])
	slices.Reverse(out)
	return out, nil
}

func (j *Memory) Get(_ context.Context, seq int64) (model.Delivery, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if seq < 1 || int(seq) > len(j.deliveries) {
		return model.Delivery{}, fmt.Errorf("no delivery %d", seq)
	}
	return j.deliveries[seq-1], nil
}

func (j *Memory) Repeats(_ context.Context, message int64) ([]model.Delivery, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var repeats []model.Delivery
	for _, d := range j.deliveries {
		if d.Message == message && d.Repeat() {
			repeats = append(repeats, d)
		}
	}
	return repeats, nil
}

func (j *Memory) Forwards(_ context.Context, seq int64) ([]model.Forward, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.Outcomes[seq]), nil
}

// SaveForward keeps an outcome in place of an older one of the same handler.
func (j *Memory) SaveForward(f model.Forward) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.Outcomes == nil {
		j.Outcomes = map[int64][]model.Forward{}
	}
	other := slices.DeleteFunc(j.Outcomes[f.Seq], func(o model.Forward) bool { return o.To == f.To })
	j.Outcomes[f.Seq] = append(other, f)
}

func (j *Memory) Range(context.Context) (first, last int64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return min(1, int64(len(j.deliveries))), int64(len(j.deliveries)), nil
}

func (j *Memory) Since(_ context.Context, t time.Time) (int64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, d := range j.deliveries {
		if !d.Received.Before(t) {
			return int64(i), nil
		}
	}
	return int64(len(j.deliveries)), nil
}

func (j *Memory) Wait(ctx context.Context) error {
	for {
		j.mu.Lock()
		if j.waited < len(j.deliveries) {
			j.waited = len(j.deliveries)
			j.mu.Unlock()
			return nil
		}
		grown := j.grown.Next()
		j.mu.Unlock()
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Midnight is when every test starts: the clock of a synctest bubble.
var Midnight = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// TaskID is a believable id; the letter makes it easy to tell in a frame.
func TaskID(n int) string {
	return fmt.Sprintf("%08x-4f8d-4e10-8d7a-0a6c0d3b1234", 0x2e1c7e00+n)
}

// Event is a delivery that tells task n's features ("proxy=queued"), updated
// and received at the given time after Midnight.
func Event(n int, typ string, at time.Duration, features ...string) model.Delivery {
	type feature struct {
		State string `json:"state"`
	}
	told := map[string]feature{}
	for _, f := range features {
		name, state, _ := strings.Cut(f, "=")
		told[name] = feature{state}
	}
	stamp := Midnight.Add(at).Format(time.RFC3339Nano)
	body, err := json.Marshal(map[string]any{
		"timestamp": stamp, "user_id": "3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111", "event_type": typ,
		"event_id": fmt.Sprintf("8b7a2e8f-3a1c-4ff9-9f5e-%012x", int64(n)<<32|int64(at/time.Millisecond)),
		"data": map[string]any{"task": map[string]any{
			"id": TaskID(n), "asset_id": fmt.Sprintf("c4b6b5f1-6a2d-4d75-9a90-%012x", n), "features": told,
			"user_id": "3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111",
			"created": Midnight.Add(time.Duration(-n) * time.Minute).Format(time.RFC3339Nano), "updated": stamp,
		}},
	})
	if err != nil {
		panic(err)
	}
	return model.Delivery{
		ID: fmt.Sprintf("msg_%027d", int64(n)<<32|int64(at/time.Millisecond)), Source: model.SourceWebhook, Secret: "default",
		Received: Midnight.Add(at),
		Header: map[string][]string{
			"Svix-Id": {"msg_x"}, "Svix-Timestamp": {"946684800"}, "Svix-Signature": {"v1,xyz"},
			"Content-Type": {"application/json"}, "User-Agent": {"Svix-Webhooks/1.84.0"},
		},
		Body: body,
	}
}

// Folded is a feed that has folded the deliveries; not for a synctest bubble.
func Folded(tb testing.TB, deliveries []model.Delivery) *feed.Feed {
	tb.Helper()
	j := &Memory{}
	j.Append(deliveries...)
	f := feed.New(feed.Options{Journal: j})
	go f.Run(tb.Context())
	for {
		version := f.Version()
		f.RLock()
		n := f.Index().Len()
		loading, _, _ := f.Loading()
		f.RUnlock()
		if n == len(deliveries) && !loading {
			return f
		}
		if err := f.Wait(tb.Context(), version); err != nil {
			tb.Fatal(err)
		}
	}
}
