package receiver

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/sig"
)

// lastSecond is the end of the year 9999. Larger stamps would overflow when times are
// subtracted.
const lastSecond = 253402300799

// Verifier checks signatures by one or more secrets. It may be used by any number of
// goroutines.
type Verifier struct {
	secrets atomic.Pointer[[]Secret]
	hints   limiter // of evidence that is looked for; no limit unless a Server sets one
}

// NewVerifier returns a Verifier that accepts what any of the secrets has signed.
// There must be at least one, each from [ParseSecrets] or [NewSecret].
func NewVerifier(secrets []Secret) (*Verifier, error) {
	if len(secrets) == 0 {
		return nil, errors.New("no secret to verify by")
	}
	for i, s := range secrets {
		if s.key == nil {
			return nil, fmt.Errorf("secret %d of %d is empty", i+1, len(secrets))
		}
	}
	v := new(Verifier)
	v.trust(secrets...)
	return v, nil
}

// trust adds secrets. Calls must not overlap.
func (v *Verifier) trust(more ...Secret) {
	var all []Secret
	if known := v.secrets.Load(); known != nil {
		all = *known
	}
	all = slices.Concat(all, more)
	v.secrets.Store(&all)
}

// Verify checks a delivery by its headers, under their canonical names, and its raw
// body. The id is as claimed; only a verdict that is OK proves it. Of an id or a stamp with
// several values, the first counts; several signatures are one list.
//
// The signature is checked before the time, so that only genuine deliveries are called
// too old or too new.
func (v *Verifier) Verify(h http.Header, body []byte, now time.Time) (id string, verdict model.Verdict) {
	f, detail := complete(h)
	if detail != "" {
		return claimedID(h), model.Verdict{Reason: model.MissingHeaders, Detail: detail}
	}
	id = h.Get(f.ID)
	judged := oneList(f, f.Only(h))
	stamp, detail := parseStamp(f, h.Get(f.Stamp))
	hint := ""
	if detail == "" {
		detail, hint = unsigned(f, judged.Get(f.Signature))
	}
	if detail != "" {
		return id, model.Verdict{Reason: model.Malformed, Detail: detail, Hint: hint}
	}

	name, ok := v.match(judged, body)
	if !ok {
		verdict = model.Verdict{Reason: model.NoMatch, Detail: "no secret matches (body altered, or another endpoint's secret)"}
		verdict.Evidence, verdict.Hint = v.evidence(h, judged, body, now)
		return id, verdict
	}
	switch age, ahead := now.Sub(stamp), stamp.Sub(now); {
	case age > sig.Tolerance:
		verdict = model.Verdict{Reason: model.TooOld, Detail: fmt.Sprintf(
			"too old by %s (signed %s ago, %s allowed)", inWords(age-sig.Tolerance), inWords(age), inWords(sig.Tolerance))}
	case ahead > sig.Tolerance:
		verdict = model.Verdict{Reason: model.TooNew, Detail: fmt.Sprintf(
			"too new by %s (signed %s ahead of this clock, %s allowed; clock skew?)",
			inWords(ahead-sig.Tolerance), inWords(ahead), inWords(sig.Tolerance))}
	}
	if verdict.Reason != "" {
		verdict.SkewSeconds, verdict.ToleranceSeconds = now.Unix()-stamp.Unix(), int64(sig.Tolerance/time.Second)
		return id, verdict
	}
	return id, model.Verdict{Reason: model.Verified, Secret: name}
}

// match returns the name of the first secret that signed the body.
func (v *Verifier) match(judged http.Header, body []byte) (name string, ok bool) {
	for _, s := range *v.secrets.Load() {
		if s.key.hook.VerifyIgnoringTimestamp(body, judged) == nil {
			return s.Name, true
		}
	}
	return "", false
}

// oneList puts the signatures of a family into one value, as the library reads only the
// first. Proxies that join header lines put commas between them.
func oneList(f sig.Family, h http.Header) http.Header {
	lines := h[f.Signature]
	if len(lines) == 1 && !strings.Contains(lines[0], ", ") {
		return h
	}
	return http.Header{f.ID: h[f.ID], f.Stamp: h[f.Stamp],
		f.Signature: {strings.ReplaceAll(strings.Join(lines, " "), ", ", " ")}}
}

// complete returns the first family of which h has all headers, or what is missing.
func complete(h http.Header) (f sig.Family, detail string) {
	var least []string // missing of the family that is nearest to complete
	partial := 0       // families of which something is there
	for _, f := range sig.Families {
		missing := f.Missing(h)
		if len(missing) == 0 {
			return f, ""
		}
		if len(missing) < 3 {
			partial++
		}
		if least == nil || len(missing) < len(least) {
			least = missing
		}
	}
	detail = "missing headers: " + strings.Join(least, ", ")
	if partial > 1 {
		detail += " (svix-* and webhook-* headers are not mixed)"
	}
	return sig.Family{}, detail
}

func claimedID(h http.Header) string {
	for _, f := range sig.Families {
		if id := h.Get(f.ID); id != "" {
			return id
		}
	}
	return ""
}

// parseStamp accepts digits only, without leading zeros: the library formats the number
// again before it checks the signature, so "+1700000000" would pass with the signature
// of "1700000000".
func parseStamp(f sig.Family, text string) (stamp time.Time, detail string) {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || seconds > lastSecond || strconv.FormatInt(seconds, 10) != text {
		return time.Time{}, fmt.Sprintf("malformed: %s is not a time in whole seconds: %s",
			strings.ToLower(f.Stamp), clean.Quoted(text))
	}
	return time.Unix(seconds, 0), ""
}

// unsigned returns what is wrong if no signature is of version v1, or "", and what may be
// behind it.
func unsigned(f sig.Family, signatures string) (detail, hint string) {
	for entry := range strings.SplitSeq(signatures, " ") {
		if strings.HasPrefix(entry, "v1,") {
			return "", ""
		}
		if strings.HasPrefix(entry, "v1a,") {
			hint = "suspected: the endpoint signs with an asymmetric key (v1a); use one whose secret begins with whsec_"
		}
	}
	return fmt.Sprintf("malformed: %s has no v1, entry: %s", strings.ToLower(f.Signature), clean.Quoted(signatures)), hint
}

// inWords formats a positive d, rounded up to whole seconds so that it never reads
// 0s, and in days if it is long.
func inWords(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	text := (d + time.Second - 1).Truncate(time.Second).String()
	if strings.HasSuffix(text, "m0s") && d >= time.Minute {
		text = strings.TrimSuffix(text, "0s")
	}
	return text
}
