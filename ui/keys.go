package ui

import "slices"

// action is what a key asks for.
type action uint8

const (
	actNone action = iota
	actUp
	actDown
	actTop
	actBottom
	actPageUp
	actPageDown
	actHalfUp
	actHalfDown
	actLeft
	actRight

	actTasks
	actBoard
	actEvents
	actDeliveries
	actStats
	actNextPane
	actPrevPane

	actOpen
	actBack
	actFilter
	actNextMatch
	actPrevMatch
	actFailures
	actSort
	actFollow
	actFreeze
	actPreview
	actWrap

	actReplay
	actEdit
	actAskAgain
	actCopyID
	actCopyPayload
	actCopyCurl
	actCopyURL
	actExport

	actMouse
	actTheme
	actPresent
	actHelp
	actSuspend
	actQuit
	actInterrupt
)

// where a binding holds. Keys are looked up in the place the reader is in
// first, then in anywhere.
type place uint8

const (
	anywhere place = iota
	inList         // tasks, cards, events, deliveries
	inText         // panes that scroll
)

var placeTitles = map[place]string{
	anywhere: "Everywhere", inList: "In lists", inText: "In text",
}

// binding is one row of the key table.
type binding struct {
	do    action
	place place
	keys  []string // as Bubble Tea names them; the first one is shown
	short string   // for the footer, "" keeps it out
	help  string
}

// bindings is the one table of keys. Key handling, the footer, the help and the
// manual are made from it; a key stands once in a place.
var bindings = []binding{
	{actUp, anywhere, []string{"up", "k"}, "", "up"},
	{actDown, anywhere, []string{"down", "j"}, "", "down"},
	{actTop, anywhere, []string{"g", "home"}, "", "to the first row"},
	{actBottom, anywhere, []string{"G", "end"}, "", "to the last row"},
	{actPageUp, anywhere, []string{"pgup"}, "", "a page up"},
	{actPageDown, anywhere, []string{"pgdown"}, "", "a page down"},
	{actHalfUp, anywhere, []string{"ctrl+u"}, "", "half a page up"},
	{actHalfDown, anywhere, []string{"ctrl+d"}, "", "half a page down"},
	{actLeft, anywhere, []string{"left", "h"}, "", "the card to the left; the previous pane"},
	{actRight, anywhere, []string{"right", "l"}, "", "the card to the right; the next pane; all of a delivery"},

	{actTasks, anywhere, []string{"1"}, "tasks", "tasks: a row for each"},
	{actBoard, anywhere, []string{"2"}, "board", "board: a card for each task"},
	{actEvents, anywhere, []string{"3"}, "events", "events: the log"},
	{actDeliveries, anywhere, []string{"4"}, "", "deliveries: what Aspect says it sent"},
	{actStats, anywhere, []string{"5"}, "stats", "statistics"},
	{actNextPane, anywhere, []string{"tab"}, "", "next view or pane"},
	{actPrevPane, anywhere, []string{"shift+tab"}, "", "previous view or pane"},

	{actOpen, inList, []string{"enter", "d"}, "open", "open what is selected"},
	{actOpen, inText, []string{"enter"}, "", "in a task's events: to the payload; after an edit: send"},
	{actBack, anywhere, []string{"esc"}, "back", "back; at the top: clear the filter"},
	{actFilter, anywhere, []string{"/"}, "filter", "filter rows; in text: search"},
	{actNextMatch, anywhere, []string{"n"}, "", "next failure; in text: next match"},
	{actPrevMatch, anywhere, []string{"N"}, "", "previous failure; in text: previous match"},
	{actFailures, inList, []string{"!"}, "failures", "failures only, on and off"},
	{actSort, inList, []string{"s"}, "sort", "sort by news, state, age, duration"},
	{actFollow, inList, []string{"f"}, "follow", "the selection follows the newest"},
	{actFreeze, anywhere, []string{"space"}, "freeze", "freeze the screen and count what comes"},
	{actPreview, inList, []string{"p"}, "preview", "preview on and off"},
	{actWrap, inText, []string{"w"}, "wrap", "wrap long lines"},

	{actReplay, anywhere, []string{"r"}, "replay", "send the message to your handler again"},
	{actEdit, anywhere, []string{"e"}, "", "edit the message and send that to your handler"},
	{actAskAgain, inList, []string{"R"}, "", "deliveries: ask Aspect again"},
	{actCopyID, anywhere, []string{"y"}, "copy id", "copy the id"},
	{actCopyPayload, anywhere, []string{"Y"}, "", "copy the payload"},
	{actCopyCurl, anywhere, []string{"c"}, "", "copy as a curl command, with the old signature"},
	{actCopyURL, anywhere, []string{"u"}, "", "copy the receiver's URL"},
	{actExport, anywhere, []string{"x"}, "export", "write the task's events to a file"},

	{actMouse, anywhere, []string{"m"}, "", "mouse on and off (off: the terminal selects text)"},
	{actTheme, anywhere, []string{"T"}, "", "next theme: dark, light, mono"},
	{actPresent, anywhere, []string{"P"}, "", "presentation: hide user ids and URLs"},
	{actHelp, anywhere, []string{"?"}, "help", "this help"},
	{actSuspend, anywhere, []string{"ctrl+z"}, "", "suspend; receiving stops meanwhile"},
	{actQuit, anywhere, []string{"q"}, "quit", "quit; in a task: back"},
	{actInterrupt, anywhere, []string{"ctrl+c"}, "", "quit from everywhere"},
}

// lookup finds what a key does in a place.
func lookup(key string, in place) action {
	found := actNone
	for i := range bindings {
		if b := &bindings[i]; slices.Contains(b.keys, key) {
			if b.place == in {
				return b.do
			}
			if b.place == anywhere {
				found = b.do
			}
		}
	}
	return found
}

// keyName is a key as people write it.
func keyName(key string) string {
	switch key {
	case "up":
		return "↑"
	case "down":
		return "↓"
	case "left":
		return "←"
	case "right":
		return "→"
	case "pgup":
		return "PgUp"
	case "pgdown":
		return "PgDn"
	case "home":
		return "Home"
	case "end":
		return "End"
	}
	return key
}
