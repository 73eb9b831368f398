package receiver

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"aspectop/model"
	"aspectop/sig"
)

// FuzzVerify checks that no headers and body make Verify panic, and that it
// never verifies what a second, independent check refuses.
func FuzzVerify(f *testing.F) {
	secrets := mustParse(f, secretA+" "+secretB)
	for _, vec := range vectors {
		f.Add(vec.id, vec.stamp, vec.signature, "", "", "", []byte(vec.body), int64(1614265330))
		f.Add("", "", "", vec.id, vec.stamp, vec.signature, []byte(vec.body), int64(1731705121))
		f.Add(vec.id, "+"+vec.stamp, vec.signature+" v1,", vec.id, vec.stamp, vec.signature, []byte(vec.body), int64(1731705121))
	}
	v := mustVerifier(f, secrets...)
	f.Fuzz(func(t *testing.T, id, stamp, signature, id2, stamp2, signature2 string, body []byte, seconds int64) {
		h := http.Header{"Svix-Id": {id}, "Svix-Timestamp": {stamp}, "Svix-Signature": {signature},
			"Webhook-Id": {id2}, "Webhook-Timestamp": {stamp2}, "Webhook-Signature": {signature2}}
		got, verdict := v.Verify(h, body, time.Unix(seconds, 0))
		if !verdict.OK() {
			if verdict.Secret != "" || verdict.Detail == "" {
				t.Errorf("a refusal must have a detail and no secret: %+v", verdict)
			}
			return
		}
		if id == "" || stamp == "" || signature == "" {
			id, stamp, signature = id2, stamp2, signature2
		}
		if got != id || !genuine(id, stamp, signature, body, seconds) {
			t.Errorf("verified %q %q %q at %d", id, stamp, signature, seconds)
		}
	})
}

// genuine is Svix's scheme written down a second time, over the stamp as sent.
func genuine(id, stamp, signature string, body []byte, now int64) bool {
	sent, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || sent < now-300 || sent > now+300 {
		return false
	}
	for _, secret := range []string{secretA, secretB} {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil {
			panic(err)
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + stamp + "."))
		mac.Write(body)
		want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		for entry := range strings.SplitSeq(signature, " ") {
			if entry == want || strings.HasPrefix(entry, want+",") {
				return true
			}
		}
	}
	return false
}

// FuzzParseSecrets checks that an error is made of fixed words and positions
// only, so that it cannot quote any part of a secret.
func FuzzParseSecrets(f *testing.F) {
	for _, text := range []string{"", secretA, "a=" + secretA + ", b=" + secretB, "whsk_x", "==", `"x"`, "a=b", "x-_", "whsec_%s", "%!d(x)", "# a", "v1,x", "Bearer x", "\ufeffwhsec", "whse\u0441_x", "a\x00"} {
		f.Add(text)
	}
	reasons := []string{
		"has no usable name before its '=': names are 1 to 31 letters, digits, '.', '_' or '-' (separate two secrets by a space or a comma)",
		"is the private key of asymmetric signatures (whsk_…), which belongs to the sender: use the endpoint's symmetric secret, whsec_…",
		"is a public key of asymmetric signatures (whpk_…), which aspectop does not verify: use the endpoint's symmetric secret, whsec_…",
		"is empty after whsec_", "is empty", "is not base64",
		"is not base64, and shorter than any secret: take away what is not a secret",
		"is not base64: it has a character in it that base64 does not have",
		"is an API key (sk_…): put it into ASPECT_API_KEY, and the endpoint's secret, whsec_…, here",
		"is a comment: leave nothing but the secrets",
		"is a part of an Authorization header (Bearer …): give the secret alone",
		"begins with whsec, but without the '_' after it",
		"is not base64: it has a Cyrillic letter, which may look like a Latin one, in it; copy it again",
		"is not base64: it has a Greek letter, which may look like a Latin one, in it; copy it again",
		"is not base64: it has a full-width character in it; copy it again",
		"is not base64: it has a character that is not ASCII in it; copy it again",
		"is not base64: it has a byte that is not UTF-8 in it; copy it again",
		"is not base64: take the quotation marks away",
		"is not base64: it continues after a '=' (a name needs the prefix after it: name=whsec_…)",
		"is not base64: its length is not a multiple of four, so some of it is missing",
		"looks like base64url ('-' or '_' in it); Svix secrets are standard base64 ('+' and '/')",
	}
	for i, r := range reasons {
		reasons[i] = regexp.QuoteMeta(r)
	}
	fixed := regexp.MustCompile(`^(no secret given: a Svix secret looks like whsec_…` +
		`|the text is encoded as UTF-16, as PowerShell's > writes it: save it as UTF-8` +
		`|secrets \d+ and \d+ of \d+ have the same name: give each a name of its own` +
		`|secret \d+ of \d+ (` + strings.Join(reasons, "|") + `))$`)
	f.Fuzz(func(t *testing.T, text string) {
		secrets, err := ParseSecrets(text)
		if err != nil {
			if !fixed.MatchString(err.Error()) {
				t.Errorf("an error with other words: %q", err)
			}
			return
		}
		body := []byte("body")
		for _, s := range secrets {
			h := sealed(sig.Families[0], s, "msg_1", now, body)
			if _, verdict := mustVerifier(t, s).Verify(h, body, now); verdict != (model.Verdict{Reason: model.Verified, Secret: s.Name}) {
				t.Errorf("a parsed secret does not verify what it signed: %+v", verdict)
			}
		}
	})
}
