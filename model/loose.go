package model

import "encoding/json"

// loosen fills a wire type from decoded JSON whose values have not the
// documented types: a number or a boolean where text belongs is kept as its
// JSON text, a feature told as a bare value is that state, and what has no
// sensible reading is left empty. It is the slow path of signed but unusual
// bodies.
func loosen(value, into any) {
	m, ok := value.(map[string]any)
	if !ok {
		return
	}
	switch w := into.(type) {
	case *wireEnvelope:
		*w = wireEnvelope{
			Timestamp: text(m["timestamp"]), UserID: text(m["user_id"]),
			EventID: text(m["event_id"]), Type: text(m["event_type"]),
			Success: m["success"] == true,
		}
		data, _ := m["data"].(map[string]any)
		if task, ok := data["task"].(map[string]any); ok {
			w.Data.Task = new(wireTask)
			loosen(task, w.Data.Task)
		}
	case *wireTask:
		*w = wireTask{
			ID: text(m["id"]), AssetID: text(m["asset_id"]), UserID: text(m["user_id"]),
			Created: text(m["created"]), Updated: text(m["updated"]),
		}
		features, _ := m["features"].(map[string]any)
		if len(features) == 0 {
			return
		}
		w.Features = make(map[string]wireFeature, len(features))
		for name, f := range features {
			if info, ok := f.(map[string]any); ok {
				f = info["state"]
			}
			w.Features[name] = wireFeature{State(text(f))}
		}
	}
}

// text is a JSON value as text: a string as it is, nothing for null and
// absent, any other value as JSON.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		b, _ := json.Marshal(v) // decoded from JSON, so it encodes
		return string(b)
	}
}
