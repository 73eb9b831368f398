// Package keys names what the keys of the screen do and has the one table of
// bindings. Key handling, the footer, the help and the manual are made from it.
package keys

import (
	"slices"
	"strings"
)

// Action is what a key asks for.
type Action uint8

const (
	None Action = iota
	Up
	Down
	Top
	Bottom
	PageUp
	PageDown
	HalfUp
	HalfDown
	Left
	Right

	Tasks
	Board
	Events
	Deliveries
	Stats
	NextPane
	PrevPane

	Open
	Back
	Filter
	NextMatch
	PrevMatch
	Failures
	Sort
	Follow
	Freeze
	Preview
	Wrap

	Replay
	Edit
	AskAgain
	CopyID
	CopyPayload
	CopyCurl
	CopyURL
	Export

	Mouse
	Theme
	Present
	Help
	Suspend
	Quit
	Interrupt
)

// OnHost reports whether the action reaches beyond the screen: it sends, writes
// or starts something on the machine that the program runs on, or stops the
// program. A remote screen has no such actions.
func (a Action) OnHost() bool {
	switch a {
	case Replay, Edit, Export, Suspend:
		return true
	}
	return false
}

// Reveals reports whether the action shows or copies what presentation mode
// hides. A screen that stays in presentation mode has no such actions.
func (a Action) Reveals() bool {
	switch a {
	case CopyPayload, CopyCurl, CopyURL, Present:
		return true
	}
	return false
}

// Place is where a binding holds. Keys are looked up in the place the reader is in
// first, then in anywhere.
type Place uint8

const (
	Anywhere Place = iota
	InList         // tasks, cards, events, deliveries
	InText         // panes that scroll
)

var placeTitles = map[Place]string{
	Anywhere: "Everywhere", InList: "In lists", InText: "In text",
}

// Binding is one row of the key table.
type Binding struct {
	Do    Action
	Place Place
	Keys  []string // as Bubble Tea names them; the first one is shown
	Short string   // for the footer, "" keeps it out
	Help  string
}

// Bindings is the table. A key stands once in a place.
var Bindings = Set{
	{Up, Anywhere, []string{"up", "k"}, "", "up"},
	{Down, Anywhere, []string{"down", "j"}, "", "down"},
	{Top, Anywhere, []string{"g", "home"}, "", "to the first row"},
	{Bottom, Anywhere, []string{"G", "end"}, "", "to the last row"},
	{PageUp, Anywhere, []string{"pgup"}, "", "a page up"},
	{PageDown, Anywhere, []string{"pgdown"}, "", "a page down"},
	{HalfUp, Anywhere, []string{"ctrl+u"}, "", "half a page up"},
	{HalfDown, Anywhere, []string{"ctrl+d"}, "", "half a page down"},
	{Left, Anywhere, []string{"left", "h"}, "", "the card to the left; the previous pane"},
	{Right, Anywhere, []string{"right", "l"}, "", "the card to the right; the next pane; all of a delivery"},

	{Tasks, Anywhere, []string{"1"}, "tasks", "tasks: a row for each"},
	{Board, Anywhere, []string{"2"}, "board", "board: a card for each task"},
	{Events, Anywhere, []string{"3"}, "events", "events: the log"},
	{Deliveries, Anywhere, []string{"4"}, "", "deliveries: what Aspect says it sent"},
	{Stats, Anywhere, []string{"5"}, "stats", "statistics"},
	{NextPane, Anywhere, []string{"tab"}, "", "next view or pane"},
	{PrevPane, Anywhere, []string{"shift+tab"}, "", "previous view or pane"},

	{Open, InList, []string{"enter", "d"}, "open", "open what is selected"},
	{Open, InText, []string{"enter"}, "", "in a task's events: to the payload; after an edit: send"},
	{Back, Anywhere, []string{"esc"}, "back", "back; at the top: clear the filter"},
	{Filter, Anywhere, []string{"/"}, "filter", "filter rows; in text: search"},
	{NextMatch, Anywhere, []string{"n"}, "", "next failure; in text: next match"},
	{PrevMatch, Anywhere, []string{"N"}, "", "previous failure; in text: previous match"},
	{Failures, InList, []string{"!"}, "failures", "failures only, on and off"},
	{Sort, InList, []string{"s"}, "sort", "sort by news, state, age, duration"},
	{Follow, InList, []string{"f"}, "follow", "the selection follows the newest"},
	{Freeze, Anywhere, []string{"space"}, "freeze", "freeze the screen and count what comes"},
	{Preview, InList, []string{"p"}, "preview", "preview on and off"},
	{Wrap, InText, []string{"w"}, "wrap", "wrap long lines"},

	{Replay, Anywhere, []string{"r"}, "replay", "send the message to your handler again"},
	{Edit, Anywhere, []string{"e"}, "", "edit the message and send that to your handler"},
	{AskAgain, InList, []string{"R"}, "", "deliveries: ask Aspect again"},
	{CopyID, Anywhere, []string{"y"}, "copy id", "copy the id"},
	{CopyPayload, Anywhere, []string{"Y"}, "", "copy the payload"},
	{CopyCurl, Anywhere, []string{"c"}, "", "copy as a curl command, with the old signature"},
	{CopyURL, Anywhere, []string{"u"}, "", "copy the receiver's URL"},
	{Export, Anywhere, []string{"x"}, "export", "write the task's events to a file"},

	{Mouse, Anywhere, []string{"m"}, "", "mouse on and off (off: the terminal selects text)"},
	{Theme, Anywhere, []string{"T"}, "", "next theme: dark, light, mono"},
	{Present, Anywhere, []string{"P"}, "", "presentation: hide user ids and URLs"},
	{Help, Anywhere, []string{"?"}, "help", "this help"},
	{Suspend, Anywhere, []string{"ctrl+z"}, "", "suspend; receiving stops meanwhile"},
	{Quit, Anywhere, []string{"q"}, "quit", "quit; in a task: back"},
	{Interrupt, Anywhere, []string{"ctrl+c"}, "", "quit from everywhere"},
}

// Set is the bindings of one screen.
type Set []Binding

// For returns the bindings of a screen: all of them, or without those that a
// remote or a private screen must not have.
func For(remote, private bool) Set {
	return slices.DeleteFunc(slices.Clone(Bindings), func(b Binding) bool {
		return remote && b.Do.OnHost() || private && b.Do.Reveals()
	})
}

// Has reports whether the action is bound to any key.
func (s Set) Has(a Action) bool {
	return slices.ContainsFunc(s, func(b Binding) bool { return b.Do == a })
}

// Lookup returns what a key does in a place, or None.
func (s Set) Lookup(key string, in Place) Action {
	found := None
	for i := range s {
		if b := &s[i]; slices.Contains(b.Keys, key) {
			if b.Place == in {
				return b.Do
			}
			if b.Place == Anywhere {
				found = b.Do
			}
		}
	}
	return found
}

// Row is one row of the key table, in words.
type Row struct {
	Where string // "Everywhere", "In lists" or "In text"
	Keys  string // as people write them, separated by spaces
	Does  string
}

// Table returns the set in words, for the help and the manual. Rows of the same
// place stand together.
func (s Set) Table() []Row {
	var rows []Row
	for _, p := range []Place{Anywhere, InList, InText} {
		for _, b := range s {
			if b.Place != p {
				continue
			}
			names := make([]string, len(b.Keys))
			for i, k := range b.Keys {
				names[i] = Name(k)
			}
			rows = append(rows, Row{placeTitles[p], strings.Join(names, " "), b.Help})
		}
	}
	return rows
}

// Name is a key as people write it.
func Name(key string) string {
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
