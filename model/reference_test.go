package model

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// The reference says the domain's rules as plainly as can be, at any cost: it
// keeps all messages with their full keys and works everything out anew.

type refMessage struct {
	Event
	body [sha256.Size]byte
}

type reference map[string][]refMessage // by task

func newReference(deliveries []Delivery) reference {
	r := reference{}
	for i := range deliveries {
		d := &deliveries[i]
		if e := Decode(d); e.Task != nil && !d.Repeat() {
			r[e.Task.ID] = append(r[e.Task.ID], refMessage{e, sha256.Sum256(d.Body)})
		}
	}
	return r
}

func (m *refMessage) rank() int {
	switch {
	case m.Source == SourceAPI:
		return 0
	case m.Type == "task.completed" || m.Type == "task.failed":
		return 2
	}
	return 1
}

func (m *refMessage) terminal() int {
	n := 0
	for _, f := range m.Task.Features {
		if f.State.Terminal() {
			n++
		}
	}
	return n
}

func (m *refMessage) told(feature string) (State, bool) {
	for _, f := range m.Task.Features {
		if f.Name == feature {
			return f.State, true
		}
	}
	return "", false
}

func refCompare(m, n refMessage) int {
	return cmp.Or(
		m.Task.Updated.Compare(n.Task.Updated),
		m.Timestamp.Compare(n.Timestamp),
		cmp.Compare(m.rank(), n.rank()),
		cmp.Compare(m.terminal(), n.terminal()),
		strings.Compare(m.EventID, n.EventID),
		bytes.Compare(m.body[:], n.body[:]),
	)
}

func refSorted(messages []refMessage) []refMessage {
	return slices.SortedFunc(slices.Values(messages), func(m, n refMessage) int {
		return cmp.Or(refCompare(m, n), cmp.Compare(m.Seq, n.Seq))
	})
}

func refFeatureState(features []Feature) State {
	has := map[State]bool{}
	n := 0
	for _, f := range features {
		if f.Name == "scene_detect" || f.Name == "audio_proxy" || f.Name == "model_proxy" {
			continue
		}
		n++
		switch f.State {
		case "queued", "completed", "failed", "cancelled", "na":
			has[f.State] = true
		default:
			has["processing"] = true
		}
	}
	switch {
	case has["failed"]:
		return "failed"
	case has["processing"]:
		return "processing"
	case has["queued"] || n == 0:
		return "queued"
	case has["cancelled"]:
		return "cancelled"
	}
	return "completed"
}

func refState(sorted []refMessage) State {
	newest := sorted[len(sorted)-1]
	switch {
	case newest.rank() == 2 && newest.Type == "task.completed":
		return "completed"
	case newest.rank() == 2:
		return "failed"
	}
	for _, end := range slices.Backward(sorted) {
		if end.rank() != 2 {
			continue
		}
		if end.Type == "task.failed" {
			break
		}
		for _, f := range end.Task.Features {
			s, ok := newest.told(f.Name)
			if ok && !Internal(f.Name) && f.State.Terminal() && s != "completed" && s != "cancelled" && s != "na" {
				return refFeatureState(newest.Task.Features)
			}
		}
		return "completed"
	}
	return refFeatureState(newest.Task.Features)
}

func refTimeline(sorted []refMessage, feature string) []Interval {
	winner := map[time.Time]State{}
	for _, m := range sorted {
		if s, ok := m.told(feature); ok && !m.Task.Updated.IsZero() {
			winner[m.Task.Updated] = s
		}
	}
	var intervals []Interval
	for _, at := range slices.SortedFunc(maps.Keys(winner), time.Time.Compare) {
		switch n := len(intervals); {
		case n == 0:
		case intervals[n-1].State == winner[at]:
			continue
		default:
			intervals[n-1].To = at
		}
		intervals = append(intervals, Interval{State: winner[at], From: at})
	}
	return intervals
}

func refArrival(messages []refMessage, m refMessage) (late bool, changes map[string]string) {
	changes = map[string]string{}
	var before []refMessage
	for _, n := range messages {
		if n.Seq < m.Seq {
			before = append(before, n)
			late = late || refCompare(n, m) > 0
		}
	}
	if late {
		return true, changes
	}
	for _, f := range m.Task.Features {
		changes[f.Name] = "+ -> " + string(f.State)
	}
	if len(before) > 0 {
		last := refSorted(before)[len(before)-1]
		for _, f := range last.Task.Features {
			switch now, ok := m.told(f.Name); {
			case !ok:
				changes[f.Name] = string(f.State) + " -> -"
			case now == f.State:
				delete(changes, f.Name)
			default:
				changes[f.Name] = string(f.State) + " -> " + string(now)
			}
		}
	}
	return false, changes
}

// refUntil is the task's state by the messages up to a number, "" if there is none,
// and the newest of them.
func refUntil(messages []refMessage, seq int64) (state State, newest refMessage) {
	var until []refMessage
	for _, m := range messages {
		if m.Seq <= seq {
			until = append(until, m)
		}
	}
	if len(until) == 0 {
		return "", refMessage{}
	}
	until = refSorted(until)
	return refState(until), until[len(until)-1]
}

// String tells all that follows from the messages, in the form of [view].
func (r reference) String() string {
	var out strings.Builder
	count := map[State]int{}
	for _, id := range slices.Sorted(maps.Keys(r)) {
		sorted := refSorted(r[id])
		newest := sorted[len(sorted)-1]
		state := refState(sorted)
		count[state]++
		heard, done, total, late := time.Time{}, 0, 0, false
		var seqs []int64
		for _, m := range sorted {
			seqs = append(seqs, m.Seq)
			if m.Received.After(heard) {
				heard = m.Received
			}
		}
		for _, f := range newest.Task.Features {
			if !Internal(f.Name) {
				total++
				if f.State.Terminal() {
					done++
				}
			}
		}
		fmt.Fprintf(&out, "%s %s %s %s created %v updated %v heard %v: %v, %d of %d, messages %v\n", id, state,
			newest.Task.AssetID, newest.Task.UserID, newest.Task.Created, newest.Task.Updated, heard,
			newest.Task.Features, done, total, seqs)
		for _, feature := range testFeatures {
			fmt.Fprintf(&out, "  %s %v\n", feature, refTimeline(sorted, feature))
		}
		for _, m := range sorted {
			wasLate, changes := refArrival(sorted, m)
			late = late || wasLate
			before, _ := refUntil(sorted, m.Seq-1)
			after, newest := refUntil(sorted, m.Seq)
			fmt.Fprintf(&out, "  %d late %v %v from %q to %q, %v as of %v\n", m.Seq, wasLate, changes, before, after, newest.Task.Features, newest.Task.Updated)
		}
		fmt.Fprintf(&out, "  any late %v\n", late)
	}
	fmt.Fprintf(&out, "%v\n", count)
	for _, feature := range testFeatures {
		in := map[State]int{}
		tasks := 0
		stays := map[State][]time.Duration{}
		for _, messages := range r {
			sorted := refSorted(messages)
			s, ok := sorted[len(sorted)-1].told(feature)
			if !ok {
				continue
			}
			tasks++
			in[s.phase()]++
			var phase State // unknown states join the processing around them
			var since time.Time
			for _, interval := range refTimeline(sorted, feature) {
				if now := interval.State.phase(); now != phase {
					if phase != "" {
						stays[phase] = append(stays[phase], interval.From.Sub(since))
					}
					phase, since = now, interval.From
				}
			}
		}
		if tasks > 0 {
			fmt.Fprintf(&out, "%s %d %v", feature, tasks, in)
			for _, phase := range []State{Queued, Processing} {
				slices.Sort(stays[phase])
				fmt.Fprintf(&out, " %s %d", phase, len(stays[phase]))
				if n := len(stays[phase]); n > 0 {
					median := stays[phase][(n+1)/2-1]
					fmt.Fprintf(&out, " %v", bucketMiddle(bucketOf(median)))
				}
			}
			out.WriteString("\n")
		}
	}
	return out.String()
}
