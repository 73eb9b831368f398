package ui

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aspectop/model"
)

// deliveryHeaders lists all headers of a delivery and what was found out about
// it.
func deliveryHeaders(d *model.Delivery, repeats int, hide bool) *document {
	t := &document{paint: paintNamed}
	addHeaders(t, d.Header, hide)
	t.add("verdict: "+verified(d), 0)
	t.add("source: "+sourceWords(d.Source), 0)
	t.add("message: "+d.ID, 0)
	t.add("received: "+d.Received.Local().Format("2006-01-02 15:04:05.000 -07:00"), 0)
	switch {
	case !d.Repeat():
		t.add(fmt.Sprintf("attempt: %d seen here, the first; it is the one that counts", d.Attempt), 0)
	case d.Differs:
		t.add(fmt.Sprintf("attempt: %d seen here; repeats #%d with another body and changes nothing", d.Attempt, d.Message), 0)
	default:
		t.add(fmt.Sprintf("attempt: %d seen here; repeats #%d and changes nothing", d.Attempt, d.Message), 0)
	}
	if repeats == 0 {
		t.add("repeats: none", 0)
	} else {
		t.add("repeats: "+count(repeats, "more delivery", "more deliveries")+" of this message", 0)
	}
	return t
}

// rejectedHeaders lists what is held of a refused request.
func rejectedHeaders(s *model.Status, hide bool) *document {
	r := s.Rejected
	t := &document{paint: paintNamed}
	addHeaders(t, r.Header, hide)
	t.add("verdict: refused, "+r.Verdict.Detail, 0)
	if r.Verdict.Hint != "" {
		t.add("hint: "+r.Verdict.Hint, 0)
	}
	t.add("reason: "+string(r.Verdict.Reason), 0)
	t.add("message: "+orNone(r.ID)+", as the sender claims", 0)
	t.add("received: "+s.At.Local().Format("2006-01-02 15:04:05.000 -07:00"), 0)
	t.add("kept: no; it touches no task and is held in memory only", 0)
	return t
}

func verified(d *model.Delivery) string {
	if d.Secret == "" {
		return "taken without a signature"
	}
	return "verified with the secret " + d.Secret
}

func sourceWords(s model.Source) string {
	switch s {
	case model.SourceWebhook:
		return "webhook, a POST signed by Svix"
	case model.SourceAPI:
		return "api, a snapshot read from Aspect's API"
	case model.SourceSSE:
		return "sse, Aspect's event stream"
	}
	return string(s)
}

func addHeaders(t *document, header map[string][]string, hide bool) {
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			if hide && privateHeader(name, value) {
				value = "(hidden)"
			}
			t.add(name+": "+value, 0)
		}
	}
	if len(header) == 0 {
		t.add("(no headers)", 0)
	}
	t.add("", 0)
}

// privateHeader reports whether a header is hidden while somebody looks on: it
// tells where the receiver is, who calls, or a credential.
func privateHeader(name, value string) bool {
	switch name {
	case "Host", "Forwarded", "Authorization", "Proxy-Authorization", "Cookie", "Via", "X-Real-Ip":
		return true
	}
	return strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "Cf-") ||
		name != "User-Agent" && strings.Contains(value, "://")
}

// paintNamed paints "name: value".
func paintNamed(line []byte) []stretch {
	i := bytes.Index(line, []byte(": "))
	if i < 0 {
		return []stretch{{len(line), dim}}
	}
	return []stretch{{i, key}, {i + 1, dim}}
}
