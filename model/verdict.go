package model

// Reason is the machine-readable part of a [Verdict]: the value of "reason" in
// a rejected line.
type Reason string

const (
	Verified       Reason = "verified"
	MissingHeaders Reason = "missing_headers"
	Malformed      Reason = "malformed"
	NoMatch        Reason = "no_match"
	TooOld         Reason = "too_old"
	TooNew         Reason = "too_new"
	TooLarge       Reason = "too_large"
)

// Verdict is what the receiver found out about one request's signature.
type Verdict struct {
	Reason Reason
	Secret string // name of the secret that matched, only when Verified
	// Detail says in words what was found, such as "too old by 7m12s". It may
	// quote the request, so it must be cleaned before it reaches a terminal.
	Detail string
	// Hint says what would mend it, "" when there is no cheap guess.
	Hint string
}

// OK reports whether the request may be kept.
func (v Verdict) OK() bool { return v.Reason == Verified }

// String is the verdict as one sentence without a full stop.
func (v Verdict) String() string {
	switch {
	case v.OK():
		return "verified (secret " + v.Secret + ")"
	case v.Hint != "":
		return v.Detail + "; " + v.Hint
	default:
		return v.Detail
	}
}
