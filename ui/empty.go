package ui

import "aspectop/model"

// drawEmpty says why nothing is shown and what to do about it.
func (m *Model) drawEmpty(w, h int) []string {
	var lines []string
	say := func(r role, s string) { lines = append(lines, newLine(m.th, w).space(2).put(r, s).String()) }
	say(plain, "")
	switch {
	case m.view == viewEvents && m.log.looking(m):
		say(plain, "Looking through the journal ...")
	case m.filter.active() && m.board.Len() > 0:
		say(plain, "Nothing passes the filter.")
		say(dim, "esc clears it.")
	case !m.opt.Since.IsZero() && m.board.Len() > 0:
		say(plain, "Nothing was heard since "+moment(m.opt.Since, m.at)+"; --since hides what is older.")
	case m.loading && m.seen > 0:
		say(plain, "Reading the journal ...")
	case m.opt.Receiver == "" && m.opt.Sources != nil && len(m.opt.Sources()) > 0:
		say(plain, "No task yet.")
		say(dim, "What Aspect tells is shown as soon as it comes.")
	case m.opt.Receiver == "":
		say(plain, "The journal is empty.")
		say(dim, "It fills when aspectop watch receives deliveries.")
	default:
		m.sayWaiting(say)
	}
	return tall(m.th, lines, w, h)
}

// sayWaiting tells how a first event can come.
func (m *Model) sayWaiting(say func(role, string)) {
	switch refused := m.log.lastRefused(); {
	case m.run.verified > 0:
		say(plain, count(m.run.verified, "delivery is", "deliveries are")+" verified, but no task was told of yet; 3 shows what came.")
	case refused != nil:
		say(bad, count(m.run.rejected, "request was", "requests were")+" refused, and none was verified yet; 3 shows them.")
		say(bad, "The last one: "+refused.Verdict.Detail)
		if refused.Verdict.Hint != "" {
			say(warn, refused.Verdict.Hint)
		}
	default:
		say(plain, "Waiting for the first event.")
	}
	say(dim, "")
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
		say(dim, "The tunnel has no address yet; the first line says how it does.")
	case endpoint != "":
		say(dim, "Aspect posts to "+m.shown(url)+" ("+m.shown(endpoint)+").")
	default:
		say(dim, "Point an Aspect webhook endpoint at")
		say(accent, "  "+m.shown(url))
	}
	if m.opt.Try != "" {
		say(dim, "To make one come:")
		say(accent, "  "+m.opt.Try)
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
