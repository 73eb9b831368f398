package words

import (
	"time"

	"aspectop/model"
)

// Tunnel says how the receiver is reached from outside. If the newest probe came through,
// the last segment says so.
func Tunnel(t *model.Tunnel, at time.Time) (s Segments) {
	r := TunnelRole(t)
	s.add(r, "tunnel %s", t.State)
	if t.PublicURL != "" {
		s.add(model.RoleDim, " at ")
		s.add(model.RolePlain, "%s", t.PublicURL)
	}
	if !t.NextTry.IsZero() {
		s.add(model.RoleDim, ", next try in %s", Ago(t.NextTry.Sub(at)))
	}
	if t.Detail != "" {
		s.add(model.RoleDim, ": %s", t.Detail)
	}
	switch {
	case t.Probe != nil && !t.Probe.OK:
		s.add(r, "; probe failed: %s", t.Probe.Detail)
	case t.State != model.TunnelConnected:
	case t.Probe == nil:
		s.add(r, "; not yet probed")
	default:
		s.add(model.RoleDim, "; probe %d ms", t.Probe.RoundTrip.Milliseconds())
	}
	return s
}

// TunnelRole is good if requests are known to come through, and bad if the user has to
// do something.
func TunnelRole(t *model.Tunnel) model.Role {
	switch {
	case t.State == model.TunnelFailed, t.Probe != nil && !t.Probe.OK:
		return model.RoleBad
	case t.State == model.TunnelConnected && t.Probe != nil:
		return model.RoleGood
	}
	return model.RoleWarn
}
