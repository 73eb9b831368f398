package model

import (
	"bytes"
	"encoding/json"
	"slices"
)

// The functions here read bodies by encoding/json, value by value: slowly, and
// independently of readEnvelope and readTask, which must agree with them.

// object is a JSON object whose values are not decoded yet.
type object map[string]json.RawMessage

// objectOf returns nothing, and false, if value is something else.
func objectOf(value []byte) (o object, ok bool) {
	err := json.Unmarshal(value, &o)
	return o, err == nil && o != nil
}

func slowEnvelope(body []byte) (w wireEnvelope, ok bool) {
	o, ok := objectOf(body)
	if !ok {
		return w, false
	}
	w = wireEnvelope{
		Timestamp: slowText(o["timestamp"]), UserID: slowText(o["user_id"]),
		EventID: slowText(o["event_id"]), Type: slowText(o["event_type"]),
		Success: string(o["success"]) == "true",
	}
	data, _ := objectOf(o["data"])
	w.Task, _ = slowTask(data["task"])
	return w, true
}

func slowTask(body []byte) (w wireTask, ok bool) {
	o, ok := objectOf(body)
	if !ok {
		return w, false
	}
	return wireTask{
		ID: slowText(o["id"]), AssetID: slowText(o["asset_id"]), UserID: slowText(o["user_id"]),
		Created: slowText(o["created"]), Updated: slowText(o["updated"]), Features: slowFeatures(o["features"]),
		Gone: string(o["gone"]) == "true", Timestamp: slowText(o["timestamp"]),
	}, true
}

func slowFeatures(value []byte) (features []Feature) {
	o, _ := objectOf(value)
	for name, state := range o {
		if info, ok := objectOf(state); ok {
			state = info["state"]
		}
		features = append(features, Feature{name, State(slowText(state))})
	}
	slices.SortFunc(features, func(a, b Feature) int { return CompareFeatures(a.Name, b.Name) })
	return features
}

func slowText(value json.RawMessage) string {
	if len(value) == 0 || string(value) == "null" {
		return ""
	}
	if value[0] == '"' {
		var s string
		json.Unmarshal(value, &s) // cut out of valid JSON, so it decodes
		return s
	}
	var b bytes.Buffer
	json.Compact(&b, value)
	return b.String()
}
