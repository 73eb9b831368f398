package printer

import (
	"bytes"
	"time"

	"aspectop/model"
)

// schema is the version in the ready line. It changes only if a key is removed or
// changes its meaning.
const schema = 1

// jsonLines writes NDJSON: the lines of docs/json.md with all their keys in order.
type jsonLines struct{ out *bytes.Buffer }

// line starts a line, finish ends it.
func (j *jsonLines) line(kind string, at time.Time) *object {
	o := object(j.out.AvailableBuffer())
	o.begin('{')
	o.text("type", kind)
	o.instant("time", at)
	return &o
}

func (j *jsonLines) finish(o *object) {
	o.end('}')
	j.out.Write(append(*o, '\n'))
}

func (j *jsonLines) receiving(at time.Time, url string) {
	o := j.line("receiving", at)
	o.text("url", url)
	j.finish(o)
}

func (j *jsonLines) ready(at time.Time, r Ready) {
	o := j.line("ready", at)
	o.number("schema", schema)
	o.textOrNull("url", r.URL)
	o.textOrNull("public_url", r.PublicURL)
	if r.Tunnel == "" {
		r.Tunnel = "off"
	}
	o.text("tunnel", r.Tunnel)
	o.textOrNull("probe", r.Probe)
	o.textOrNull("journal", r.Journal)
	o.number("pid", int64(r.PID))
	j.finish(o)
}

func (j *jsonLines) event(a *arrival) {
	o := j.line("event", a.Received)
	o.number("seq", a.Seq)
	o.text("id", a.ID)
	o.number("attempt", int64(a.Attempt))
	o.text("source", string(a.Source))
	o.textOrNull("secret", a.Secret)
	o.textOrNull("event_type", a.Type)
	o.textOrNull("event_id", a.EventID)
	task, asset := "", ""
	if a.Task != nil {
		task, asset = a.Task.ID, a.Task.AssetID
	}
	o.textOrNull("task_id", task)
	o.textOrNull("asset_id", asset)
	o.truth("late", a.Late)
	o.key("changes")
	o.begin('[')
	for _, c := range a.Changes {
		o.next()
		o.begin('{')
		o.text("feature", c.Feature)
		o.textOrNull("from", string(c.From))
		o.textOrNull("to", string(c.To))
		o.end('}')
	}
	o.end(']')
	o.task(a)
	j.finish(o)
}

// task writes the task as it was after the arrival.
func (o *object) task(a *arrival) {
	if a.task == nil {
		o.null("task")
		return
	}
	o.key("task")
	o.begin('{')
	o.text("state", string(a.After))
	o.key("features")
	o.begin('{')
	for _, f := range a.Features {
		o.textOrNull(f.Name, string(f.State))
	}
	o.end('}')
	o.instant("created", a.task.Created())
	o.instant("updated", a.Updated)
	o.end('}')
}

func (j *jsonLines) duplicate(a *arrival) {
	o := j.line("duplicate", a.Received)
	o.number("seq", a.Message)
	o.text("id", a.ID)
	o.number("attempt", int64(a.Attempt))
	o.truth("differs", a.Differs)
	j.finish(o)
}

func (j *jsonLines) rejected(at time.Time, r *model.Rejected) {
	o := j.line("rejected", at)
	o.textOrNull("id", r.ID)
	o.text("reason", string(r.Verdict.Reason))
	o.text("detail", r.Verdict.String())
	j.finish(o)
}

func (j *jsonLines) skipped(at time.Time, count int64) {
	o := j.line("rejected_skipped", at)
	o.number("count", count)
	j.finish(o)
}

func (j *jsonLines) tunnel(at time.Time, t *model.Tunnel) {
	o := j.line("tunnel", at)
	o.text("state", string(t.State))
	o.textOrNull("public_url", t.PublicURL)
	o.textOrNull("detail", t.Detail)
	switch {
	case t.Probe == nil:
		o.null("probe")
	case t.Probe.OK:
		o.text("probe", "ok")
	default:
		o.text("probe", "failed: "+t.Probe.Detail)
	}
	o.instant("next_try", t.NextTry)
	j.finish(o)
}

func (j *jsonLines) forward(at time.Time, f *model.Forward) {
	o := j.line("forward", at)
	o.forward(f)
	j.finish(o)
}

func (o *object) forward(f *model.Forward) {
	o.number("seq", f.Seq)
	o.text("to", f.To)
	if f.Status == 0 {
		o.null("status")
	} else {
		o.number("status", int64(f.Status))
	}
	o.number("ms", f.Latency.Milliseconds())
	o.truth("resigned", f.Resigned)
	o.textOrNull("error", f.Error)
}

func (j *jsonLines) viewer(at time.Time, v *model.Viewer) {
	o := j.line("viewer", at)
	if v.Left {
		o.text("state", "left")
	} else {
		o.text("state", "joined")
	}
	o.text("name", v.Name)
	o.text("address", v.Address)
	o.instant("since", v.Since)
	o.number("watching", int64(v.Watching))
	j.finish(o)
}

func (j *jsonLines) notice(time.Time, string) {} // JSON has no line for it

func (j *jsonLines) end(at time.Time, t tally) {
	o := j.line("end", at)
	o.number("verified", t.verified)
	o.number("rejected", t.rejected)
	o.number("duplicate", t.duplicate)
	o.number("late", t.late)
	if f := t.forwards; f != nil {
		o.number("forward_gave_up", int64(f.gaveUp))
		o.number("forward_waiting", int64(f.waiting))
	}
	j.finish(o)
}
