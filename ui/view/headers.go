package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/words"
)

// deliveryHeaders lists all headers of a delivery and what was found out about
// it.
func deliveryHeaders(d *model.Delivery, repeats int, mask bool) *draw.Document {
	t := &draw.Document{Paint: draw.PaintNamed}
	addHeaders(t, d.Header, mask)
	t.Add("verdict: "+verified(d), 0)
	t.Add("source: "+sourceWords(d.Source), 0)
	t.Add("message: "+d.ID, 0)
	t.Add("received: "+d.Received.Local().Format("2006-01-02 15:04:05.000 -07:00"), 0)
	if d.Repeat() {
		t.Add("attempt: "+words.Repeat(d.Attempt, d.Message, d.Differs).Text, 0)
	} else {
		t.Add(fmt.Sprintf("attempt: %d, the first to arrive here", d.Attempt), 0)
	}
	if repeats == 0 {
		t.Add("repeats: none", 0)
	} else {
		t.Add("repeats: "+words.Count(repeats, "more delivery", "more deliveries")+" of this message", 0)
	}
	return t
}

// rejectedHeaders lists what is held of a refused request.
func rejectedHeaders(s *model.Status, mask bool) *draw.Document {
	r := s.Rejected
	t := &draw.Document{Paint: draw.PaintNamed}
	addHeaders(t, r.Header, mask)
	t.Add("verdict: rejected, "+r.Verdict.Detail, 0)
	if r.Verdict.Hint != "" {
		t.Add("hint: "+r.Verdict.Hint, 0)
	}
	t.Add("reason: "+string(r.Verdict.Reason), 0)
	t.Add("message: "+words.OrNone(r.ID)+", as claimed by the sender", 0)
	t.Add("received: "+s.At.Local().Format("2006-01-02 15:04:05.000 -07:00"), 0)
	t.Add("kept: no; in memory only, and on no task", 0)
	return t
}

func verified(d *model.Delivery) string {
	if d.Secret == "" {
		return "accepted without a signature"
	}
	return "verified with secret " + d.Secret
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

func addHeaders(t *draw.Document, header map[string][]string, mask bool) {
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			if mask && privateHeader(name, value) {
				value = "(hidden)"
			}
			t.Add(name+": "+value, 0)
		}
	}
	if len(header) == 0 {
		t.Add("(no headers)", 0)
	}
	t.Add("", 0)
}

// privateHeader reports whether presentation mode hides a header: it tells where the
// receiver is, who calls, or a credential.
func privateHeader(name, value string) bool {
	switch name {
	case "Host", "Forwarded", "Authorization", "Proxy-Authorization", "Cookie", "Via", "X-Real-Ip":
		return true
	}
	return strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "Cf-") ||
		name != "User-Agent" && strings.Contains(value, "://")
}
