package words

import (
	"fmt"

	"aspectop/model"
)

// Forward says what a handler made of a message, whether it is tried again, and what to
// look at.
func Forward(f *model.Forward) (s Segments) {
	r := forwardRole(f)
	switch {
	case f.Delivered():
		s.add(r, "answered %d in %d ms", f.Status, f.Latency.Milliseconds())
	case f.Status != 0:
		s.add(r, "%s in %d ms", f.Error, f.Latency.Milliseconds())
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
	if f.Hint != "" {
		s.add(model.RoleWarn, "; %s", f.Hint)
	}
	return s
}

// ForwardBriefly is Forward in a word or two.
func ForwardBriefly(f *model.Forward) Segment {
	r := forwardRole(f)
	switch {
	case f.Delivered():
		return Segment{r, fmt.Sprintf("%d %dms", f.Status, f.Latency.Milliseconds())}
	case f.GaveUp:
		return Segment{r, "given up"}
	case f.Final && f.Status != 0:
		return Segment{r, fmt.Sprint(f.Status)}
	case f.Final:
		return Segment{r, "not sent"}
	}
	return Segment{r, fmt.Sprintf("try %d", f.Tries)}
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
