package receiver

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"aspectop/model"
	"aspectop/sig"
)

// Svix's published test vectors.
var vectors = []struct{ secret, id, stamp, body, signature string }{
	{secretA, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
		`{"test": 2432232314}`, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
	{secretB, "msg_loFOjxBNrRLzqYUf", "1731705121",
		`{"event_type":"ping","data":{"success":true}}`, "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="},
}

func mustParse(t testing.TB, text string) []Secret {
	t.Helper()
	secrets, err := ParseSecrets(text)
	if err != nil {
		t.Fatal(err)
	}
	return secrets
}

func mustVerifier(t testing.TB, secrets ...Secret) *Verifier {
	t.Helper()
	v, err := NewVerifier(secrets)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// sealed is the headers of a rightly signed delivery.
func sealed(f sig.Family, s Secret, id string, at time.Time, body []byte) http.Header {
	return http.Header{f.ID: {id}, f.Stamp: {strconv.FormatInt(at.Unix(), 10)}, f.Signature: {s.Sign(id, at, body)}}
}

func TestPublishedVectorsVerifyUnderBothFamilies(t *testing.T) {
	for _, vec := range vectors {
		secrets := mustParse(t, vec.secret)
		seconds, err := strconv.ParseInt(vec.stamp, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Unix(seconds, 0)
		if got := secrets[0].Sign(vec.id, at, []byte(vec.body)); got != vec.signature {
			t.Errorf("Sign = %s, want %s", got, vec.signature)
		}
		for _, f := range sig.Families {
			h := http.Header{f.ID: {vec.id}, f.Stamp: {vec.stamp}, f.Signature: {vec.signature}}
			id, verdict := mustVerifier(t, secrets...).Verify(h, []byte(vec.body), at)
			want := model.Verdict{Reason: model.Verified, Secret: "default"}
			if id != vec.id || verdict != want {
				t.Errorf("%s: got %s, %+v, want %s, %+v", f.ID, id, verdict, vec.id, want)
			}
		}
	}
}

func TestVerdicts(t *testing.T) {
	ours, other := NewSecret("ours"), NewSecret("other")
	svix, white := sig.Families[0], sig.Families[1]
	body := []byte(`{"a":1}`)
	stamp := strconv.FormatInt(now.Unix(), 10)
	good := ours.Sign("msg_1", now, body)
	bad := other.Sign("msg_1", now, body)
	const noMatch = "no secret matches (body altered, or another endpoint's secret)"
	verified := model.Verdict{Reason: model.Verified, Secret: "ours"}
	missing := func(names string) model.Verdict {
		return model.Verdict{Reason: model.MissingHeaders, Detail: "missing headers: " + names}
	}
	malformed := func(detail string) model.Verdict {
		return model.Verdict{Reason: model.Malformed, Detail: "malformed: " + detail}
	}
	hinted := func(v model.Verdict, hint string) model.Verdict { v.Hint = hint; return v }
	late := func(skew int64, reason model.Reason, detail string) model.Verdict {
		return model.Verdict{Reason: reason, Detail: detail, SkewSeconds: skew, ToleranceSeconds: 300}
	}
	badStamp := func(quoted string) model.Verdict {
		return malformed("svix-timestamp is not a time in whole seconds: " + quoted)
	}

	for _, c := range []struct {
		name   string
		header http.Header
		id     string
		want   model.Verdict
	}{
		{"svix family", sealed(svix, ours, "msg_1", now, body), "msg_1", verified},
		{"webhook family", sealed(white, ours, "msg_1", now, body), "msg_1", verified},
		{"webhook family beside an incomplete svix family",
			with(sealed(white, ours, "msg_1", now, body), svix.ID, "msg_2", svix.Signature, good), "msg_1", verified},
		{"svix family with an empty value beside the webhook family",
			with(sealed(white, ours, "msg_1", now, body), svix.ID, "msg_2", svix.Stamp, stamp, svix.Signature, ""), "msg_1", verified},
		{"the complete svix family decides, right or wrong",
			with(sealed(white, ours, "msg_1", now, body), svix.ID, "msg_1", svix.Stamp, stamp, svix.Signature, bad), "msg_1",
			model.Verdict{Reason: model.NoMatch, Detail: noMatch}},

		{"nothing", http.Header{}, "", missing("svix-id, svix-timestamp, svix-signature")},
		{"no stamp", with(http.Header{}, svix.ID, "msg_1", svix.Signature, good), "msg_1", missing("svix-timestamp")},
		{"no webhook-id", with(http.Header{}, white.Stamp, stamp, white.Signature, good), "", missing("webhook-id")},
		{"only a webhook-id", with(http.Header{}, white.ID, "msg_1"), "msg_1", missing("webhook-timestamp, webhook-signature")},
		{"families are not mixed", with(http.Header{}, svix.ID, "msg_1", white.Stamp, stamp, white.Signature, good), "msg_1",
			missing("webhook-id (svix-* and webhook-* headers are not mixed)")},

		{"first value counts, right", with(sealed(svix, ours, "msg_1", now, body), svix.Signature, bad, svix.ID, "msg_2", svix.Stamp, "0"),
			"msg_1", verified},
		{"signatures in two lines are one list", with(http.Header{}, svix.ID, "msg_1", svix.Stamp, stamp, svix.Signature, bad, svix.Signature, good),
			"msg_1", verified},
		{"the other way round", with(http.Header{}, svix.ID, "msg_1", svix.Stamp, stamp, svix.Signature, good, svix.Signature, bad),
			"msg_1", verified},
		{"two lines that a proxy joined", with(http.Header{}, svix.ID, "msg_1", svix.Stamp, stamp, svix.Signature, good+", "+bad), "msg_1", verified},
		{"two lines, both wrong", with(http.Header{}, svix.ID, "msg_1", svix.Stamp, stamp, svix.Signature, bad, svix.Signature, bad), "msg_1",
			model.Verdict{Reason: model.NoMatch, Detail: noMatch}},

		{"rotation: ours second", with(http.Header{}, svix.ID, "msg_1", svix.Stamp, stamp, svix.Signature, bad+" "+good), "msg_1", verified},
		{"other versions are skipped", with(http.Header{}, svix.ID, "msg_1", svix.Stamp, stamp, svix.Signature, "v1a,AAAA v2, "+good), "msg_1", verified},
		{"only other versions", with(http.Header{}, svix.ID, "msg_1", svix.Stamp, stamp, svix.Signature, "v1a,AAAA v2,BBBB"), "msg_1",
			hinted(malformed(`svix-signature has no v1, entry: "v1a,AAAA v2,BBBB"`),
				"suspected: the endpoint signs with an asymmetric key (v1a); use one whose secret begins with whsec_")},
		{"no version", with(http.Header{}, svix.ID, "msg_1", svix.Stamp, stamp, svix.Signature, strings.TrimPrefix(good, "v1,")), "msg_1",
			malformed(`svix-signature has no v1, entry: "` + strings.TrimPrefix(good, "v1,") + `"`)},
		{"long garbage is cut", with(http.Header{}, svix.ID, "msg_1", svix.Stamp, stamp, svix.Signature, strings.Repeat("\x1b", 99)), "msg_1",
			malformed(`svix-signature has no v1, entry: "` + strings.Repeat(`\x1b`, 80) + `"…`)},
		{"another id than was signed", sealedAs(svix, "msg_2", good, stamp), "msg_2",
			model.Verdict{Reason: model.NoMatch, Detail: noMatch}},
		{"another stamp than was signed", sealedAs(svix, "msg_1", good, strconv.FormatInt(now.Unix()-1, 10)), "msg_1",
			model.Verdict{Reason: model.NoMatch, Detail: noMatch}},

		{"stamp with a sign", sealedAs(svix, "msg_1", good, "+"+stamp), "msg_1", badStamp(`"+` + stamp + `"`)},
		{"stamp with a zero before it", sealedAs(svix, "msg_1", good, "0"+stamp), "msg_1", badStamp(`"0` + stamp + `"`)},
		{"negative stamp", sealedAs(svix, "msg_1", good, "-1"), "msg_1", badStamp(`"-1"`)},
		{"stamp with a fraction", sealedAs(svix, "msg_1", good, "1.5"), "msg_1", badStamp(`"1.5"`)},
		{"stamp in words", sealedAs(svix, "msg_1", good, "now"), "msg_1", badStamp(`"now"`)},
		{"stamp in milliseconds", sealedAs(svix, "msg_1", good, stamp+"000"), "msg_1", badStamp(`"` + stamp + `000"`)},
		{"stamp beyond 64 bits", sealedAs(svix, "msg_1", good, "99999999999999999999"), "msg_1", badStamp(`"99999999999999999999"`)},

		{"five minutes old", sealed(svix, ours, "msg_1", now.Add(-5*time.Minute), body), "msg_1", verified},
		{"one second older", sealed(svix, ours, "msg_1", now.Add(-5*time.Minute-time.Second), body), "msg_1",
			late(301, model.TooOld, "too old by 1s (signed 5m1s ago, 5m allowed)")},
		{"long ago", sealed(svix, ours, "msg_1", now.Add(-72*time.Hour-5*time.Minute), body), "msg_1",
			late(259500, model.TooOld, "too old by 3 days (signed 3 days ago, 5m allowed)")},
		{"the epoch", sealed(svix, ours, "msg_1", time.Unix(0, 0), body), "msg_1",
			late(now.Unix(), model.TooOld, "too old by 20780 days (signed 20780 days ago, 5m allowed)")},
		{"five minutes ahead", sealed(svix, ours, "msg_1", now.Add(5*time.Minute), body), "msg_1", verified},
		{"one second further ahead", sealed(svix, ours, "msg_1", now.Add(5*time.Minute+time.Second), body), "msg_1",
			late(-301, model.TooNew, "too new by 1s (signed 5m1s ahead of this clock, 5m allowed; clock skew?)")},
		{"the year 9999", sealed(svix, ours, "msg_1", time.Unix(lastSecond, 0), body), "msg_1",
			late(now.Unix()-lastSecond, model.TooNew, "too new by 106751 days (signed 106751 days ahead of this clock, 5m allowed; clock skew?)")},
		{"old and wrongly signed is told as wrongly signed", sealed(svix, other, "msg_1", now.Add(-time.Hour), body), "msg_1",
			model.Verdict{Reason: model.NoMatch, Detail: noMatch}},
	} {
		t.Run(c.name, func(t *testing.T) {
			id, verdict := mustVerifier(t, ours).Verify(c.header, body, now)
			if id != c.id || verdict != c.want {
				t.Errorf("got %q, %+v\nwant %q, %+v", id, verdict, c.id, c.want)
			}
		})
	}
}

// with adds pairs of name and value.
func with(h http.Header, pairs ...string) http.Header {
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func sealedAs(f sig.Family, id, signature, stamp string) http.Header {
	return http.Header{f.ID: {id}, f.Stamp: {stamp}, f.Signature: {signature}}
}

func TestToleranceCountsFractionsOfASecond(t *testing.T) {
	secret, body := NewSecret("a"), []byte("x")
	h := sealed(sig.Families[0], secret, "msg_1", now, body)
	_, verdict := mustVerifier(t, secret).Verify(h, body, now.Add(5*time.Minute+time.Millisecond))
	if verdict.Detail != "too old by 1s (signed 5m1s ago, 5m allowed)" {
		t.Errorf("got %+v", verdict)
	}
}

func TestVerdictNamesTheSecretThatMatches(t *testing.T) {
	older, newer, stranger := NewSecret("older"), NewSecret("newer"), NewSecret("stranger")
	v := mustVerifier(t, older, newer)
	body := []byte(`{}`)
	for _, c := range []struct {
		signers []Secret
		want    string
	}{
		{[]Secret{older}, "older"},
		{[]Secret{newer}, "newer"},
		{[]Secret{stranger, newer}, "newer"}, // as Svix signs while a secret is rotated
		{[]Secret{newer, older}, "older"},    // the first of ours, not of the header
		{[]Secret{stranger}, ""},
	} {
		var entries []string
		for _, s := range c.signers {
			entries = append(entries, s.Sign("msg_1", now, body))
		}
		h := sealedAs(sig.Families[0], "msg_1", strings.Join(entries, " "), strconv.FormatInt(now.Unix(), 10))
		if _, verdict := v.Verify(h, body, now); verdict.Secret != c.want || verdict.OK() != (c.want != "") {
			t.Errorf("signed by %v: got %+v, want secret %q", c.signers, verdict, c.want)
		}
	}
}

func TestVerifierNeedsUsableSecrets(t *testing.T) {
	for _, secrets := range [][]Secret{nil, {{Name: "zero"}}, {NewSecret("a"), {}}} {
		if _, err := NewVerifier(secrets); err == nil {
			t.Errorf("%d secrets: no error", len(secrets))
		}
	}
}

func TestHints(t *testing.T) {
	secret := NewSecret("a")
	const indented = "{\n  \"a\": [1, 2],\n  \"b\": \"x, y: \\\"z\\\"\"\n}"
	const pythonic = `{"a": [1, 2], "b": "x, y: \"z\""}`
	var tight bytes.Buffer
	if err := json.Compact(&tight, []byte(pythonic)); err != nil {
		t.Fatal(err)
	}
	// What tools do: jq -c, Python's json.dumps, JSON.stringify and sorted keys.
	const envelope = `{"timestamp":"2026-11-23T12:00:00Z","user_id":"u","event_id":"e","event_type":"task.failed",` +
		`"data":{"task":{"id":"t","features":{"proxy":{"state":"na"},"preview":{"state":"failed"}},"name":"Zo\u00eb \ud83d\ude00"}}}`
	const sorted = `{"data": {"task": {"features": {"preview": {"state": "failed"}, "proxy": {"state": "na"}}, "id": "t", "name": "Zoë 😀"}},` +
		` "event_id": "e", "event_type": "task.failed", "timestamp": "2026-11-23T12:00:00Z", "user_id": "u"}`
	var deflated bytes.Buffer
	z := gzip.NewWriter(&deflated)
	_, _ = z.Write([]byte(envelope))
	_ = z.Close()
	for _, c := range []struct{ name, signed, arrived, evidence, hint string }{
		{"newline added", `{"a":1}`, "{\"a\":1}\n", "without_newline", "trimming a trailing newline"},
		{"CRLF added", `{"a":1}`, "{\"a\":1}\r\n", "without_newline", "trimming a trailing newline"},
		{"newline trimmed", "{\"a\":1}\n", `{"a":1}`, "with_newline", "with a trailing newline"},
		{"LF became CRLF", indented, strings.ReplaceAll(indented, "\n", "\r\n"), "lf", "with LF line ends"},
		{"CRLF became LF", strings.ReplaceAll(indented, "\n", "\r\n"), indented, "crlf", "with CRLF line ends"},
		{"indented on the way", tight.String(), indented, "compact_json", "as compact JSON: the body was re-serialised"},
		{"compacted on the way", pythonic, tight.String(), "spaced_json", "with spaces after ',' and ':': the body was re-serialised"},
		{"escapes written", `{"a":"ë😀/"}`, `{"a":"\u00eb\uD83D\uDE00\/"}`, "compact_json+unescaped_json", `without \u escapes: the body was re-serialised`},
		{"escapes resolved", `{"a": "\u00eb\ud83d\ude00"}`, `{"a":"ë😀"}`, "spaced_json+escaped_json",
			`it matches as JSON with spaces after ',' and ':', with \u escapes for what is not ASCII: the body was re-serialised`},
		{"escapes of what must be escaped stay", `{"a":"\u0000\"\\\u00eb"}`, `{"a":"\u0000\"\\ë"}`, "compact_json+escaped_json", "with"},
		{"keys sorted, escapes resolved, spaces put in", envelope, sorted, "compact_json+escaped_json+provider_order", "with the provider's key order"},
		{"features as in the provider's example", `{"event_type":"x","data":{"task":{"id":"t","features":{"visual":1,"proxy":2}}}}`,
			`{"data":{"task":{"features":{"proxy":2,"visual":1},"id":"t"}},"event_type":"x"}`, "compact_json+provider_order", "key order"},
		{"compressed on the way", envelope, deflated.String(), "gzip_inflated", "after inflating"},
		{"altered", `{"a":1.5}`, `{"a":2.5}`, "", ""},
		{"no JSON", "a, b", "c, d", "", ""},
		{"replaced bytes", "{\"a\":\"\xe4\"}", "{\"a\":\"\uFFFD\"}", "", "suspected: something on the way took the body for text"},
		{"numbers made whole", `{"event_type":"x","a":1.0}`, `{"event_type":"x","a":1}`, "", "suspected: something on the way rewrote numbers"},
		{"sorted, and something else", `{"event_type":1,"a":3.5}`, `{"a":3.50,"event_type":1}`, "", "suspected: something on the way sorted"},
		{"whole numbers of somebody else", `{"a":1.0}`, `{"a":1}`, "", ""},
		{"64 KiB", strings.Repeat("x", maxHinted-1), strings.Repeat("x", maxHinted-1) + "\n", "without_newline", "trimming a trailing newline"},
		{"more than 64 KiB", strings.Repeat("x", maxHinted), strings.Repeat("x", maxHinted) + "\n", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := sealed(sig.Families[1], secret, "msg_1", now, []byte(c.signed))
			_, verdict := mustVerifier(t, NewSecret("b"), secret).Verify(h, []byte(c.arrived), now)
			if verdict.Reason != model.NoMatch || verdict.Evidence != c.evidence {
				t.Fatalf("got %+v, want evidence %q", verdict, c.evidence)
			}
			if c.hint == "" && verdict.Hint != "" || !strings.Contains(verdict.Hint, c.hint) {
				t.Errorf("hint %q, want %q", verdict.Hint, c.hint)
			}
		})
	}
}

func TestABodyThatInflatesBeyondTheLimitIsNoEvidence(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, MaxBody+1))
	_ = z.Close()
	if got := inflate(bomb.Bytes()); got != nil {
		t.Errorf("inflated to %d bytes", len(got))
	}
}

func TestSmeeIsSuspectedByItsHeaders(t *testing.T) {
	secret := NewSecret("a")
	h := sealed(sig.Families[0], secret, "msg_1", now, []byte(`{"a":1.0}`))
	for name, value := range map[string]string{"Timestamp": "1764324000000", "Accept-Language": "*", "Sec-Fetch-Mode": "cors"} {
		h.Set(name, value)
	}
	_, verdict := mustVerifier(t, secret).Verify(h, []byte(`{"a":1}`), now)
	if verdict.Evidence != "" || !strings.HasPrefix(verdict.Hint, "suspected: smee-client") {
		t.Errorf("got %+v", verdict)
	}
}

func TestAServerGivesHintsTenTimesASecond(t *testing.T) {
	r := newRig(t)
	v, secret := r.verifier, r.secret
	h := sealed(sig.Families[0], secret, "msg_1", now, []byte("x"))
	hints := func(at time.Time) (n int) {
		for range 25 {
			if _, verdict := v.Verify(h, []byte("x\n"), at); verdict.Hint != "" {
				n++
			}
		}
		return n
	}
	if n := hints(now); n != hintsPerSecond {
		t.Errorf("%d hints in one second, want %d", n, hintsPerSecond)
	}
	if n := hints(now.Add(time.Second)); n != hintsPerSecond {
		t.Errorf("%d hints in the next second, want %d", n, hintsPerSecond)
	}
}
