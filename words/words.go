// Package words describes deliveries, forwards, tunnels and tasks for the screen, the
// lines and the pages, as segments of role and text. Durations, short ids and counts are
// here too.
//
// Text from outside is cut but not cleaned: that is up to the output.
package words

import (
	"fmt"
	"strings"
	"time"

	"aspectop/clean"
	"aspectop/model"
)

// Segment is text with its role.
type Segment struct {
	Role model.Role
	Text string
}

// Segments are a sentence.
type Segments []Segment

// String is the text alone.
func (s Segments) String() string {
	var b strings.Builder
	for _, segment := range s {
		b.WriteString(segment.Text)
	}
	return b.String()
}

func (s *Segments) add(r model.Role, format string, a ...any) {
	*s = append(*s, Segment{r, fmt.Sprintf(format, a...)})
}

// Name is at most 64 characters of a text from outside.
func Name(s string) string { return clean.Cut(s, 64) }

// ID is an id for reading: the first eight characters of a UUID, else a Name.
func ID(id string) string {
	if len(id) == 36 {
		return id[:8]
	}
	return Name(id)
}

// OrNone is s, or (none) for an empty text.
func OrNone(s string) string { return model.State(s).Word() }

// Count is a number with its noun, Plural the noun alone.
func Count(n int, one, many string) string { return fmt.Sprint(n) + " " + Plural(n, one, many) }

func Plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Forward says what a handler answered to a message and why, in its own words, whether it
// is tried again, and what to look at. In private it leaves out what may name a host.
func Forward(f *model.Forward, private bool) (s Segments) {
	r := forwardRole(f)
	switch {
	case f.Delivered():
		s.add(r, "answered %d in %d ms", f.Status, f.Latency.Milliseconds())
	case f.Status != 0:
		s.add(r, "%s in %d ms", f.Error, f.Latency.Milliseconds())
		if f.Answer != "" && !private {
			s.add(r, " (%s)", clean.Cut(f.Answer, 160))
		}
	case private:
		s.add(r, "no answer")
	default:
		s.add(r, "%s", f.Error)
	}
	if f.Resigned {
		s.add(model.RoleDim, "; re-signed")
	}
	switch {
	case f.GaveUp:
		s.add(r, "; given up after %s", Count(f.Tries, "try", "tries"))
	case !f.Final && f.Tries == 0: // it waits, and the hint says what for
	case !f.Final:
		s.add(r, "; try %d, will retry", f.Tries)
	case f.Tries > 1:
		s.add(model.RoleDim, "; try %d", f.Tries)
	}
	if f.Hint != "" && !private {
		s.add(model.RoleWarn, "; %s", f.Hint)
	}
	return s
}

// ForwardBriefly is Forward in a word or two.
func ForwardBriefly(f *model.Forward) Segment {
	text := fmt.Sprintf("try %d", f.Tries)
	switch {
	case f.Delivered():
		text = fmt.Sprintf("%d %dms", f.Status, f.Latency.Milliseconds())
	case f.GaveUp:
		text = "given up"
	case f.Final && f.Status != 0:
		text = fmt.Sprint(f.Status)
	case f.Final:
		text = "not sent"
	case f.Tries == 0:
		text = "waits"
	}
	return Segment{forwardRole(f), text}
}

func forwardRole(f *model.Forward) model.Role {
	switch {
	case f.Delivered():
		return model.RoleGood
	case f.Final:
		return model.RoleBad
	}
	return model.RoleWarn
}

// Tunnel says how the receiver is reached from outside, each reason once. If the newest
// probe came through, the last segment says so.
func Tunnel(t *model.Tunnel, at time.Time) (s Segments) {
	r := TunnelRole(t)
	s.add(r, "tunnel %s", t.State)
	if t.PublicURL != "" {
		s.add(model.RoleDim, " at ")
		s.add(model.RolePlain, "%s", t.PublicURL)
	}
	if t.NextTry.After(at) { // tries that change nothing are not told
		s.add(model.RoleDim, ", next try in %s", Ago(t.NextTry.Sub(at)))
	}
	if t.Detail != "" {
		s.add(model.RoleDim, ": %s", t.Detail)
	}
	switch {
	case t.Probe != nil && !t.Probe.OK:
		if t.Probe.Detail == "" {
			s.add(r, "; probe failed")
		} else if t.Detail != t.Probe.Detail {
			s.add(r, "; probe failed: %s", t.Probe.Detail)
		}
	case t.State != model.TunnelConnected:
	case t.Probe == nil:
		s.add(r, "; not yet probed")
	default:
		s.add(model.RoleDim, "; probe %d ms", t.Probe.RoundTrip.Milliseconds())
	}
	return s
}

// TunnelTrouble says why deliveries do not or may not arrive, and what to do, "" if
// nothing is known to be wrong.
func TunnelTrouble(t *model.Tunnel) string {
	switch {
	case t.State == model.TunnelFailed, t.State == model.TunnelReconnecting:
		return t.Detail
	case t.Probe != nil && !t.Probe.OK:
		return t.Probe.Detail
	}
	return t.Doubt
}

// TunnelRole is good if requests are known to come through, and bad if the user has to
// do something.
func TunnelRole(t *model.Tunnel) model.Role {
	switch {
	case t.State == model.TunnelFailed, t.Probe != nil && !t.Probe.OK:
		return model.RoleBad
	case t.State == model.TunnelConnected && t.Probe != nil && t.Doubt == "":
		return model.RoleGood
	}
	return model.RoleWarn
}

// Owed says for how many tasks a command is still to be run, -1 if that is unknown; lost
// says that no later run will.
func Owed(n int, lost bool) string {
	switch {
	case n < 0:
		return "the tasks it has yet to run for could not be counted"
	case lost && n > 0:
		return "not run for " + Count(n, "task", "tasks") + " that ended: a journal in memory leaves nothing to the next watch"
	}
	return Count(n, "task that ended waits", "tasks that ended wait") + " for the next watch with the same command"
}
