package forward

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"aspectop/clean"
)

// IsHTML reports whether the answer is a page.
func (a *Answer) IsHTML() bool { return clean.IsHTML(a.Header.Get("Content-Type"), a.Body) }

// About matches an answer that speaks of one of the words.
func (a *Answer) About(words ...string) bool {
	text := bytes.ToLower(a.Body)
	return slices.ContainsFunc(words, func(word string) bool { return bytes.Contains(text, []byte(word)) })
}

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
