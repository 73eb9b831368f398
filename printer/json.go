package printer

import (
	"bytes"
	"cmp"
	"time"

	"aspectop/jsonl"
	"aspectop/model"
)

// schema is the version in the ready line. It changes only if a key is removed or
// changes its meaning.
const schema = 1

// jsonLines writes NDJSON: the lines of docs/json.md with all their keys in order.
type jsonLines struct{ out *bytes.Buffer }

// put writes a line, its members after the first two by a function.
func (j *jsonLines) put(kind string, at time.Time, members func(*jsonl.Object)) {
	o := jsonl.Object(j.out.AvailableBuffer())
	o.Start(kind, at)
	members(&o)
	o.End('}')
	j.out.Write(append(o, '\n'))
}

func (j *jsonLines) receiving(at time.Time, url string) {
	j.put("receiving", at, func(o *jsonl.Object) { o.Text("url", url) })
}

func (j *jsonLines) ready(at time.Time, r Ready) {
	j.put("ready", at, func(o *jsonl.Object) {
		o.Number("schema", schema)
		o.TextOrNull("url", r.URL)
		o.TextOrNull("public_url", r.PublicURL)
		o.Text("tunnel", cmp.Or(r.Tunnel, "off"))
		o.TextOrNull("probe", r.Probe)
		o.TextOrNull("journal", r.Journal)
		o.Number("pid", int64(r.PID))
	})
}

func (j *jsonLines) arrival(a *arrival) {
	if a.Repeat() {
		j.duplicate(a)
		return
	}
	j.put("event", a.Received, func(o *jsonl.Object) {
		o.Number("seq", a.Seq)
		o.Text("id", a.ID)
		o.Number("attempt", int64(a.Attempt))
		o.Text("source", string(a.Source))
		o.TextOrNull("secret", a.Secret)
		o.TextOrNull("event_type", a.Type)
		o.TextOrNull("event_id", a.EventID)
		task, asset := "", ""
		if a.Task != nil {
			task, asset = a.Task.ID, a.Task.AssetID
		}
		o.TextOrNull("task_id", task)
		o.TextOrNull("asset_id", asset)
		o.Bool("late", a.Late)
		o.Open("changes", '[')
		for _, c := range a.Changes {
			o.Next()
			o.Begin('{')
			o.Text("feature", c.Feature)
			o.TextOrNull("from", string(c.From))
			o.TextOrNull("to", string(c.To))
			o.End('}')
		}
		o.End(']')
		if a.task == nil {
			o.Null("task")
		} else { // as it was after the arrival
			o.Open("task", '{')
			o.Text("state", string(a.After))
			o.Open("features", '{')
			for _, f := range a.Features {
				o.TextOrNull(f.Name, string(f.State))
			}
			o.End('}')
			o.Time("created", a.task.Created())
			o.Time("updated", a.Updated)
			o.End('}')
		}
	})
}

func (j *jsonLines) duplicate(a *arrival) {
	j.put("duplicate", a.Received, func(o *jsonl.Object) {
		o.Number("seq", a.Message)
		o.Text("id", a.ID)
		o.Number("attempt", int64(a.Attempt))
		o.TextOrNull("secret", a.Secret)
		o.Bool("differs", a.Differs)
	})
}

func (j *jsonLines) rejected(at time.Time, r *model.Rejected) {
	j.put("rejected", at, func(o *jsonl.Object) { putRejected(o, r) })
}

func putRejected(o *jsonl.Object, r *model.Rejected) {
	v := &r.Verdict
	o.TextOrNull("id", r.ID)
	o.TextOrNull("reason", string(v.Reason))
	o.Text("detail", v.Detail)
	o.TextOrNull("hint", v.Hint)
	o.TextOrNull("evidence", v.Evidence)
	o.NumberOrNull("skew_seconds", v.SkewSeconds)
	o.NumberOrNull("tolerance_seconds", v.ToleranceSeconds)
	o.TextOrNull("path", r.Path)
	o.TextOrNull("method", r.Method)
}

func (j *jsonLines) skipped(at time.Time, count int64) {
	j.put("rejected_skipped", at, func(o *jsonl.Object) { o.Number("count", count) })
}

func (j *jsonLines) tunnel(at time.Time, t *model.Tunnel) {
	j.put("tunnel", at, func(o *jsonl.Object) {
		o.Text("state", string(t.State))
		o.TextOrNull("public_url", t.PublicURL)
		o.TextOrNull("detail", t.Detail)
		switch {
		case t.Probe == nil:
			o.Null("probe")
		case t.Probe.OK:
			o.Text("probe", "ok")
		default:
			o.Text("probe", "failed: "+t.Probe.Detail)
		}
		o.Time("next_try", t.NextTry)
	})
}

func (j *jsonLines) forward(at time.Time, f *model.Forward) {
	j.put("forward", at, func(o *jsonl.Object) { putForward(o, f) })
}

func putForward(o *jsonl.Object, f *model.Forward) {
	o.Number("seq", f.Seq)
	o.Text("to", f.To)
	o.NumberOrNull("status", int64(f.Status))
	o.Number("ms", f.Latency.Milliseconds())
	o.Bool("resigned", f.Resigned)
	o.TextOrNull("answer", f.Answer)
	o.TextOrNull("error", f.Error)
	o.TextOrNull("hint", f.Hint)
}

func (j *jsonLines) viewer(at time.Time, v *model.Viewer) {
	j.put("viewer", at, func(o *jsonl.Object) {
		o.Text("state", map[bool]string{false: "joined", true: "left"}[v.Left])
		o.Text("name", v.Name)
		o.Text("address", v.Address)
		o.Time("since", v.Since)
		o.Number("watching", int64(v.Watching))
	})
}

func (j *jsonLines) notice(time.Time, string) {} // JSON has no line for it

func (j *jsonLines) end(at time.Time, t tally) {
	j.put("end", at, func(o *jsonl.Object) {
		o.Number("verified", t.verified)
		o.Number("unsigned", t.unsigned)
		o.Number("rejected", t.rejected)
		o.Number("rejected_not_kept", t.notKept)
		o.Number("duplicate", t.duplicate)
		o.Number("late", t.late)
		if f := t.forwards; f != nil {
			o.Number("forward_gave_up", int64(f.gaveUp))
			o.Number("forward_waiting", int64(f.waiting))
		}
		if t.owed != nil && *t.owed >= 0 {
			o.Number("exec_waiting", int64(*t.owed))
		} else if t.owed != nil {
			o.Null("exec_waiting")
		}
	})
}
