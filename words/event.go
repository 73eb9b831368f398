package words

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"aspectop/model"
)

// Arrival is what is to be known of a delivery beside its event.
type Arrival struct {
	Attempt int
	Differs bool
	Damage  string
	// Effect is nil as long as what came before has not been read.
	Effect *model.Effect
}

// Event says what a delivery meant when it arrived.
type Event struct {
	Verdict Segment // in a word: verified, duplicate, or its source
	Type    Segment
	Marks   []string       // what is unusual about it
	Changes []model.Change // of its task, failures first
	Text    Segment        // in place of changes
}

// EventOf needs the event, which of a repeat is that of the message's first delivery.
func EventOf(e *model.Event, a Arrival) Event {
	told := Event{Verdict: Segment{model.RoleGood, "verified"}, Type: Segment{kindRole(e.Kind), e.Type}}
	say := func(format string, a ...any) { told.Text = Segment{model.RoleDim, fmt.Sprintf(format, a...)} }
	if e.Source != model.SourceWebhook {
		told.Verdict.Text = string(e.Source)
	}
	if a.Damage != "" {
		told.Marks = append(told.Marks, "damaged: "+a.Damage)
	}
	switch {
	case e.Message != e.Seq:
		told.Verdict, told.Type.Role = Segment{model.RoleWarn, "duplicate"}, model.RoleDim
		told.Text = Repeat(a.Attempt, e.Message, a.Differs)
	case e.Kind == model.Ping:
		say("test message; the signature is valid")
	case e.Kind == model.Unrecognised:
		say("verified, but not an Aspect event")
	case e.Kind == model.Gone:
		say("Aspect no longer has this task")
	case e.Task == nil:
		say("not about a task")
	case a.Effect == nil:
		say("%s", features(e.Task.Features))
	case a.Effect.Late:
		told.Marks = append(told.Marks, "late")
		if say("older than what was known"); len(e.Task.Features) > 0 {
			say("older state: %s", features(e.Task.Features))
		}
	case len(a.Effect.Changes) > 0:
		told.Changes = failuresFirst(a.Effect.Changes)
	case len(e.Task.Features) == 0:
		say("no features")
	default:
		say("no change")
	}
	return told
}

// Repeat says of which message a delivery is a repeat, and whether it is another one.
func Repeat(attempt int, message int64, differs bool) Segment {
	s := Segment{model.RoleDim, fmt.Sprintf("arrival %d of #%d", attempt, message)}
	if differs {
		s = Segment{model.RoleWarn, s.Text + "; its body differs, the first one counts"}
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

// failuresFirst puts in front what a person looks for.
func failuresFirst(changes []model.Change) []model.Change {
	failed := func(c model.Change) bool { return c.To == model.Failed }
	if !slices.ContainsFunc(changes, failed) {
		return changes
	}
	first := slices.DeleteFunc(slices.Clone(changes), func(c model.Change) bool { return !failed(c) })
	return append(first, slices.DeleteFunc(slices.Clone(changes), failed)...)
}

// Change says what became of a feature: its name, the state it was in, "" if it was not
// there, and the one it is in.
func Change(c *model.Change) (name, from string, to Segment) {
	name, from = Name(c.Feature), Name(string(c.From))
	switch {
	case c.To != "":
		to = Segment{c.To.Info().Role, Name(string(c.To))}
	case c.From != "":
		to = Segment{model.RoleDim, "gone"}
	default:
		to = Segment{model.RoleDim, c.To.Word()}
	}
	return name, from, to
}

// most is how many features or changes a sentence lists.
const most = 12

// Changes lists changes in a sentence.
func Changes(changes []model.Change) string {
	words := make([]string, len(changes))
	for i := range changes {
		name, from, to := Change(&changes[i])
		switch {
		case from == "" || to.Text == "gone":
			words[i] = name + " " + to.Text
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

// list joins words, and cuts a long list.
func list(words []string) string {
	if more := len(words) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), more)
	}
	return strings.Join(words, ", ")
}

// Source says by which way a delivery came in, and by whose word it is Aspect's.
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

// Outcome says how a message ended its task, which was created at that time: which
// features failed, or after how long.
func Outcome(e *model.Effect, created time.Time) string {
	if e.After != model.Failed {
		if created.IsZero() || !e.Updated.After(created) {
			return string(e.After)
		}
		return string(e.After) + " after " + Span(e.Updated.Sub(created))
	}
	var failed []string
	for _, f := range e.Features {
		if f.State == model.Failed {
			failed = append(failed, Name(f.Name))
		}
	}
	if len(failed) == 0 {
		return "failed"
	}
	return "failed: " + list(failed)
}
