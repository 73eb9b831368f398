package check

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"aspectop/clean"
	"aspectop/receiver"
	"aspectop/sig"
)

// slowTime is when an answer is slow; the first two of that kind end the check.
const slowTime = 5 * time.Second

// serialTime is from when on it matters whether five messages are answered in turn.
const serialTime = 50 * time.Millisecond

// stranger signs as somebody who does not know the secret.
var stranger = receiver.NewSecret("")

// event is a valid message about a completed task.
func event() []byte { return newEvent("task.completed", 0).Body }

// foreign is a message whose signature is right for somebody else's secret.
func (c *checker) foreign(name string, body []byte) answer {
	return c.post(request{name: name, body: body, sign: c.scheme.sign(stranger)})
}

// accepts posts the first message. If it is refused, it looks for what the handler would
// accept.
func (c *checker) accepts() string {
	valid := request{name: "valid", body: event(), valid: true}
	a := c.post(valid)
	if c.stop == nil && (a.Closed() || a.Latency > c.slow) { // once more: the server may just be starting
		first := a
		if a = c.post(valid); a.Closed() {
			c.done = "closes"
			c.unaccepted()
		} else if c.stop == nil && min(first.Latency, a.Latency) > c.slow {
			c.find("slow", []answer{first, a}, max(first.Latency, a.Latency).Round(100*time.Millisecond))
			c.stop = ErrSlow
		}
	}
	c.first = a
	if c.stop != nil || c.done != "" {
		return ""
	}
	if !a.accepted && c.refused(a) {
		c.unaccepted()
	}
	return fmt.Sprintf("%d in %s", c.first.Status, ms(c.first.Latency))
}

// unaccepted makes what was found the reason why no valid message is accepted.
func (c *checker) unaccepted() {
	for _, f := range c.report.Findings {
		f.Property = propAccepts
	}
}

func ms(d time.Duration) string {
	if d < time.Millisecond {
		return "less than 1 ms"
	}
	return d.Round(time.Millisecond).String()
}

// refused explains why the first message was not accepted, and reports whether there is a
// form or a scheme that the handler accepts.
func (c *checker) refused(a answer) (accepted bool) {
	explain := func(name string, evidence ...answer) bool {
		c.find(name, append([]answer{a}, evidence...))
		c.done, _, _ = strings.Cut(name, "/")
		return false
	}
	switch {
	case a.Status/100 == 3:
		f := c.find("redirect", []answer{a})
		c.done = "redirect"
		if to := c.shown(clean.URL(a.Header.Get("Location"))); to != "" {
			f.Title += " to " + to
		}
		return false
	case a.Status == http.StatusRequestEntityTooLarge:
		c.limit(len(event()), a).Severity = Fail
		c.done = "limit"
		return false
	case a.Status == http.StatusUnsupportedMediaType:
		return explain("parsed_first/type")
	}
	forged := c.foreign("forged", event())
	bare := c.post(request{name: "without_headers", body: event(), bare: true})
	c.forged = forged
	if c.stop != nil || c.done != "" {
		return false
	}
	alike := a.like(forged)
	switch {
	case forged.accepted:
		c.unverified = true
		return explain("no_verification", forged)
	case alike && (a.Status == 404 || a.Status == 405 || a.Status == 410 || a.Status == 501):
		return explain("not_found", forged)
	case alike && a.Status/100 == 4 && (a.About("csrf") || a.Header.Get("WWW-Authenticate") != ""): // a page of a crash has all settings
		return explain("auth", forged, bare)
	}
	if c.proves() || alike && c.mistaken() || c.stop != nil {
		return c.stop == nil && c.done == ""
	}
	noJSON := c.foreign("forged_and_not_json", []byte("{not JSON"))
	switch {
	case c.stop != nil:
	case !alike && a.Status/100 == 5 && forged.Status/100 == 4:
		return explain("crash", forged)
	case !alike && (a.Status == 404 || a.Status == 410):
		return explain("not_found/subject", forged)
	case !alike:
		return explain("strict_type/event", forged)
	case a.About("missing") && a.About("header"):
		return explain("wrong_secret/headers", forged)
	case a.like(bare) && (a.Status == 401 || a.Status == 403) && !a.About("signature", "svix", "webhook", "verif", "hmac", "secret"):
		return explain("auth", forged, bare)
	case a.Status/100 == 5 && a.like(bare):
		return explain("crash/always", forged, bare)
	case !noJSON.like(forged):
		return explain("parsed_first", forged, noJSON)
	case a.Status/100 == 5:
		return explain("crash/always", forged, bare)
	default:
		return explain("wrong_secret", forged)
	}
	return false
}

// proves looks for a form of a body that the handler verifies in its place. Proof needs three
// answers about one body: the signature of the form is accepted, the body's own is
// refused, and a foreign one is refused.
func (c *checker) proves() bool {
	body := func() []byte { return odd.rewrite(event()) }
	own := c.post(request{name: "pretty", body: body(), valid: true})
	tries := forms
	if own.accepted {
		tries = forms[:1]
	}
	for i, f := range tries {
		b, name := body(), "pretty_signed_"+strings.TrimSuffix(f.name, "_json")
		if slices.ContainsFunc(forms[:i], func(o form) bool { return o.name == f.name }) {
			name += fmt.Sprint("_", i)
		}
		signed := c.post(request{name: name, body: b, over: f.rewrite(b)})
		if c.stop != nil || !signed.accepted {
			continue
		}
		foreign := c.foreign("pretty_signed_by_a_stranger", body())
		if c.stop != nil || foreign.accepted {
			return false
		}
		c.first = signed
		evidence := []answer{own, signed, foreign}
		switch {
		case own.accepted:
			c.find("accepts_both", evidence)
		case f.name == "empty":
			if f.text == "" {
				c.find("consumed", evidence)
			} else {
				c.find("consumed/constant", evidence, f.text, f.text, f.text)
			}
			c.done = "consumed"
		default:
			f, more := c.refine(f)
			c.form = &f
			c.find("reserialised", append(evidence, more...), formWords[f.name][0], formWords[f.name][1]).Form = f.name
		}
		return true
	}
	if own.accepted || c.stop != nil || !c.first.accepted {
		return false
	}
	c.undecided("a body with spaces and its keys in another order is refused, and no known form of it is what the handler verifies")
	c.done = "that it is not known what the handler verifies"
	return true
}

func (c *checker) undecided(text string) {
	if c.stop == nil {
		c.report.Undecided = append(c.report.Undecided, text)
	}
}

// refine tells forms apart that differ only in what they escape.
func (c *checker) refine(f form) (form, []answer) {
	alike := f.alike()
	for i := range alike {
		if len(alike) == 1 {
			break
		}
		body := odd.rewrite(named(event(), "<é>"))
		a := c.post(request{name: fmt.Sprintf("odd_signed_%s_%d", alike[i].name, i+1), body: body, over: alike[i].rewrite(body)})
		if a.accepted {
			return alike[i], []answer{a}
		}
	}
	return f, nil
}

// mistaken looks for another key, content or spelling that the handler verifies with.
func (c *checker) mistaken() bool {
	for _, s := range schemes {
		if a := c.post(request{name: s.name, body: event(), sign: s.sign(c.Secret)}); a.accepted && c.stop == nil {
			c.scheme = s
			foreign := c.foreign(s.name+"_by_a_stranger", event())
			if foreign.accepted {
				return false
			}
			for _, name := range s.codes {
				c.find(name, []answer{c.first, a, foreign})
			}
			c.first = a
			return true
		}
	}
	a := c.post(request{name: "signed_in_webhook_headers", body: event(), family: sig.Webhook})
	if a.accepted {
		c.find("wrong_secret/webhook", []answer{c.first, a})
		c.done = "wrong_secret"
	}
	return a.accepted
}

// rejects posts four kinds of forged messages.
func (c *checker) rejects() string {
	if c.forged.n == 0 {
		c.forged = c.foreign("forged", event())
	}
	body := event()
	altered := c.post(request{name: "altered", body: bytes.Replace(body, []byte(`"completed"`), []byte(`"failed"`), 1), over: c.verified(body)})
	garbage := c.post(request{name: "garbage_signature", body: event(), sign: func(string, time.Time, []byte) string { return "v1,!!! garbage" }})
	bare := c.post(request{name: "without_headers", body: event(), bare: true})
	forged := c.forged
	c.unverified = forged.accepted || altered.accepted
	all := []answer{forged, altered, garbage, bare}
	switch {
	case forged.accepted && c.first.IsHTML() && c.first.like(forged):
		c.find("not_found/page", []answer{c.first, forged})
		c.done = "not_found"
	case forged.accepted && !bare.accepted:
		c.find("presence_only", all)
	case forged.accepted && !forged.like(c.first):
		c.find("no_verification/says", all).Said = c.words(forged)
	case forged.accepted:
		c.find("no_verification", all)
	case altered.accepted:
		c.find("no_verification/altered", all)
	case bare.accepted:
		c.find("no_verification/bare", []answer{bare})
	case forged.Status/100 == 5 || forged.Closed():
		c.find("forged_5xx", []answer{forged})
	case garbage.Status/100 == 5 || bare.Status/100 == 5:
		c.find("malformed_5xx", slices.DeleteFunc([]answer{garbage, bare}, func(a answer) bool { return a.Status/100 != 5 }))
	}
	return fmt.Sprint(forged.Status)
}

// bytes finds out whether the bytes that arrived are verified.
func (c *checker) bytes() string {
	if c.form != nil {
		c.skip = "explained by reserialised"
		return ""
	}
	if c.proves() || c.stop != nil {
		return ""
	}
	for _, k := range []struct {
		name, code string
		body       []byte
		over       func([]byte) []byte
	}{
		{"line_break_at_the_end", "trimmed", append(event(), '\n'), bytes.TrimSpace},
		{"beyond_ascii", "latin1", named(event(), "Café"), latin1},
		{"carriage_returns", "reserialised/lf", bytes.ReplaceAll(odd.rewrite(event()), []byte("\n"), []byte("\r\n")),
			func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")) }},
		{"combining_accent", "reserialised/nfc", named(event(), "Cafe\u0301"), norm.NFC.Bytes},
	} {
		_, form, _ := strings.Cut(k.code, "/")
		if form == "nfc" && c.asciiOnly {
			continue // it refuses é, too
		}
		own := c.post(request{name: k.name, body: k.body, valid: true})
		if own.accepted || c.stop != nil {
			continue
		}
		c.asciiOnly = c.asciiOnly || k.code == "latin1"
		signed := c.post(request{name: k.name + "_signed_" + path.Base(k.code), body: k.body, over: k.over(k.body)})
		foreign := c.foreign(k.name+"_signed_by_a_stranger", k.body)
		control := c.post(request{name: "member_name", body: named(event(), "Cafe"), valid: true})
		switch {
		case signed.accepted && !foreign.accepted:
			c.find(k.code, []answer{own, signed, foreign}).Form = form
		case k.code == "latin1" && !control.accepted:
			c.find("strict_feature/member", []answer{control})
		default:
			c.undecided("a body is refused that has " + strings.ReplaceAll(k.name, "_", " ") + ", and no known mistake explains it")
		}
	}
	return "also with spaces, in another order, with é, with carriage returns"
}

func (c *checker) tolerance() string {
	old := c.post(request{name: "signed_10_minutes_ago", body: event(), late: -10 * time.Minute})
	ahead := c.post(request{name: "signed_10_minutes_ahead", body: event(), late: 10 * time.Minute})
	switch {
	case old.accepted && ahead.accepted:
		c.find("no_tolerance", []answer{old, ahead})
	case old.accepted:
		c.find("no_tolerance", []answer{old})
	case ahead.accepted:
		c.find("no_future_tolerance", []answer{ahead})
	}
	return fmt.Sprint(old.Status)
}

func (c *checker) rotation() string {
	right, other := c.scheme.sign(c.Secret), c.scheme.sign(stranger)
	both := func(first, second sig.Signer) func(string, time.Time, []byte) string {
		return func(id string, at time.Time, over []byte) string {
			return first(id, at, over) + " " + second(id, at, over)
		}
	}
	v1a := func(string, time.Time, []byte) string {
		return "v1a," + base64.StdEncoding.EncodeToString(make([]byte, 64))
	}
	var refused []answer
	for _, k := range []struct {
		name          string
		first, second sig.Signer
	}{{"two_signatures_ours_first", right, other}, {"two_signatures_ours_last", other, right}, {"two_signatures_v1a_first", v1a, right}} {
		if a := c.post(request{name: k.name, body: event(), sign: both(k.first, k.second), valid: true}); !a.accepted {
			refused = append(refused, a)
		}
	}
	if refused != nil {
		c.find("rotation", refused)
	}
	return ""
}

// unknown posts what may come one day.
func (c *checker) unknown() string {
	probes := []struct {
		name, code string
		body       []byte
	}{
		{"unknown_feature", "strict_feature", with(event(), "features", `"unheard_of":{"state":"queued"}`)},
		{"unknown_state", "strict_state", bytes.Replace(event(), []byte(`"visual":{"state":"completed"}`), []byte(`"visual":{"state":"paused"}`), 1)},
		{"unknown_type", "strict_type", newEvent("asset.created", 0).Body},
		{"ping", "ping", newEvent("svix.ping", 0).Body},
	}
	if c.form != nil && c.form.name == "struct" {
		probes = probes[1:2] // what a struct makes of the others is not known
	}
	for _, p := range probes {
		if a := c.post(request{name: p.name, body: p.body, valid: true}); !a.accepted {
			c.find(p.code, []answer{a})
		}
	}
	if c.form != nil { // with their own signature they are what it loses
		return "if signed as " + formWords[c.form.name][0]
	}
	return ""
}

func (c *checker) late() string {
	if a := c.post(request{name: "event_of_27_hours_ago", body: newEvent("task.completed", 27*time.Hour).Body, valid: true}); !a.accepted {
		c.find("stale_event", []answer{a})
	}
	return ""
}

// size climbs a ladder of sizes, and closes in on the limit.
func (c *checker) size() string {
	post := func(size int) answer {
		return c.post(request{name: fmt.Sprintf("body_of_%d_bytes", size), body: padded(event(), size), valid: true, large: true})
	}
	var over answer
	low, high := len(event()), 0
	for _, size := range []int{50 << 10, 100<<10 + 1, 256 << 10, 512 << 10, 1 << 20} {
		if over = post(size); !over.accepted {
			high = size
			break
		}
		low = size
	}
	for range 8 {
		if c.stop != nil || high == 0 || high-low <= max(low/16, 64) {
			break
		}
		if middle := (low + high) / 2; post(middle).accepted {
			low = middle
		} else {
			high = middle
		}
	}
	c.largest = low
	if high > 0 {
		c.limit(roundSize(low, high), over)
	}
	c.pieces()
	return ""
}

// roundSize is a usual limit from low on and below high, else low.
func roundSize(low, high int) int {
	for _, unit := range []int{1 << 20, 100 << 10, 64 << 10, 32 << 10, 16 << 10, 8 << 10, 1 << 10, 1000} {
		if n := (high - 1) / unit * unit; n >= low && n > 0 {
			return n
		}
	}
	return low
}

// limit reports a limit for bodies, in bytes.
func (c *checker) limit(size int, a answer) *Finding {
	text, refused := fmt.Sprintf("%d bytes", size), fmt.Sprint(a.Status)
	if size >= 2048 {
		text = fmt.Sprintf("%d KiB", (size+512)/1024)
	}
	if a.Status == 0 {
		refused = "no answer"
	}
	f := c.find("limit", []answer{a}, text, refused)
	switch {
	case size < 8<<10:
		f.Severity = Fail
	case size < 64<<10:
		f.Severity = Warn
	}
	return f
}

// pieces posts a large body of long characters, and if it is refused one of short ones.
func (c *checker) pieces() {
	size := min(300_000, c.largest-2000)
	if size < 20_000 || c.unverified || c.form != nil || c.asciiOnly {
		return
	}
	long := c.post(request{name: "large_beyond_ascii", body: named(event(), strings.Repeat("日", size/3)), valid: true, large: true})
	if long.accepted {
		return
	}
	short := c.post(request{name: "large_ascii", body: named(event(), strings.Repeat("x", size)), valid: true, large: true})
	if short.accepted {
		c.find("chunks", []answer{long, short})
	}
}

// twice posts one new message five times at once, as the races of handlers are lost over an
// id that is not yet known, and then once more.
func (c *checker) twice() string {
	m := newEvent("task.completed", 0)
	r := request{name: "same_at_once", id: m.ID, body: m.Body, valid: true}
	at := []request{r, r, r, r, r}
	if !c.Place.Near {
		c.skip = "five at once are not posted to a public address"
		r.name = "for_the_first_time"
		at = []request{r}
	}
	r.name = "again"
	c.report.Watched = m.ID
	together := c.together(at...)
	c.again = c.post(r)
	c.watched = append(together, c.again)
	c.report.Posted = len(c.watched)
	refused := slices.DeleteFunc(slices.Clone(together), func(a answer) bool { return a.accepted })
	switch {
	case !c.again.accepted:
		c.skip = ""
		c.find("duplicate_refused", []answer{c.again})
	case len(refused) > 0:
		c.find("race", refused)
	}
	return fmt.Sprint(c.again.Status)
}

// poison posts a forged message twice, and then the valid one with its id.
func (c *checker) poison() string {
	m := newEvent("task.completed", 0)
	forged := request{name: "forged_with_an_id", id: m.ID, body: m.Body, sign: c.scheme.sign(stranger)}
	first, again := c.post(forged), c.post(forged)
	valid := c.post(request{name: "valid_with_that_id", id: m.ID, body: m.Body, valid: true})
	asDuplicate := valid.like(c.again) && !valid.like(c.first)
	if !first.accepted && (again.accepted || asDuplicate || !valid.accepted) {
		c.find("poison", []answer{first, again, valid})
	}
	return ""
}

// kept posts two messages on one connection, measures, and reads what all answers had in
// common.
func (c *checker) kept() string {
	one := c.post(request{name: "kept_connection", body: event(), valid: true, kept: true})
	two := c.post(request{name: "kept_connection_again", body: event(), valid: true, kept: true})
	if one.accepted && two.Closed() && two.Reused {
		c.find("closes", []answer{one, two}).Title = "closes a kept connection without announcing it"
	}
	var times []time.Duration
	slowest := c.first
	for _, a := range c.answers {
		if !a.accepted {
			continue
		}
		times = append(times, a.Latency)
		if a.Latency > slowest.Latency {
			slowest = a
		}
		for name, values := range a.Header {
			if name = strings.ToLower(name); !strings.HasPrefix(name, "webhook-") && name != "abort-message" {
				continue
			}
			if name == "webhook-delivery" && strings.Contains(strings.ToLower(strings.Join(values, "")), "disable") {
				c.find("disables", []answer{a})
			} else {
				c.find("webhook_headers", []answer{a}, c.shown(name))
			}
		}
	}
	if slowest.Latency > c.slow {
		c.find("slow", []answer{slowest}, slowest.Latency.Round(100*time.Millisecond))
	}
	if len(times) > 0 && 5*slices.Min(times) > serialTime && c.Place.Near {
		c.atOnce(slices.Min(times))
	}
	return "slowest " + ms(slowest.Latency)
}

// atOnce compares five messages at the same time with five in turn, each of which takes one
// at least. A server that answers in turn does so each time, a busy machine does not.
func (c *checker) atOnce(one time.Duration) {
	var answers []answer
	var slowest time.Duration
	for range 2 {
		five := make([]request, 5)
		for i := range five {
			five[i] = request{name: "five_at_once", body: event(), valid: true}
		}
		began := time.Now()
		answers = append(answers, c.together(five...)...)
		took := time.Since(began)
		if took < 5*one*4/5 || took <= serialTime {
			return
		}
		slowest = took
	}
	c.find("serial", answers, ms(slowest))
}

// work asks how often the work of the message that was posted several times was done.
func (c *checker) work() string {
	count, err := c.observed()
	switch {
	case err != nil && c.ctx.Err() == nil:
		c.report.Undecided = append(c.report.Undecided, "not observed: "+c.shown(err.Error()))
	case err != nil:
		c.stop = err
	case count == 0:
		c.find("not_done", c.watched, c.report.Watched, c.ObserveFor)
	case count > 1:
		c.find("not_idempotent", c.watched, c.report.Watched, c.report.Posted, count)
	}
	return "once, after " + fmt.Sprint(c.report.Posted) + " messages"
}
