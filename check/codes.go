package check

import (
	"fmt"
	"strings"
)

// Severity says how bad a finding is.
type Severity string

const (
	Note   Severity = "note"   // true, and nothing to mend
	Warn   Severity = "warn"   // to mend, some day
	Fail   Severity = "fail"   // messages are lost
	Danger Severity = "danger" // messages of strangers are accepted, or work is done twice
)

// Severities are in the order of a report's counts.
var Severities = []Severity{Danger, Fail, Warn, Note}

// Finding is something to know about a handler.
type Finding struct {
	Code, Form     string // Form only of what is reserialised
	Severity       Severity
	Evidence       []int // numbers of probes
	Title          string
	Meaning, Fix   string
	URL            string // of its description
	Property, Said string // what the handler says, "" for nothing
}

// Bad reports whether a finding is worse than a warning.
func (f *Finding) Bad() bool { return f.Severity == Fail || f.Severity == Danger }

// code is what can be found.
type code struct {
	severity       Severity
	property       string
	title          string
	meaning, fixed string
}

// The properties of a handler that works, each found out by one stage.
const (
	propAccepts  = "accepts a valid message"
	propForged   = "rejects forged messages"
	propRaw      = "verifies the bytes that arrived"
	propTime     = "rejects old and future signatures"
	propRotation = "accepts two signatures, as after a rotation"
	propUnknown  = "accepts unknown features, states, event types and svix.ping"
	propLate     = "accepts a late retry of an old event"
	propSize     = "accepts bodies up to 1 MiB"
	propTwice    = "accepts the same message again, and five times at once"
	propPoison   = "remembers only verified messages"
	propAnswers  = "answers completely, in time, and on kept connections"
	propWork     = "does the work of a message once"
)

const rawFix = "verify the raw body, and parse it afterwards"

// codes are all findings. A variant ("code/variant") has its own words.
var codes = map[string]code{
	"reserialised": {Fail, propRaw, "verifies a re-serialised body, not the bytes that arrived",
		"the handler parses the body, writes it again as %s, and verifies that: a body passes with the signature of this form, and is refused with its own and with a foreign one. Messages that are written differently are lost, such as those %s",
		rawFix},
	"reserialised/lf": {Fail, propRaw, "verifies a body whose line breaks were rewritten",
		"the handler reads the body as text: one with CR LF passes with the signature of the same body with LF, and is refused with its own and with a foreign one",
		rawFix + ", and as bytes"},
	"reserialised/nfc": {Fail, propRaw, "verifies a body whose characters were normalised",
		"the handler normalises the body (Unicode NFC): one with e and an accent that combines passes with the signature of the same body with é, and is refused with its own and with a foreign one. Messages with names of files from macOS are lost",
		rawFix + ", and as bytes"},
	"consumed": {Fail, propRaw, "verifies an empty body: something has read it before",
		"a body passes with the signature of the empty body, and is refused with its own. All valid messages are refused, and whoever has one signature of an empty body can send anything with it",
		"read the body once, verify these bytes, and parse them afterwards"},
	"consumed/constant": {Fail, propRaw, "verifies %s in place of the body",
		"a body passes with the signature of %s, and is refused with its own: something has read it before, or nothing has parsed it. All valid messages are refused, and whoever has one signature of %s can send anything with it",
		"read the body once, verify these bytes, and parse them afterwards"},
	"parsed_first": {Fail, propRaw, "a JSON parser runs before the signature is verified",
		"valid and forged messages are refused alike, but what is not JSON is answered differently: the body is parsed first, and the handler probably verifies an object in place of the bytes. (If it does verify the bytes, its secret is another one.)",
		"give this route the raw body: " + rawFix},
	"parsed_first/type": {Fail, propRaw, "the route does not take application/json",
		"the server refuses the content type before the handler sees the body; Svix sends application/json",
		"let the route read the raw body of any type"},
	"trimmed": {Fail, propRaw, "verifies the body without the white space around it",
		"a body with a line break at its end passes with the signature of the body without it, and is refused with its own",
		"verify the bytes as they arrived, without trim"},
	"latin1": {Fail, propRaw, "decodes the body as Latin-1",
		"a body with é passes with the signature of what Latin-1 makes of its UTF-8, and is refused with its own: every message with a letter beyond ASCII is lost",
		"verify bytes, or decode them as UTF-8"},
	"chunks": {Fail, propRaw, "decodes the body piece by piece",
		"a large body of ASCII passes and one of the same size with longer characters is refused: where a piece of the body ends inside a character, that is destroyed (body += chunk)",
		"collect the pieces as bytes and join them: Buffer.concat(chunks) in Node"},
	"accepts_both": {Note, propRaw, "accepts the body as it arrived, and as minimal JSON too",
		"a body passes with its own signature and with that of its re-serialised form, but not with a foreign one. Raw bytes work",
		"nothing has to be done; the second verification can go"},
	"raw_key": {Fail, propAccepts, "uses the text of the secret as the key",
		"a message that is signed with the characters of the secret is accepted. The key is what the base64 after whsec_ stands for",
		"decode the base64 after whsec_, or let Svix's library do it"},
	"body_only": {Fail, propAccepts, "verifies a signature over other content",
		"the signature that is accepted leaves out the message's id (and time). Svix signs id.timestamp.body, so all its messages are refused",
		"sign svix-id + \".\" + svix-timestamp + \".\" + body, or let Svix's library do it"},
	"hex": {Fail, propAccepts, "expects the signature in another spelling",
		"a signature in hexadecimal digits, or without v1, in front, is accepted. Svix sends base64 after \"v1,\"",
		"compare with the base64 after each \"v1,\", or let Svix's library do it"},
	"wrong_secret": {Fail, propAccepts, "refuses a valid message as it refuses a forged one",
		"the handler has another secret, does not pass the headers svix-id, svix-timestamp and svix-signature to the verification, or passes no body (undefined, an object): which of them cannot be told from outside. No re-serialised body and no other key alone explains it",
		"compare the secrets (same endpoint, whole, loaded at all?), then log which headers and which body the verification gets"},
	"wrong_secret/headers": {Fail, propAccepts, "refuses a valid message because of its headers",
		"the handler says that headers are missing, and they were there: they do not reach the verification",
		"pass svix-id, svix-timestamp and svix-signature as a plain object or the framework's headers as the library wants them"},
	"wrong_secret/webhook": {Fail, propAccepts, "verifies only the headers webhook-*",
		"the same message is accepted with webhook-id, webhook-timestamp and webhook-signature. Aspect's messages have svix-id, svix-timestamp and svix-signature",
		"use the svix library in place of standardwebhooks, or pass the values of svix-* to it under the names webhook-*"},
	"rotation": {Fail, propRotation, "refuses a message with two signatures",
		"for a day after a secret is rotated, messages are signed with both secrets, separated by a space; others may have versions that are not v1. Such messages are refused",
		"accept a message if any of its v1 signatures is right, in any place"},
	"strict_feature": {Fail, propUnknown, "refuses a feature it does not know",
		"Aspect adds features (embedding, scene_detect, …); Svix would try such a message 8 times and then disable the endpoint",
		"ignore what you do not know, and answer 2xx"},
	"strict_feature/member": {Fail, propUnknown, "refuses a member it does not know",
		"a task with one more member (name) is refused; Aspect may add members",
		"ignore what you do not know, and answer 2xx"},
	"strict_state": {Fail, propUnknown, "refuses a state it does not know",
		"a feature in the state paused is refused; Aspect may add states",
		"treat an unknown state as one in progress, and answer 2xx"},
	"strict_type": {Fail, propUnknown, "refuses an event type it does not know",
		"an event asset.created is refused; an endpoint may be subscribed to more than the handler was written for",
		"answer 2xx to types that you ignore"},
	"strict_type/event": {Fail, propAccepts, "verifies the message, and refuses what is in it",
		"a forged message is answered differently, so the signature is right. The event is refused because of its type, its ids or its fields: Svix would try it again, and then disable the endpoint",
		"answer 2xx to events that you cannot use"},
	"ping": {Fail, propUnknown, "refuses svix.ping",
		"Svix's test message is {\"success\": true} and no event; the dashboard's test fails",
		"answer 2xx to what has no event_type"},
	"stale_event": {Fail, propLate, "refuses a fresh signature on an old event",
		"the event happened 27 hours ago, as in Svix's last retry, and the signature is new. The handler judges age by the body",
		"judge age only by svix-timestamp, as the library does"},
	"duplicate_refused": {Fail, propTwice, "refuses a message that it has had before",
		"Svix repeats a message when an answer was lost. It tries up to 8 times, until the answer is 2xx",
		"answer 2xx to a message that is known"},
	"race": {Warn, propTwice, "fails when the same message comes five times at once",
		"two copies of a message at the same time break it, such as by an insert that violates a unique index",
		"let the insert of the svix-id decide (ON CONFLICT DO NOTHING), and answer 2xx to the second"},
	"not_found": {Fail, propAccepts, "nothing takes a POST at this path",
		"the server answers all messages with this status, forged ones too", "check path, method and port"},
	"not_found/page": {Fail, propAccepts, "the answer is a page of a server, not of a handler",
		"a valid and a forged message get the same HTML page with 2xx: this is a development server, or a route for browsers",
		"check path and port"},
	"not_found/subject": {Fail, propAccepts, "verifies the message, and does not find what it is about",
		"a forged message is answered differently, so the signature is right; the invented task is not known to the handler. So it answers events about tasks that it has not seen yet with an error, and Svix retries them",
		"answer 2xx to events about tasks that you do not know"},
	"redirect": {Fail, propAccepts, "redirects",
		"Svix follows no redirect: all messages fail", "give the final address; often a slash at the end is missing, or https"},
	"auth": {Fail, propAccepts, "is behind a login",
		"messages are refused alike, signed or not, with 401 or 403: an authentication or CSRF check stands before the handler. (A handler that gives this answer, without a word, to everything it cannot verify looks the same: then its secret is another one.)",
		"exempt the route from it; the signature proves where a message comes from"},
	"crash": {Fail, propAccepts, "verifies the message, then crashes",
		"a valid message is answered 5xx and a forged one is rejected: the signature is right, and what comes after it fails",
		"look in the handler's log for this request"},
	"crash/always": {Fail, propAccepts, "answers everything with a server error",
		"valid and forged messages fail alike: the handler crashes, or does not catch the error of a failed verification. Which of them cannot be told from outside",
		"look in the handler's log for this request"},
	"crash/gone": {Fail, propAccepts, "went away during the check",
		"it had answered before, and then nothing was listening", "look in the handler's log for this request"},
	"rate": {Fail, propAnswers, "limits the rate",
		"a message was answered 429. Uploads come in bursts; what is refused is retried, and lost after 8 attempts",
		"exempt the webhook route from the limit"},
	"closes": {Fail, propAnswers, "closes a connection without an answer",
		"the connection was closed, and for the sender the message has failed", "look for a crash in the handler's log; if the server closes connections, it has to announce it (Connection: close)"},
	"cut": {Fail, propAnswers, "sends an incomplete answer",
		"the body of the answer breaks off, or does not end", "end the answer; its length has to be that of Content-Length"},
	"disables": {Fail, propAnswers, "asks Svix to disable the endpoint",
		"the answer to a valid message has the header webhook-delivery: disable", "leave that header out"},
	"webhook_headers": {Note, propAnswers, "answers with headers for Svix",
		"the answer has headers that Svix acts on: %s", "nothing has to be done if this is intended"},
	"slow": {Warn, propAnswers, "answers slowly",
		"the slowest answer took %s; Svix gives up after 15 s and sends the message again", "answer first, and do the work afterwards"},
	"serial": {Note, propAnswers, "answers one message at a time",
		"five at once take as long as five in turn (%s)", "let the server run more workers, or answer first and do the work afterwards"},
	"no_verification": {Danger, propForged, "accepts forged messages",
		"a message with a wrong signature, one that was altered, and one without a signature are accepted: anybody can send events",
		"verify the signature before anything else, and answer 400 to what fails"},
	"no_verification/says": {Danger, propForged, "answers 2xx to forged messages",
		"forged messages get 2xx with another text than valid ones: if the handler does reject them, its answer hides that, and a wrong secret would go unseen (Svix counts 2xx as delivered)",
		"answer 400 to what cannot be verified"},
	"no_verification/altered": {Danger, propForged, "accepts an altered body",
		"a message whose body was altered after signing is accepted", "verify the signature over the whole body"},
	"no_verification/bare": {Danger, propForged, "accepts a message without a signature",
		"a message without the headers svix-* is accepted, and one with a wrong signature is not", "refuse what has no signature"},
	"presence_only": {Danger, propForged, "only looks whether there is a signature",
		"a message with a wrong signature is accepted, and one without a signature is refused: anybody can send events",
		"verify the signature, and answer 400 to what fails"},
	"forged_5xx": {Warn, propForged, "answers forged messages with a server error",
		"the error of a failed verification is not caught (a closed connection counts as one)", "catch it, and answer 400"},
	"malformed_5xx": {Note, propForged, "answers a malformed signature with a server error",
		"the library raises another error for what is no signature at all; Svix never sends such", "catch all errors of the verification, and answer 400"},
	"no_tolerance": {Danger, propTime, "accepts an old signature",
		"a message that was signed 10 minutes ago is accepted: anybody who has recorded one can repeat it for ever",
		"refuse what svix-timestamp says is more than 5 minutes away, as the library does"},
	"no_future_tolerance": {Warn, propTime, "accepts a signature from the future",
		"a message whose timestamp is 10 minutes ahead is accepted", "compare svix-timestamp both ways, as the library does"},
	"poison": {Danger, propPoison, "remembers a message's id before it is verified",
		"a forged message was rejected; after that, messages with its id are taken for duplicates, a forged or a valid one: anybody can have messages ignored",
		"verify first, and remember the id afterwards"},
	"limit": {Note, propSize, "accepts bodies up to about %s",
		"larger ones are refused with %s. Svix sends up to 1 MiB; Aspect's events have about 0.6 KB", "raise the limit of this route to 1 MiB"},
	"not_idempotent": {Danger, propWork, "does the work of a message more than once",
		"the message %s was posted %d times, and its work was done %d times", "keep the svix-id in the same transaction as the work, and skip a known one"},
	"not_done": {Fail, propWork, "does not do the work of a message",
		"the message %s was answered 2xx, and after %s its work was not done", "look in the handler's log for this message"},
}

// Codes are the codes of all findings, without variants.
func Codes() (names []string) {
	for name := range codes {
		if !strings.Contains(name, "/") {
			names = append(names, name)
		}
	}
	return names
}

// find adds a finding with a code, or the variant of one, once. The words of some codes take
// arguments. Nothing is found in what was not answered.
func (c *checker) find(name string, evidence []answer, args ...any) *Finding {
	if c.stop != nil {
		return new(Finding)
	}
	e := codes[name]
	base, _, _ := strings.Cut(name, "/")
	f := &Finding{Code: base, Severity: e.severity, Property: e.property, Title: e.title, Meaning: e.meaning, URL: "docs/check.md#" + base}
	if strings.Contains(e.title, "%") {
		f.Title, args = fmt.Sprintf(e.title, args[0]), args[1:]
	}
	if strings.Contains(e.meaning, "%") {
		f.Meaning = fmt.Sprintf(e.meaning, args...)
	}
	f.Fix = e.fixed
	for _, a := range evidence {
		f.Evidence = append(f.Evidence, a.n)
		if f.Said == "" && !a.accepted {
			f.Said = c.words(a)
		}
	}
	if line := mending(base, c.answers); line != "" {
		f.Fix += ". " + line
	}
	for _, old := range c.report.Findings {
		if old.Code == base && old.Title == f.Title {
			old.Evidence = append(old.Evidence, f.Evidence...)
			return old
		}
	}
	c.report.Findings = append(c.report.Findings, f)
	return f
}
