package report

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"aspectop/model"
)

// memory is a journal in memory.
type memory []model.Delivery

// keep appends a delivery and numbers it.
func (m *memory) keep(d model.Delivery) {
	d.Seq = int64(len(*m) + 1)
	d.Message, d.Attempt = d.Seq, 1
	for _, before := range *m {
		if before.ID == d.ID {
			d.Message, d.Body = before.Message, nil
			d.Attempt++
		}
	}
	*m = append(*m, d)
}

func (m memory) After(ctx context.Context, seq int64, limit int) ([]model.Delivery, error) {
	rest := m[min(int(seq), len(m)):]
	return slices.Clone(rest[:min(limit, len(rest))]), ctx.Err()
}

func (m memory) Before(ctx context.Context, seq int64, limit int) ([]model.Delivery, error) {
	older := slices.Clone(m[:min(int(seq-1), len(m))])
	slices.Reverse(older)
	return older[:min(limit, len(older))], ctx.Err()
}

func (m memory) Range(ctx context.Context) (first, last int64, err error) {
	return min(1, int64(len(m))), int64(len(m)), ctx.Err()
}

// noon is when the tests' tasks begin.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// told is a delivery about a task: its updated time is so many seconds after
// noon, as is its arrival. Features are pairs of name and state.
func told(typ, task string, second int, features ...string) model.Delivery {
	stamp := noon.Add(time.Duration(second) * time.Second)
	type feature struct {
		State string `json:"state"`
	}
	list := map[string]feature{}
	for i := 0; i < len(features); i += 2 {
		list[features[i]] = feature{features[i+1]}
	}
	const user = "user-of-the-house"
	body, err := json.Marshal(map[string]any{
		"timestamp": stamp, "user_id": user, "event_id": fmt.Sprint("e-", task, second), "event_type": typ,
		"data": map[string]any{"task": map[string]any{
			"id": task, "asset_id": "asset-" + task, "features": list, "user_id": user, "created": noon, "updated": stamp,
		}},
	})
	if err != nil {
		panic(err)
	}
	return model.Delivery{ID: fmt.Sprintf("msg_%s_%d", task, second), Source: model.SourceWebhook, Secret: "default", Received: stamp, Body: body}
}
