package printer

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/words"
)

// sentences writes one sentence per line, for people and screen readers: without
// symbols that would be spelled out, and the important part first.
type sentences struct {
	out *bytes.Buffer
	now func() time.Time
	// dates has every line begin with the date; else only what is not of today.
	dates bool
	hints map[string]string // of each handler the last one said, which is not repeated
}

// print writes one line, with the time and, unless it is today, the date.
func (s *sentences) print(at time.Time, sentence string) {
	now := s.now()
	at = at.In(now.Location())
	layout := time.TimeOnly
	if y, d := at.Year(), at.YearDay(); s.dates || y != now.Year() || d != now.YearDay() {
		layout = time.DateTime
	}
	s.out.WriteString(at.Format(layout) + "  " + clean.Text(sentence) + "\n")
}

func (s *sentences) ready(at time.Time, r Ready) {
	parts := []string{"ready"}
	if r.URL == "" {
		parts[0] = "following"
	}
	switch {
	case r.PublicURL == "":
	case r.Probe == "ok" && r.Doubt == "":
		parts = append(parts, "reachable at "+r.PublicURL)
	default:
		parts = append(parts, "public URL "+r.PublicURL)
	}
	if r.Tunnel != "" && r.Tunnel != "off" {
		parts = append(parts, "tunnel "+r.Tunnel)
	}
	if r.Probe != "" {
		parts = append(parts, "probe "+r.Probe)
	}
	if r.Doubt != "" {
		parts = append(parts, r.Doubt)
	}
	if r.Journal != "" {
		parts = append(parts, "journal "+r.Journal)
	}
	s.print(at, strings.Join(parts, "; "))
}

// arrival writes what a delivery is about, what is unusual, how its task has ended, and
// what else changed.
func (s *sentences) arrival(a *arrival) {
	e := words.EventOf(&a.Event, words.Arrival{Attempt: a.Attempt, Differs: a.Differs, Damage: a.Damage, Effect: &a.Effect})
	parts := e.Marks
	if a.Repeat() {
		parts = append([]string{e.Verdict.Text}, parts...)
	} else if a.After.Terminal() && !a.Late && (a.Ended() || a.Kind == model.Done || a.Kind == model.Failure) {
		parts = append(parts, words.Outcome(&a.Effect, a.task.Created()))
		e.Changes = slices.DeleteFunc(slices.Clone(e.Changes), func(c model.FeatureChange) bool {
			return a.After == model.Failed && c.To == model.Failed // in the outcome already
		})
		e.Text.Text = ""
	}
	if len(e.Changes) > 0 {
		parts = append(parts, words.Changes(e.Changes))
	} else if e.Text.Text != "" {
		parts = append(parts, e.Text.Text)
	}
	s.print(a.Received, subject(a)+": "+strings.Join(parts, "; "))
}

// subject is what a delivery is about: its task or, if it has none, its type.
func subject(a *arrival) string {
	switch {
	case a.Repeat() && a.Task == nil: // the message may be gone
		return "message " + words.Name(a.ID)
	case a.Kind == model.Unrecognised:
		return "unrecognised message " + words.Name(a.ID)
	case a.Task == nil:
		return words.Name(a.Type)
	}
	name := "task " + words.ID(a.Task.ID)
	if a.Before == "" && !a.Repeat() {
		name = "new " + name
		if a.Task.AssetID != "" {
			name += " of asset " + words.ID(a.Task.AssetID)
		}
	}
	switch {
	case a.Source != model.SourceWebhook && a.Kind != model.Gone:
		return name + " (" + words.Source(a.Source, "") + ")"
	case a.Kind == model.Progress && a.Type != "task.progress" && a.Type != "":
		return name + " (" + words.Name(a.Type) + ")"
	}
	return name
}

func (s *sentences) rejected(at time.Time, r *model.Rejected) {
	sentence := "rejected: " + words.Rejected(r, false).String()
	if r.ID != "" {
		sentence += "; message " + words.Name(r.ID)
	}
	s.print(at, sentence)
}

func (s *sentences) receiving(at time.Time, url string)   { s.print(at, "receiving on "+url) }
func (s *sentences) tunnel(at time.Time, t *model.Tunnel) { s.print(at, words.Tunnel(t, at).String()) }
func (s *sentences) viewer(at time.Time, v *model.Viewer) { s.print(at, v.String()) }
func (s *sentences) notice(at time.Time, text string)     { s.print(at, text) }

func (s *sentences) skipped(at time.Time, count int64) {
	s.print(at, fmt.Sprintf("rejected: %d more, not listed", count))
}

func (s *sentences) forward(at time.Time, f *model.Forward) {
	told := *f
	if f.Hint != "" {
		if s.hints[f.To] == f.Hint {
			told.Hint = ""
		}
		s.hints[f.To] = f.Hint
	}
	sentence := fmt.Sprintf("forwarded #%d to %s: %s", f.Seq, f.Handler(), words.Forward(&told, false))
	if f.GaveUp {
		sentence += "; aspectop replay sends it again"
	}
	s.print(at, sentence)
}

func (s *sentences) end(at time.Time, t tally) {
	sentence := fmt.Sprintf("ended: %d verified, %s%d rejected, %d duplicate, %d late", t.verified, words.Unsigned(int(t.unsigned)), t.rejected, t.duplicate, t.late)
	if t.notKept > 0 {
		sentence += fmt.Sprintf("; %d of the rejected were not kept", t.notKept)
	}
	if f := t.forwards; f != nil {
		rest := "waiting for the next watch"
		if t.lost {
			rest = "not forwarded"
		}
		sentence += fmt.Sprintf("; forwarding: %d given up, %d %s", f.gaveUp, f.waiting, rest)
	}
	if t.owed != nil {
		sentence += "; --exec: " + words.Owed(*t.owed, t.lost)
	}
	s.print(at, sentence)
}
