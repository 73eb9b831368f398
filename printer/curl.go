package printer

import (
	"encoding/base64"
	"strings"

	"aspectop/clean"
	"aspectop/model"
)

// Curl returns a one-line shell command that posts the delivery to url again, with the
// same bytes and Svix headers. It is not re-signed, so receivers reject it five minutes
// after it was signed. Headers added by proxies, and credentials, are omitted.
func Curl(d *model.Delivery, url string) string { return curl(d, url, false) }

func curl(d *model.Delivery, url string, withCredentials bool) string {
	var b strings.Builder
	b.WriteString("printf %s ")
	b.WriteString(shellQuote(base64.StdEncoding.EncodeToString(d.Body)))
	b.WriteString(" | base64 --decode | curl -sS -X POST --data-binary @-")
	eachHeader(d, func(name, value string) {
		if isSignature(name) || belongsToMessage(name, withCredentials) {
			b.WriteString(" -H " + shellQuote(clean.Text(name+": "+value)))
		}
	})
	b.WriteString(" " + shellQuote(clean.Text(url)))
	return b.String()
}

func isSignature(name string) bool {
	lower := strings.ToLower(name)
	return strings.HasPrefix(lower, "svix-") || strings.HasPrefix(lower, "webhook-")
}

// belongsToMessage reports whether a header belongs to the message, not to the
// transport.
func belongsToMessage(name string, withCredentials bool) bool {
	return strings.EqualFold(name, "Content-Type") || strings.EqualFold(name, "User-Agent") ||
		withCredentials && clean.IsCredential(name)
}

// shellQuote quotes s as one word for a POSIX shell.
func shellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
