package ui

import (
	"aspectop/model"
	"aspectop/ui/draw"
)

// drawEmpty says why nothing is shown and what to do about it.
func (m *Model) drawEmpty(w, h int) []string {
	var lines []string
	say := func(r draw.Role, s string) { lines = append(lines, draw.NewLine(m.th, w).Space(2).Put(r, s).String()) }
	say(draw.Plain, "")
	switch {
	case m.view == viewEvents && m.log.looking(m):
		say(draw.Plain, "Looking through the journal ...")
	case m.filter.active() && m.board.Len() > 0:
		say(draw.Plain, "Nothing passes the filter.")
		say(draw.Dim, "esc clears it.")
	case !m.opt.Since.IsZero() && m.board.Len() > 0:
		say(draw.Plain, "Nothing was heard since "+draw.Moment(m.opt.Since, m.at)+"; --since hides what is older.")
	case m.loading && m.seen > 0:
		say(draw.Plain, "Reading the journal ...")
	case m.opt.Receiver == "" && m.opt.Sources != nil && len(m.opt.Sources()) > 0:
		say(draw.Plain, "No task yet.")
		say(draw.Dim, "What Aspect tells is shown as soon as it comes.")
	case m.opt.Receiver == "":
		say(draw.Plain, "The journal is empty.")
		say(draw.Dim, "It fills when aspectop watch receives deliveries.")
	default:
		m.sayWaiting(say)
	}
	return draw.Tall(m.th, lines, w, h)
}

// sayWaiting tells how a first event can come.
func (m *Model) sayWaiting(say func(draw.Role, string)) {
	switch refused := m.log.lastRefused(); {
	case m.run.verified > 0:
		say(draw.Plain, draw.Count(m.run.verified, "delivery is", "deliveries are")+" verified, but no task was told of yet; 3 shows what came.")
	case refused != nil:
		say(draw.Bad, draw.Count(m.run.rejected, "request was", "requests were")+" refused, and none was verified yet; 3 shows them.")
		say(draw.Bad, "The last one: "+refused.Verdict.Detail)
		if refused.Verdict.Hint != "" {
			say(draw.Warn, refused.Verdict.Hint)
		}
	default:
		say(draw.Plain, "Waiting for the first event.")
	}
	say(draw.Dim, "")
	url := m.opt.Receiver
	if m.tunnel != nil {
		url = m.tunnel.PublicURL
	}
	endpoint := ""
	if m.opt.Endpoint != nil {
		endpoint = m.opt.Endpoint()
	}
	switch {
	case url == "":
		say(draw.Dim, "The tunnel has no address yet; the first line says how it does.")
	case endpoint != "":
		say(draw.Dim, "Aspect posts to "+m.shown(url)+" ("+m.shown(endpoint)+").")
	default:
		say(draw.Dim, "Point an Aspect webhook endpoint at")
		say(draw.Accent, "  "+m.shown(url))
	}
	if m.opt.Try != "" {
		say(draw.Dim, "To make one come:")
		say(draw.Accent, "  "+m.opt.Try)
	}
}

// lastRefused is the newest request that was refused, or nil.
func (l *eventLog) lastRefused() *model.Rejected {
	for i := len(l.notes) - 1; i >= 0; i-- {
		if r := l.notes[i].Rejected; r != nil {
			return r
		}
	}
	return nil
}
