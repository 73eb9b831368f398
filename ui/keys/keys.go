// Package keys names what the keys of the screen do and has the table of
// bindings. Key handling, the footer, the help and the manual are made from it.
package keys

import (
	"cmp"
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
	Picture

	ZoomIn
	ZoomOut
	Earlier
	Later
	Now

	Mouse
	Theme
	Present
	Connect
	Help
	Suspend
	Quit
	Interrupt

	View // the first of the views; those behind it follow
)

// OnHost reports whether the action reaches beyond the screen: it sends, writes
// or starts something on the machine that the program runs on, or stops the
// program. A remote screen has no such actions.
func (a Action) OnHost() bool {
	return slices.Contains([]Action{Replay, Edit, Export, Picture, Suspend}, a)
}

// Reveals reports whether the action shows or copies what presentation mode
// hides. A screen that stays in presentation mode has no such actions.
func (a Action) Reveals() bool {
	return slices.Contains([]Action{CopyPayload, CopyCurl, CopyURL, Present, Connect}, a)
}

// Place is where a binding holds. Keys are looked up in the current place
// first, then in Anywhere.
type Place uint8

const (
	Anywhere   Place = iota
	InList           // tasks, cards, events, deliveries
	InText           // panes that scroll
	InTimeline       // the list of the timeline; the keys of lists hold too
)

// Holds reports whether a binding of the place p holds where in is.
func (p Place) Holds(in Place) bool {
	return p == Anywhere || p == in || p == InList && in == InTimeline
}

// Topic is what a binding is about, for the help.
type Topic string

// The topics, in the order in which the help shows them.
const (
	Moving   Topic = "Move"
	Views    Topic = "Views"
	Timeline Topic = "Timeline"
	Finding  Topic = "Find"
	Acting   Topic = "Act"
	Program  Topic = "Program"
)

// Binding is one row of the key table.
type Binding struct {
	Do    Action
	Topic Topic
	Place Place
	Keys  []string // as Bubble Tea names them; the first one is shown
	Short string   // for the footer, "" keeps it out
	Help  string
}

// Bindings is the table, without the keys of the views, which [ui.Bindings] adds.
// A key stands once in a place. The texts of the help fit three columns on a
// terminal of 120 cells.
var Bindings = Set{
	{Up, Moving, Anywhere, []string{"up", "k"}, "", "up"},
	{Down, Moving, Anywhere, []string{"down", "j"}, "", "down"},
	{Left, Moving, Anywhere, []string{"left", "h"}, "", "left; previous pane"},
	{Right, Moving, Anywhere, []string{"right", "l"}, "", "right; next pane; details"},
	{Top, Moving, Anywhere, []string{"g", "home"}, "", "first row"},
	{Bottom, Moving, Anywhere, []string{"G", "end"}, "", "last row"},
	{PageUp, Moving, Anywhere, []string{"pgup"}, "", "page up"},
	{PageDown, Moving, Anywhere, []string{"pgdown"}, "", "page down"},
	{HalfUp, Moving, Anywhere, []string{"ctrl+u"}, "", "half a page up"},
	{HalfDown, Moving, Anywhere, []string{"ctrl+d"}, "", "half a page down"},

	{NextPane, Views, Anywhere, []string{"tab"}, "next pane", "next view or pane"},
	{PrevPane, Views, Anywhere, []string{"shift+tab"}, "", "previous view or pane"},
	{Open, Views, InList, []string{"enter", "d"}, "open", "open the selection"},
	{Open, Views, InText, []string{"enter"}, "", "open payload; send edit"},
	{Back, Views, Anywhere, []string{"esc"}, "back", "back; clear the filter"},
	{Preview, Views, InList, []string{"p"}, "beside", "selection beside the list"},

	{ZoomIn, Timeline, InTimeline, []string{"+", "="}, "zoom", "zoom in"},
	{ZoomOut, Timeline, InTimeline, []string{"-", "_"}, "", "zoom out"},
	{Earlier, Timeline, InTimeline, []string{"h"}, "earlier", "earlier"},
	{Later, Timeline, InTimeline, []string{"l"}, "", "later"},
	{Now, Timeline, InTimeline, []string{"0"}, "now", "back to now"},

	{Filter, Finding, Anywhere, []string{"/"}, "filter", "filter; in text: search"},
	{NextMatch, Finding, Anywhere, []string{"n"}, "", "next failure or match"},
	{PrevMatch, Finding, Anywhere, []string{"N"}, "", "previous failure or match"},
	{Failures, Finding, InList, []string{"!"}, "failures", "failed and stalled only"},
	{Sort, Finding, InList, []string{"s"}, "sort", "change the sort order"},
	{Follow, Finding, InList, []string{"f"}, "follow", "follow the newest"},
	{Freeze, Finding, Anywhere, []string{"space"}, "freeze", "freeze; count what arrives"},
	{Wrap, Finding, InText, []string{"w"}, "wrap", "wrap long lines"},
	{AskAgain, Finding, InList, []string{"R"}, "", "ask Aspect again (view 4)"},

	{Replay, Acting, Anywhere, []string{"r"}, "resend", "send to your handler again"},
	{Edit, Acting, Anywhere, []string{"e"}, "", "edit, then send"},
	{CopyID, Acting, Anywhere, []string{"y"}, "copy id", "copy the id"},
	{CopyPayload, Acting, Anywhere, []string{"Y"}, "", "copy the payload"},
	{CopyCurl, Acting, Anywhere, []string{"c"}, "", "copy as curl, old signature"},
	{CopyURL, Acting, Anywhere, []string{"u"}, "", "copy the receiver's URL"},
	{Export, Acting, Anywhere, []string{"x"}, "report", "save a report on the task"},
	{Picture, Acting, Anywhere, []string{"S"}, "", "save a picture (SVG)"},

	{Connect, Program, Anywhere, []string{"C"}, "connect", "connect: URLs, checklist"},
	{Present, Program, Anywhere, []string{"P"}, "", "hide user ids and URLs"},
	{Theme, Program, Anywhere, []string{"T"}, "", "next theme"},
	{Mouse, Program, Anywhere, []string{"m"}, "", "mouse on or off"},
	{Help, Program, Anywhere, []string{"?"}, "help", "this help"},
	{Suspend, Program, Anywhere, []string{"ctrl+z"}, "", "suspend; stops receiving"},
	{Quit, Program, Anywhere, []string{"q"}, "quit", "quit; in a task: back"},
	{Interrupt, Program, Anywhere, []string{"ctrl+c"}, "", "quit from anywhere"},
}

// Set is the bindings of one screen.
type Set []Binding

// For returns all of the set, or what a remote or a private screen may have.
func (s Set) For(remote, private bool) Set {
	set := slices.DeleteFunc(slices.Clone(s), func(b Binding) bool {
		return remote && b.Do.OnHost() || private && b.Do.Reveals()
	})
	for i := range set {
		if b := &set[i]; remote && b.Do == Open {
			b.Help, _, _ = strings.Cut(b.Help, ";") // the rest sends
		}
	}
	return set
}

// Lookup returns what a key does in a place, or None.
func (s Set) Lookup(key string, in Place) Action {
	found := None
	for i := range s {
		if b := &s[i]; slices.Contains(b.Keys, key) {
			switch {
			case b.Place == in:
				return b.Do
			case b.Place == Anywhere && found == None, b.Place == InList && in == InTimeline:
				found = b.Do
			}
		}
	}
	return found
}

// Row is one row of the key table, in words.
type Row struct {
	Topic Topic
	Keys  string // as people write them, separated by spaces
	Does  string
}

// Table returns the set in words, for the help and the manual. Rows of the same
// topic stand together.
func (s Set) Table() []Row {
	rows := make([]Row, len(s))
	for i, b := range s {
		names := make([]string, len(b.Keys))
		for n, k := range b.Keys {
			names[n] = Name(k)
		}
		rows[i] = Row{b.Topic, strings.Join(names, " "), b.Help}
	}
	return rows
}

var names = map[string]string{
	"up": "↑", "down": "↓", "left": "←", "right": "→", "pgup": "PgUp", "pgdown": "PgDn", "home": "Home", "end": "End",
}

// Name is a key as people write it.
func Name(key string) string { return cmp.Or(names[key], key) }
