package words

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"aspectop/model"
)

// Arrival is a delivery without its event.
type Arrival struct {
	Attempt int
	Differs bool
	Damage  string
	Effect  *model.Effect // nil until what came before has been read
}

// Event is what a delivery meant when it arrived.
type Event struct {
	Verdict Segment // verified, duplicate, or its source
	Type    Segment
	Marks   []string              // what is unusual about it
	Changes []model.FeatureChange // of its task, failures first
	Text    Segment               // in place of changes
}

// EventOf takes the event; a repeat has that of its message's first delivery.
func EventOf(e *model.Event, a Arrival) Event {
	out := Event{Verdict: Segment{model.RoleGood, "verified"}, Type: Segment{kindRole(e.Kind), e.Type}}
	dim := func(text string) { out.Text = Segment{model.RoleDim, text} }
	if e.Source != model.SourceWebhook {
		out.Verdict = Segment{model.RolePlain, string(e.Source)}
	}
	if a.Damage != "" {
		out.Marks = append(out.Marks, "damaged: "+a.Damage)
	}
	switch {
	case e.Message != e.Seq:
		out.Verdict, out.Type.Role = Segment{model.RoleWarn, "duplicate"}, model.RoleDim
		out.Text = Repeat(a.Attempt, e.Message, a.Differs)
	case e.Kind == model.Ping && e.Source == model.SourceWebhook:
		dim("test message; the signature is valid")
	case e.Kind == model.Unrecognised && e.Source == model.SourceWebhook:
		dim("verified, but not an Aspect event")
	case e.Kind == model.Ping, e.Kind == model.Unrecognised:
		dim("not an Aspect event")
	case e.Kind == model.Gone:
		dim("Aspect no longer knows this task")
	case e.Task == nil:
		dim("not about a task")
	case a.Effect == nil:
		dim(features(e.Task.Features))
	case a.Effect.Late:
		out.Marks = append(out.Marks, "late")
		if dim("older than what was known"); len(e.Task.Features) > 0 {
			dim("older state: " + features(e.Task.Features))
		}
	case len(a.Effect.Changes) > 0:
		out.Changes = failuresFirst(a.Effect.Changes)
	case len(e.Task.Features) == 0:
		dim("no features")
	default:
		dim("no change")
	}
	return out
}

// Repeat says of which message a delivery is a repeat, and whether it is another one.
func Repeat(attempt int, message int64, differs bool) Segment {
	s := Segment{model.RoleDim, fmt.Sprintf("arrival %d of #%d", attempt, message)}
	if differs {
		s = Segment{model.RoleWarn, s.Text + "; its body differs, and the first one counts"}
	}
	return s
}

func kindRole(k model.Kind) model.Role {
	switch k {
	case model.Done:
		return model.RoleGood
	case model.Failure:
		return model.RoleBad
	case model.Gone:
		return model.RoleWarn
	case model.Progress:
		return model.RolePlain
	}
	return model.RoleDim
}

func failuresFirst(changes []model.FeatureChange) []model.FeatureChange {
	failed := func(c model.FeatureChange) bool { return c.To == model.Failed }
	if !slices.ContainsFunc(changes, failed) {
		return changes
	}
	first := slices.DeleteFunc(slices.Clone(changes), func(c model.FeatureChange) bool { return !failed(c) })
	return append(first, slices.DeleteFunc(slices.Clone(changes), failed)...)
}

// Change is a feature with the state it was in, "" if it is new, and that it is in.
func Change(c *model.FeatureChange) (name, from string, to Segment) {
	to = Segment{c.To.Info().Role, Name(c.To.Word())}
	if c.To == "" {
		to.Role = model.RoleDim
		if c.From != "" {
			to.Text = "gone"
		}
	}
	return Name(c.Feature), Name(string(c.From)), to
}

// most is how many features or changes a sentence lists.
const most = 12

// Changes lists changes in a sentence.
func Changes(changes []model.FeatureChange) string {
	words := make([]string, len(changes))
	for i := range changes {
		name, from, to := Change(&changes[i])
		switch {
		case from == "":
			words[i] = name + " " + to.Text
		case changes[i].To == "":
			words[i] = name + " " + to.Text + " (was " + from + ")"
		default:
			words[i] = name + " from " + from + " to " + to.Text
		}
	}
	return list(words)
}

func features(all []model.Feature) string {
	words := make([]string, len(all))
	for i, f := range all {
		words[i] = Name(f.Name) + " " + Name(f.State.Word())
	}
	return list(words)
}

func list(words []string) string {
	if more := len(words) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), more)
	}
	return strings.Join(words, ", ")
}

// Source says by which way a delivery came in, and which secret verified it.
func Source(s model.Source, secret string) string {
	switch {
	case s == model.SourceAPI:
		return "read from Aspect's API"
	case s == model.SourceSSE:
		return "from the event stream"
	case secret == "":
		return "verified"
	}
	return "verified (secret " + Name(secret) + ")"
}

// Unsigned counts what came without a signature, in a list; "" for nothing.
func Unsigned(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d unsigned, ", n)
}

// Outcome says how a message ended its task: which features failed, or how long after
// its creation.
func Outcome(e *model.Effect, created time.Time) string {
	var failed []string
	for _, f := range e.Features {
		if f.State == model.Failed {
			failed = append(failed, Name(f.Name))
		}
	}
	switch {
	case e.After == model.Failed && len(failed) > 0:
		return "failed: " + list(failed)
	case e.After == model.Failed, created.IsZero(), !e.Updated.After(created):
		return string(e.After)
	}
	return string(e.After) + " after " + Span(e.Updated.Sub(created))
}

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
