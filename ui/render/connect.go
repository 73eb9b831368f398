package render

import (
	"fmt"
	"strings"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
	"aspectop/words"
)

// Address is one of the things that somebody needs to reach this process, or to be reached.
type Address struct {
	Name, Text string // "" if there is none
	None       string // what to do then
	hidden     bool
}

// Addresses are what Connect lists, in the order of their keys. The live page's token, the
// source of the secret and the public URL are for the user's own screen alone.
func Addresses(sc *screen.Screen) []Address {
	public := ""
	if t := sc.Feed.Tunnel(); t != nil {
		public = t.PublicURL
	}
	private := sc.Masked || sc.Remote || sc.Recorded
	last := "to try"
	switch {
	case sc.Demo:
		last = "your own"
	case strings.Contains(sc.Try, " send "):
		last = "test event"
	}
	return []Address{
		{"receiver", sc.Receiver, "none: nothing is received here", sc.Masked},
		{"public URL", public, "none: start with --tunnel, or --public-url URL", private},
		{"live page", sc.LivePage, "none: start with --web 127.0.0.1:8788", private},
		{"over SSH", sc.SSHCommand, "none: start with --ssh 0.0.0.0:2222", sc.Masked},
		{"secret from", sc.SecretSource, "none", private},
		{last, sc.Try, "none", sc.Masked && strings.Contains(sc.Try, "://")},
	}
}

// Shows reports whether the screen may show, and copy, the address.
func (a *Address) Shows() bool { return a.Text != "" && !a.hidden }

// Connect says what is there already of the way from Aspect to this screen, and what others
// need; with numbers, which copy it.
func Connect(sc *screen.Screen, numbers bool, w int) []string {
	var lines []string
	step := func(r draw.Role, sign, name, text string) {
		label := draw.NewLine(sc.Theme, w).Space(2).Put(r, sign).Space(1).Cell(draw.Plain, name, 13)
		lines = append(lines, label.Put(draw.Dim, text).String())
	}
	if sc.Receiver != "" {
		connectSteps(sc, func(done, bad bool, name, text string) {
			switch {
			case done:
				step(draw.Good, model.Completed.Info().Sign, name, text)
			case bad:
				step(draw.Bad, model.Failed.Info().Sign, name, text)
			default:
				step(draw.Waiting, draw.GlyphDot, name, text)
			}
		})
		lines = append(lines, draw.Blank(sc.Theme, w))
	}
	addresses := Addresses(sc)
	for i, a := range addresses {
		number := " "
		if numbers {
			number = fmt.Sprint(i + 1)
		}
		switch {
		case a.Shows():
			lines = append(lines, draw.NewLine(sc.Theme, w).Space(2).Put(draw.Accent, number).Space(1).Cell(draw.Plain, a.Name, 13).Put(draw.Accent, a.Text).String())
		case a.Text != "":
			step(draw.Dim, number, a.Name, "(hidden)")
		case !sc.Remote:
			step(draw.Dim, number, a.Name, a.None)
		}
	}
	if addresses[len(addresses)-1].Shows() && strings.Contains(sc.Try, " send ") {
		step(draw.Dim, " ", "", "in a shell that has the same secret in ASPECT_WEBHOOK_SECRET")
	}
	return lines
}

// SecretNames are those of the secrets, in quotes: "secret default" could be a warning.
func SecretNames(sc *screen.Screen) string { return `"` + strings.Join(sc.Secrets, `", "`) + `"` }

// connectSteps tells the steps from a secret to the first event, by what was measured.
func connectSteps(sc *screen.Screen, say func(done, bad bool, name, text string)) {
	c, refused, t := sc.Board.Counters(), sc.Log.Refused(), sc.Feed.Tunnel()
	endpoint := ""
	if sc.Endpoint != nil {
		endpoint = sc.Endpoint()
	}
	registered := strings.HasPrefix(endpoint, "endpoint ")
	switch n := len(sc.Secrets); {
	case registered && n == 0:
		say(true, false, "secret", "the registered endpoint's")
	case n == 0:
		say(false, false, "secret", "comes with the endpoint")
	case sc.Masked:
		say(true, false, "secret", words.Count(n, "secret", "secrets"))
	default:
		say(true, false, "secret", SecretNames(sc))
	}
	switch {
	case t == nil && sc.Demo:
		say(false, false, "reachable", "a demo needs none")
	case t == nil:
		say(false, false, "reachable", "from this machine only; --tunnel opens a public URL")
	case words.TunnelRole(t) == draw.Good:
		say(true, false, "reachable", "through the public URL, probed at "+draw.Clock(t.Probe.At))
	case words.TunnelTrouble(t) != "" && (sc.Masked || sc.Remote || sc.Recorded):
		say(false, words.TunnelRole(t) == draw.Bad, "reachable", "not known")
	case words.TunnelTrouble(t) != "":
		say(false, words.TunnelRole(t) == draw.Bad, "reachable", words.TunnelTrouble(t))
	default:
		say(false, false, "reachable", "tunnel "+string(t.State))
	}
	switch {
	case registered:
		say(true, false, "endpoint", sc.Shown(endpoint))
	case c.Verified > 0:
		say(true, false, "endpoint", "one with this secret posts here")
	case endpoint != "":
		say(false, false, "endpoint", endpoint)
	case t == nil:
		say(false, false, "endpoint", "none can post here until this machine is reachable")
	default:
		say(false, false, "endpoint", "in Aspect's dashboard, point one at the public URL")
	}
	switch {
	case c.Verified+c.Unsigned > 0:
		say(true, false, "first event", words.Count(c.Verified+c.Unsigned, "event", "events")+" in this run, the newest at "+draw.Clock(c.Last))
	case c.Rejected > 0 && refused != nil:
		say(false, true, "first event", words.Count(c.Rejected, "request was", "requests were")+" rejected: "+words.RejectedFor(refused, sc.Masked))
	default:
		say(false, false, "first event", "not yet")
	}
}
