package forward

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"

	"aspectop/clean"
)

// mostSaid is how much is kept of what a handler says, in bytes.
const mostSaid = 1 << 10

// Said is what an answer says in its own words, cleaned, without secrets, on one line of at most mostSaid
// bytes: the detail, message or error of JSON, what stands out of an HTML page, or the text.
func Said(a *Answer) string {
	text := string(a.Body)
	var value any
	switch {
	case a.IsHTML():
		text = saidInHTML(a.Body)
	case bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("{")) && json.Unmarshal(a.Body, &value) == nil:
		if found := saidInJSON(value); found != "" {
			text = found
		}
	}
	text = aSecret.ReplaceAllString(clean.NoLogin(strings.Join(strings.Fields(clean.Text(text)), " ")), "whsec_****")
	if len(text) > mostSaid {
		text = strings.ToValidUTF8(text[:mostSaid-len("…")], "") + "…"
	}
	return text
}

// saidInJSON is the first of detail, message and error that says something. FastAPI lists
// what it misses, with the place of each.
func saidInJSON(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case []any:
		var parts []string
		for _, each := range v {
			if part := saidInJSON(each); part != "" {
				parts = append(parts, part)
			}
		}
		return strings.Join(parts, "; ")
	case map[string]any:
		if text, ok := v["msg"].(string); ok {
			var at []string
			if loc, ok := v["loc"].([]any); ok {
				for _, part := range loc {
					at = append(at, fmt.Sprint(part))
				}
				text = strings.Join(at, ".") + ": " + text
			}
			return text
		}
		for _, key := range []string{"detail", "message", "error"} {
			if text := saidInJSON(v[key]); text != "" {
				return text
			}
		}
	}
	return ""
}

// telling are the elements of an error page that say what happened, the best first: Express
// has it in pre under the title "Error", Django in h1.
var telling = []*regexp.Regexp{
	regexp.MustCompile(`(?is)<pre\b[^>]*>(.*?)(?:<br|\n|</pre)`),
	regexp.MustCompile(`(?is)<h1\b[^>]*>(.*?)</h1`),
	regexp.MustCompile(`(?is)<title\b[^>]*>(.*?)</title`),
}

var aSecret = regexp.MustCompile(`whsec_[A-Za-z0-9+/=_-]*`)

var aTag = regexp.MustCompile(`<[^>]*>`)

func saidInHTML(page []byte) string {
	for _, element := range telling {
		if found := element.FindSubmatch(page); found != nil {
			if text := strings.TrimSpace(html.UnescapeString(string(aTag.ReplaceAll(found[1], []byte(" "))))); text != "" {
				return text
			}
		}
	}
	return ""
}

// IsHTML reports whether the answer is a page.
func (a *Answer) IsHTML() bool {
	start := bytes.ToLower(bytes.TrimSpace(a.Body[:min(len(a.Body), 256)]))
	return strings.HasPrefix(strings.ToLower(a.Header.Get("Content-Type")), "text/html") && len(start) > 0 && start[0] == '<' ||
		bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// About matches an answer that speaks of one of the words.
func (a *Answer) About(words ...string) bool {
	text := bytes.ToLower(a.Body)
	for _, word := range words {
		if bytes.Contains(text, []byte(word)) {
			return true
		}
	}
	return false
}

// aboutSignature reports whether an answer speaks of the signature.
func (a *Answer) aboutSignature() bool {
	return a.About("signature", "svix", "webhook", "verif", "hmac", "secret", "required headers", "missing headers")
}

// saysNothing reports whether the answer has no reason: it is empty, or says what the status says.
func (a *Answer) saysNothing() bool {
	switch text := strings.ToLower(strings.Trim(a.Said, ".!")); text {
	case "", "bad", "error", "err", "invalid", "failed", "false", "{}", "null", "invalid request", "invalid payload", "invalid body", "internal error", "server error",
		strings.ToLower(http.StatusText(a.Status)):
		return true
	default:
		return strings.HasPrefix(text, strings.ToLower(http.StatusText(a.Status))) && len(text) < 40 // Bad Request (400)
	}
}
