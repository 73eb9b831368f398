package words

import (
	"strings"

	"aspectop/model"
)

// Rejected says why a request was rejected, and what would mend it. In private it leaves out
// what was in the request.
func Rejected(r *model.Rejected, private bool) (s Segments) {
	s.add(model.RoleBad, "%s", RejectedFor(r, private))
	if r.Path != "" && !private {
		s.add(model.RoleBad, " (%s %s)", r.Method, r.Path)
	}
	if r.Verdict.Hint != "" {
		s.add(model.RoleWarn, "; %s", r.Verdict.Hint)
	}
	return s
}

// RejectedFor is the reason alone. In private it quotes neither a header nor a path.
func RejectedFor(r *model.Rejected, private bool) string {
	detail := r.Verdict.Detail
	if private {
		detail, _, _ = strings.Cut(detail, `: "`)
		detail, _, _ = strings.Cut(detail, ": this receiver's is ")
	}
	return detail
}
