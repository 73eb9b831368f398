package aspect

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"aspectop/model"
)

// object is a JSON object whose members are found by their names in lower case
// without underscores, so that snake_case and camelCase are one.
type object map[string]json.RawMessage

func objectOf(raw []byte) (object, bool) {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members == nil {
		return nil, false
	}
	o := make(object, len(members))
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if plain := plainName(name); o[plain] == nil {
			o[plain] = members[name]
		}
	}
	return o, true
}

func plainName(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, "_", ""))
}

// text is the first of these members that is not empty.
func (o object) text(names ...string) string {
	for _, name := range names {
		if s := text(o[plainName(name)]); s != "" {
			return s
		}
	}
	return ""
}

func (o object) number(name string) int {
	n, _ := strconv.Atoi(o.text(name))
	return n
}

// time is the zero time if the member is absent or cannot be read.
func (o object) time(names ...string) time.Time { return model.ParseTime(o.text(names...)) }

func (o object) object(name string) (object, bool) { return objectOf(o[plainName(name)]) }

// text is a JSON value as text: "" if null or absent, other than strings as compact JSON.
func text(raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var b bytes.Buffer
	json.Compact(&b, raw)
	return b.String()
}

var errNotJSON = errors.New("the answer is not JSON, or was cut off: try again, and check ASPECT_URL and whether there is a proxy in between")

var errNoList = errors.New("the answer contains no list that aspectop understands: is ASPECT_URL right?")

// listOf finds the list in an answer: the answer itself, its member data or name, or its
// only member that is a list. next is the iterator of the next page, "" if there is none.
func listOf(body []byte, name string) (items []json.RawMessage, next string, err error) {
	if !json.Valid(body) {
		return nil, "", errNotJSON
	}
	if json.Unmarshal(body, &items) == nil && items != nil {
		return onlyObjects(items), "", nil
	}
	o, ok := objectOf(body)
	if !ok {
		return nil, "", errNoList
	}
	if string(o["done"]) != "true" {
		next = o.text("iterator")
	}
	for _, name := range []string{"data", plainName(name)} {
		if raw, ok := o[name]; ok && json.Unmarshal(raw, &items) == nil { // null is an empty list
			return onlyObjects(items), next, nil
		}
	}
	for _, raw := range o {
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil || list == nil {
			continue
		}
		if items != nil {
			return nil, "", errNoList
		}
		items = list
	}
	if items == nil {
		return nil, "", errNoList
	}
	return onlyObjects(items), next, nil
}

func onlyObjects(items []json.RawMessage) []json.RawMessage {
	return slices.DeleteFunc(items, func(raw json.RawMessage) bool { return raw[0] != '{' })
}
