package words

import (
	"fmt"

	"aspectop/model"
)

// Forward says what a handler answered to a message, whether it is tried again, and what
// to look at. In private it leaves out what may name a host.
func Forward(f *model.Forward, private bool) (s Segments) {
	r := forwardRole(f)
	switch {
	case f.Delivered():
		s.add(r, "answered %d in %d ms", f.Status, f.Latency.Milliseconds())
	case f.Status != 0:
		s.add(r, "%s in %d ms", f.Error, f.Latency.Milliseconds())
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
