package report

import (
	"fmt"
	"strings"
	"time"

	"aspectop/model"
	"aspectop/words"
)

// Row is one task in a list.
type Row struct {
	Task *model.Task // for its details

	State, Class, Glyph string
	ID, Short, Name     string
	Features            []Cell
	More                int // features that are not among them
	Note                string
	Took                string // until now, if it goes on
	Heard               string
	// The page sorts by these: milliseconds since 1970, milliseconds, a count.
	HeardAt, TookFor int64
	Messages         int
}

// Cell is a word with the sign and the style of a state.
type Cell struct{ Text, Class, Glyph string }

const mostFeatures = 12

func (g *gathering) row(t *model.Task, kind int) Row {
	r := Row{
		Task:  t,
		State: string(t.State()), Class: g.groups[kind].class, Glyph: t.State().Info().Sign,
		ID: g.text(t.ID(), longestID), Short: g.short(t.ID()),
		Heard: g.moment(t.Heard()), HeardAt: t.Heard().UnixMilli(), Messages: t.Messages(),
	}
	if g.Name != nil {
		r.Name = g.text(g.Name(t.AssetID()), longestID)
	}
	if r.Name == "" && t.AssetID() != "" {
		r.Name = "asset " + g.short(t.AssetID())
	}
	for i, f := range t.Features() {
		if i == mostFeatures {
			r.More = len(t.Features()) - i
			break
		}
		r.Features = append(r.Features, Cell{g.text(f.Name, longestWord), class(f.State), f.State.Info().Sign})
	}
	if took, ok := took(t, g.Now); ok {
		r.Took, r.TookFor = Span(took), took.Milliseconds()
	}
	switch kind {
	case stalled:
		since, _ := g.board.Stalled(t, g.Now)
		r.Note = "no news for " + Span(g.Now.Sub(since))
	case active:
		r.Class = class(t.State())
		if left, ok := g.board.ETA(t, g.Now); ok {
			r.Note = "about " + Span(left) + " left"
		} else if t.Gone() {
			r.Note = "no longer known to Aspect"
		}
	}
	return r
}

// took is [model.Task.Took], and whether that is known.
func took(t *model.Task, now time.Time) (time.Duration, bool) {
	return t.Took(now), !t.Created().IsZero() && (t.Active() || !t.Updated().IsZero())
}

// Detail is one task in full.
type Detail struct {
	Facts    []Fact
	Timeline *Timeline // nil if no time is known
	Events   []Event
	LeftOut  int // older events that are not listed
}

// Fact is a name with its value.
type Fact struct{ Name, Text string }

// Event is one arrival about the task.
type Event struct {
	At            string
	Type, Verdict string
	ID            string
	Changes       []Change
	Note          string // late, a duplicate and so on
}

// Change is what a message changed in one feature.
type Change struct{ Feature, From, To, Class string }

// mostEvents is how many events of one task are listed, the newest ones.
const mostEvents = 200

// Detail returns the task in full, as it is at the report's moment. The arrivals are
// those about it, with repeats, in the order of their numbers.
func (r *Report) Detail(t *model.Task, arrivals []Arrival) *Detail {
	w, now := &r.wording, r.At
	d := &Detail{Timeline: w.timeline(t, now)}
	fact := func(name, text string) {
		if text != "" {
			d.Facts = append(d.Facts, Fact{name, text})
		}
	}
	fact("Task", w.text(t.ID(), longestID))
	fact("Asset", w.text(t.AssetID(), longestID))
	user := w.text(t.UserID(), longestID)
	if w.hidden != nil && user != "" {
		user = "(hidden)"
	}
	fact("User", user)
	fact("Created", w.moment(t.Created()))
	fact("Updated", w.moment(t.Updated()))
	if took, ok := took(t, now); ok {
		name := "Took"
		if !t.State().Terminal() {
			name = "Running for"
		}
		fact(name, Span(took))
	}
	if n := len(arrivals) - mostEvents; n > 0 {
		d.LeftOut, arrivals = n, arrivals[n:]
	}
	for i := range arrivals {
		d.Events = append(d.Events, w.event(t, &arrivals[i]))
	}
	return d
}

// Arrival is a delivery without its headers and body, which would take memory.
type Arrival struct {
	model.Delivery
	Type string
}

// ArrivalOf is the arrival of a delivery.
func ArrivalOf(d *model.Delivery, typ string) Arrival {
	a := Arrival{*d, typ}
	a.Header, a.Body = nil, nil
	return a
}

func (w *wording) event(t *model.Task, a *Arrival) Event {
	e := model.Event{Seq: a.Seq, Message: a.Message, Source: a.Source, Type: a.Type, Kind: model.Progress, Task: &model.Snapshot{}}
	if a.Type == model.TypeGone {
		e.Kind = model.Gone
	}
	effect, _ := t.Effect(a.Seq)
	what := words.EventOf(&e, words.Arrival{Attempt: a.Attempt, Differs: a.Differs, Effect: &effect})
	row := Event{
		At: w.moment(a.Received), Type: w.text(a.Type, longestWord), ID: w.text(a.ID, longestID),
		Verdict: w.text(words.Source(a.Source, a.Secret), longestID), Note: strings.Join(append(what.Marks, what.Text.Text), "; "),
	}
	if a.Message != a.Seq {
		row.Type = what.Verdict.Text // its own type is not decoded
	}
	for i := range what.Changes {
		if i == mostFeatures {
			row.Note = fmt.Sprintf("and %d more", len(what.Changes)-i)
			break
		}
		name, from, to := words.Change(&what.Changes[i])
		row.Changes = append(row.Changes, Change{w.text(name, longestWord), w.text(from, longestWord), w.text(to.Text, longestWord), class(what.Changes[i].To)})
	}
	return row
}
