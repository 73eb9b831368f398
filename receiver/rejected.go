package receiver

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/sig"
)

// How much of a rejected request is kept, in bytes. Anybody can send any number of
// them, and the status log holds a thousand.
const (
	rejectedHeader = 8 << 10
	rejectedBody   = 4 << 10
	rejectedID     = 256
)

// rejected is the record of a refused request.
func rejected(r *http.Request, id string, v model.Verdict, body []byte) *model.Rejected {
	return &model.Rejected{
		ID:      model.ValidText(cut(id, rejectedID)),
		Verdict: v,
		Header:  someHeaders(clean.RedactHeaders(allHeaders(r))),
		Body:    bytes.Clone(body[:min(len(body), rejectedBody)]),
		Size:    int64(len(body)),
	}
}

// someHeaders returns rejectedHeader bytes of h: first the headers that the verdict
// depends on, then the others by name. The first value that does not fit is cut.
func someHeaders(h map[string][]string) map[string][]string {
	var names []string
	for _, f := range sig.Families {
		names = append(names, f.ID, f.Stamp, f.Signature)
	}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	held := make(map[string][]string, len(h))
	room := rejectedHeader
	for _, name := range names {
		for _, value := range h[name] {
			if room -= len(name); room <= 0 {
				return held
			}
			value = cut(value, room)
			room -= len(value)
			held[name] = append(held[name], value)
		}
	}
	return held
}

// cut returns at most n bytes of text, in memory of their own if there are more.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.Clone(text[:n])
}
