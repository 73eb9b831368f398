package ui

// drawEmpty says why nothing is shown and what to do about it.
func (m *Model) drawEmpty(w, h int) []string {
	var lines []string
	say := func(r role, s string) { lines = append(lines, newLine(m.th, w).space(2).put(r, s).String()) }
	say(plain, "")
	switch {
	case m.filter.active() && m.board.Len() > 0:
		say(plain, "Nothing passes the filter.")
		say(dim, "esc clears it.")
	case m.loading && m.seen > 0:
		say(plain, "Reading the journal ...")
	case m.opt.Receiver == "":
		say(plain, "The journal is empty.")
		say(dim, "It fills when aspectop watch receives deliveries.")
	default:
		say(plain, "Waiting for the first event.")
		say(dim, "")
		say(dim, "Point an Aspect webhook endpoint at")
		say(accent, "  "+m.shownURL())
		if m.opt.Try != "" {
			say(dim, "or make one come:")
			say(accent, "  "+m.opt.Try)
		}
	}
	return tall(m.th, lines, w, h)
}
