package aspect

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"

	"aspectop/clean"
)

// wordsOf extracts the message from the body of an error: {"detail": …} of FastAPI
// and Svix, or else the beginning of the body. The body is foreign if it is no JSON
// object.
func (c *Client) wordsOf(body io.Reader) (code, detail string, foreign bool) {
	b, _ := io.ReadAll(io.LimitReader(body, maxErrorBody))
	o, ok := objectOf(b)
	if !ok {
		return "", c.clean(tags.ReplaceAllString(string(b), " ")), true
	}
	code = c.clean(o.text("code"))
	detail = detailOf(o["detail"])
	if detail == "" {
		detail = o.text("message", "error")
	}
	if code+detail == "" {
		detail = string(b)
	}
	return code, c.clean(detail), false
}

// detailOf renders FastAPI's list of {"loc": ["body","url"], "msg": …} as
// "body.url: field required; …", and leaves anything else as it is.
func detailOf(raw json.RawMessage) string {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return text(raw)
	}
	var parts []string
	for _, item := range list {
		o, ok := objectOf(item)
		if !ok || o.text("msg") == "" {
			parts = append(parts, text(item))
			continue
		}
		var loc []json.RawMessage
		json.Unmarshal(o["loc"], &loc)
		var place []string
		for _, l := range loc {
			place = append(place, text(l))
		}
		if len(place) > 0 {
			parts = append(parts, fmt.Sprintf("%s: %s", strings.Join(place, "."), o.text("msg")))
		} else {
			parts = append(parts, o.text("msg"))
		}
	}
	return strings.Join(parts, "; ")
}

// tags matches what is not text in HTML.
var tags = regexp.MustCompile(`(?is)<(script|style)\b.*?</(script|style)\s*>|<[a-z/!][^>]*>`)

var secretForm = regexp.MustCompile(`whs(ec|k1?)_[A-Za-z0-9+/=_-]*`)

// clean is a server's text in an error: by [clean.Line], without our key or any
// secret.
func (c *Client) clean(s string) string {
	s = strings.ReplaceAll(s, c.key.Reveal(), c.key.Masked())
	s = secretForm.ReplaceAllString(s, "whs${1}_****")
	return clean.Line(s)
}
