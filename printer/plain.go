package printer

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"aspectop/clean"
	"aspectop/model"
)

// sentences writes one sentence per line, for people and screen readers: without
// symbols that would be spelled out, and the important part first.
type sentences struct {
	out *bytes.Buffer
	now func() time.Time
}

// Limits for text from outside, to keep lines short.
const (
	longestWord = 64 // characters of an id, a name or a state
	mostChanges = 12 // listed in one sentence
)

// say writes one line, with the time and, unless it is today, the date.
func (s *sentences) say(at time.Time, sentence string) {
	now := s.now()
	at = at.In(now.Location())
	layout := time.TimeOnly
	if y, d := at.Year(), at.YearDay(); y != now.Year() || d != now.YearDay() {
		layout = time.DateTime
	}
	s.out.WriteString(at.Format(layout))
	s.out.WriteString("  ")
	s.out.WriteString(clean.Text(sentence))
	s.out.WriteByte('\n')
}

func (s *sentences) ready(at time.Time, r Ready) {
	parts := []string{"receiving on " + r.URL}
	if r.URL == "" {
		parts[0] = "following"
	}
	if r.PublicURL != "" {
		parts = append(parts, "reachable at "+r.PublicURL)
	}
	if r.Tunnel != "" && r.Tunnel != "off" {
		parts = append(parts, "tunnel "+r.Tunnel)
	}
	if r.Probe != "" {
		parts = append(parts, "probe "+r.Probe)
	}
	if r.Journal != "" {
		parts = append(parts, "journal "+r.Journal)
	}
	s.say(at, strings.Join(parts, "; "))
}

func (s *sentences) event(a *arrival) {
	switch a.Kind {
	case model.Ping:
		s.say(a.Received, "ping: signature verified"+damage(a))
	case model.Unrecognised:
		s.say(a.Received, "unrecognised: verified, but not an Aspect event; message "+word(a.ID)+damage(a))
	case model.Other:
		s.say(a.Received, word(a.Type)+": not about a task"+damage(a))
	case model.Gone:
		s.say(a.Received, "task "+short(a.task.ID())+": gone, Aspect no longer knows it"+damage(a))
	default:
		s.say(a.Received, taskSentence(a)+origin(a)+damage(a))
	}
}

// taskSentence describes what the event did to its task.
func taskSentence(a *arrival) string {
	name := "task " + short(a.task.ID())
	switch {
	case a.late:
		return name + ": late: older than what is known, changes nothing"
	case a.before == "":
		if a.Task.AssetID != "" {
			name += " of asset " + short(a.Task.AssetID)
		}
		return "new " + name + ": " + strings.Join(told(a), "; ")
	}
	return name + ": " + strings.Join(told(a), "; ")
}

// told is the outcome of the task, if it has just ended, and what changed.
func told(a *arrival) []string {
	var parts []string
	changes := a.changes
	state := a.task.State()
	if a.Kind == model.Done || a.Kind == model.Failure || state != a.before && state.Terminal() {
		parts = append(parts, outcome(a.task))
		if state == model.Failed {
			changes = withoutFailures(changes)
		}
	}
	switch {
	case len(changes) > 0:
		parts = append(parts, changed(changes, a.before == ""))
	case len(parts) == 0 && a.before == "":
		parts = append(parts, "no features yet")
	case len(parts) == 0:
		parts = append(parts, "no change")
	}
	return parts
}

// outcome describes how a task ended, and after how long.
func outcome(t *model.Task) string {
	if t.State() == model.Failed {
		var failed []string
		for _, f := range t.Features() {
			if f.State == model.Failed {
				failed = append(failed, word(f.Name))
			}
		}
		if len(failed) > 0 {
			return "failed: " + list(failed)
		}
		return "failed"
	}
	after := ""
	if took := t.Updated().Sub(t.Created()); !t.Created().IsZero() && took > 0 {
		after = " after " + inWords(took)
	}
	return string(t.State()) + after
}

// withoutFailures omits the changes that the outcome of a failed task includes.
func withoutFailures(changes []model.Change) []model.Change {
	var others []model.Change
	for _, c := range changes {
		if c.To != model.Failed {
			others = append(others, c)
		}
	}
	return others
}

func changed(changes []model.Change, isNew bool) string {
	words := make([]string, 0, len(changes))
	for _, c := range changes {
		name, from, to := word(c.Feature), word(string(c.From)), word(string(c.To))
		switch {
		case c.From == "" && c.To == "":
			name += " without a state"
		case c.From == "" && isNew:
			name += " " + to
		case c.From == "":
			name += " added as " + to
		case c.To == "":
			name += " gone (was " + from + ")"
		default:
			name += " from " + from + " to " + to
		}
		words = append(words, name)
	}
	return list(words)
}

// list joins words, and truncates a long list.
func list(words []string) string {
	if more := len(words) - mostChanges; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:mostChanges], ", "), more)
	}
	return strings.Join(words, ", ")
}

// origin says if the event is not an ordinary webhook.
func origin(a *arrival) string {
	switch {
	case a.Source == model.SourceAPI:
		return " (from the API)"
	case a.Kind == model.Progress && a.Type != "task.progress" && a.Type != "":
		return " (" + word(a.Type) + ")"
	case a.Source == model.SourceSSE:
		return " (from the event stream)"
	}
	return ""
}

// damage tells what of the delivery is lost in the journal.
func damage(a *arrival) string {
	if a.delivery.Damage == "" {
		return ""
	}
	return " (damaged in the journal: " + a.delivery.Damage + ")"
}

func (s *sentences) duplicate(a *arrival) {
	sentence := fmt.Sprintf("duplicate of #%d (arrival %d)", a.Message, a.delivery.Attempt)
	if a.Task != nil {
		sentence = "task " + short(a.Task.ID) + ": " + sentence
	}
	if a.delivery.Differs {
		sentence += ": its body differs; the first one counts"
	}
	s.say(a.Received, sentence+damage(a))
}

func (s *sentences) rejected(at time.Time, r *model.Rejected) {
	sentence := "rejected: " + r.Verdict.String()
	if r.ID != "" {
		sentence += "; message " + word(r.ID)
	}
	s.say(at, sentence)
}

func (s *sentences) skipped(at time.Time, count int64) {
	s.say(at, fmt.Sprintf("rejected: %d more, not listed", count))
}

func (s *sentences) tunnel(at time.Time, t *model.Tunnel) {
	sentence := "tunnel " + string(t.State)
	if t.PublicURL != "" {
		sentence += " at " + t.PublicURL
	}
	if t.Detail != "" {
		sentence += ": " + t.Detail
	}
	if !t.NextTry.IsZero() {
		sentence += fmt.Sprintf("; next try in %s", inWords(max(0, t.NextTry.Sub(at))))
	}
	if p := t.Probe; p != nil && p.OK {
		sentence += fmt.Sprintf("; a test request came through in %d ms", p.RoundTrip.Milliseconds())
	} else if p != nil {
		sentence += "; a test request failed: " + p.Detail
	}
	s.say(at, sentence)
}

func (s *sentences) forward(at time.Time, f *model.Forward) {
	sentence := fmt.Sprintf("forwarded #%d to %s: ", f.Seq, f.To)
	if f.Delivered() {
		sentence += fmt.Sprintf("answered %d in %d ms", f.Status, f.Latency.Milliseconds())
	} else {
		sentence += f.Error
	}
	switch {
	case f.GaveUp:
		sentence += fmt.Sprintf("; given up after %d tries (aspectop replay sends it again)", f.Tries)
	case !f.Final:
		sentence += "; will retry"
	}
	if f.Resigned {
		sentence += "; re-signed"
	}
	if f.Hint != "" {
		sentence += "; " + f.Hint
	}
	s.say(at, sentence)
}

func (s *sentences) viewer(at time.Time, v *model.Viewer) { s.say(at, v.String()) }

func (s *sentences) notice(at time.Time, text string) { s.say(at, text) }

func (s *sentences) end(at time.Time, t tally) {
	sentence := fmt.Sprintf("ended: %d verified, %d rejected, %d duplicate, %d late", t.verified, t.rejected, t.duplicate, t.late)
	if f := t.forwards; f != nil {
		rest := "waiting for the next watch"
		if f.lost {
			rest = "not forwarded"
		}
		sentence += fmt.Sprintf("; forwarding: %d given up, %d %s", f.gaveUp, f.waiting, rest)
	}
	s.say(at, sentence)
}

// short is an id for reading: the first eight characters of a UUID.
func short(id string) string {
	if len(id) == 36 {
		return id[:8]
	}
	return word(id)
}

// word truncates a long text.
func word(text string) string {
	n := 0
	for i := range text {
		if n++; n > longestWord {
			return text[:i] + "…"
		}
	}
	return text
}

// inWords is a duration in whole seconds, tenths under ten.
func inWords(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
