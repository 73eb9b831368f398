package printer

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"aspectop/model"
)

// Curl returns a shell command, in one line, that posts the delivery to url once
// more: its very bytes and its Svix headers. Nothing is re-signed, so a
// receiver that checks the time refuses it five minutes after it was signed.
// Headers of the way it took, and credentials, are left out.
func Curl(d *model.Delivery, url string) string { return curl(d, url, false) }

func curl(d *model.Delivery, url string, withCredentials bool) string {
	var b strings.Builder
	b.WriteString("printf %s ")
	b.WriteString(shellQuote(base64.StdEncoding.EncodeToString(d.Body)))
	b.WriteString(" | base64 --decode | curl -sS -X POST --data-binary @-")
	for _, name := range slices.Sorted(maps.Keys(d.Header)) {
		if !belongsToMessage(name) && !(withCredentials && isCredential(name)) {
			continue
		}
		for _, value := range d.Header[name] {
			b.WriteString(" -H " + shellQuote(Clean(name+": "+value)))
		}
	}
	b.WriteString(" " + shellQuote(Clean(url)))
	return b.String()
}

// belongsToMessage reports whether a header was set by the sender for the
// message, rather than by what carried it.
func belongsToMessage(name string) bool {
	lower := strings.ToLower(name)
	return strings.HasPrefix(lower, "svix-") || strings.HasPrefix(lower, "webhook-") ||
		lower == "content-type" || lower == "user-agent"
}

// shellQuote makes s one word of a POSIX shell.
func shellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
