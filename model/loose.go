package model

import (
	"bytes"
	"encoding/json"
	"errors"
)

// read decodes body into a wire type and reports whether body is JSON of that
// shape. The quick way is encoding/json's; it has two faults here: it gives up
// on a value whose type is not the documented one, and it takes "ID" for "id".
// Bodies that meet either are read by loose.
func read[W any](body []byte, loose func(object) W) (w W, ok bool) {
	if plainNames(body) {
		err := json.Unmarshal(body, &w)
		var mistyped *json.UnmarshalTypeError
		if !errors.As(err, &mistyped) {
			return w, err == nil
		}
	}
	o, ok := objectOf(body)
	return loose(o), ok
}

// plainNames reports whether no name in body is spelled with a capital, an
// escape or a letter beyond ASCII, so that it can only stand for itself.
func plainNames(body []byte) bool {
	for i := 0; ; i++ {
		next := bytes.IndexByte(body[i:], ':')
		if next < 0 {
			return true
		}
		i += next
		end := i - 1
		for end > 0 && body[end] <= ' ' {
			end--
		}
		if end < 0 || body[end] != '"' {
			continue // a colon inside a text
		}
		for j := end - 1; j >= 0 && body[j] != '"'; j-- {
			if c := body[j]; c >= 0x80 || c == '\\' || 'A' <= c && c <= 'Z' {
				return false
			}
		}
	}
}

// object is a JSON object whose values are not decoded yet.
type object map[string]json.RawMessage

// objectOf returns nothing, and false, if value is something else.
func objectOf(value []byte) (o object, ok bool) {
	err := json.Unmarshal(value, &o)
	return o, err == nil && o != nil
}

func looseEnvelope(o object) wireEnvelope {
	w := wireEnvelope{
		Timestamp: text(o["timestamp"]), UserID: text(o["user_id"]),
		EventID: text(o["event_id"]), Type: text(o["event_type"]),
		Success: string(o["success"]) == "true",
	}
	data, _ := objectOf(o["data"])
	if task, ok := objectOf(data["task"]); ok {
		t := looseTask(task)
		w.Data.Task = &t
	}
	return w
}

func looseTask(o object) wireTask {
	w := wireTask{
		ID: text(o["id"]), AssetID: text(o["asset_id"]), UserID: text(o["user_id"]),
		Created: text(o["created"]), Updated: text(o["updated"]),
	}
	w.Features.UnmarshalJSON(o["features"])
	return w
}

func looseSnapshot(o object) wireSnapshot {
	return wireSnapshot{wireTask: looseTask(o), Gone: string(o["gone"]) == "true", Timestamp: text(o["timestamp"])}
}

// text is a JSON value as text: a string as it is, nothing for null and absent,
// any other value as it is written, without the spaces.
func text(value json.RawMessage) string {
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
