package clean

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"
)

// mostSaid is how much is kept of what a server says, in bytes.
const mostSaid = 1 << 10

// Said is what an answer says in its own words, cleaned, without signing secrets and logins,
// on one line of at most mostSaid bytes: the detail, message, error or code of JSON, what
// stands out of an HTML page, or the text.
func Said(contentType string, body []byte) string {
	text := string(body)
	var value any
	switch {
	case IsHTML(contentType, body):
		text = saidInHTML(body)
	case bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) && json.Unmarshal(body, &value) == nil:
		if found := saidInJSON(value); found != "" {
			text = found
		}
	}
	text = NoSecret(strings.Join(strings.Fields(Text(text)), " "))
	if len(text) > mostSaid {
		text = strings.ToValidUTF8(text[:mostSaid-len("…")], "") + "…"
	}
	return text
}

// IsHTML reports whether an answer is a page.
func IsHTML(contentType string, body []byte) bool {
	start := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 256)]))
	return strings.HasPrefix(strings.ToLower(contentType), "text/html") && len(start) > 0 && start[0] == '<' ||
		bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// saidInJSON is the first of detail, message, error and code that says something. FastAPI lists
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
			loc, _ := v["loc"].([]any)
			for _, part := range loc {
				at = append(at, fmt.Sprint(part))
			}
			if len(at) > 0 {
				text = strings.Join(at, ".") + ": " + text
			}
			return text
		}
		for _, key := range []string{"detail", "message", "error", "code"} {
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
