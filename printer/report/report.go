// Package report writes a page of HTML about tasks. It is one file that loads nothing;
// the live page (package share/web) shows the same parts and keeps them fresh.
//
// All text from outside is cleaned and cut before it reaches a template, and the
// templates escape it for its context.
package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"aspectop/model"
)

// Options say which tasks a report is about and what it shows of them.
type Options struct {
	Now     time.Time     // the moment that the report shows, in the zone of its times
	Filter  *model.Filter // picks tasks; nil picks all
	Since   time.Time     // leaves out tasks without news since then; zero: none
	Private bool          // hides user ids, and URLs in any text
	// Rows is how many tasks are listed at most, the most important first; the
	// figures count them all. 0 lists all.
	Rows int
	// Name is what an asset is called, "" if that is not known; nil: ids only.
	Name func(asset string) string
}

// Report is what was known of some tasks at one moment, as texts and measures of the
// page.
type Report struct {
	At       time.Time
	Tiles    []Tile
	Ended    *Columns // nil if no task has ended
	Features []Feature
	Slowest  []Slow
	Groups   []Group
	LeftOut  int // tasks that are counted but not listed

	wording wording
}

// Tile is one figure with its name.
type Tile struct {
	Name   string
	Count  int
	Class  string // of the style sheet, "" for a plain one
	Target string // the group that it links to, "" if there is none
}

// Group is the tasks of one kind, the newest news first.
type Group struct {
	Name, Class string
	Ended       bool  // nothing more is expected of these tasks
	Count       int   // all of that kind
	Rows        []Row // those that are listed
}

// The groups in the order in which they are shown: what needs attention first.
const (
	failed = iota
	stalled
	active
	completed // and then what else has ended
)

// kind is a group by its title, its style and anchor, and the state of its tasks.
type kind struct {
	name, class string
	state       model.State // "" where tasks of several are in it
}

func allGroups() []kind {
	all := []kind{{"Failed", "failed", model.Failed}, {"Stalled", "stalled", ""}, {"In progress", "processing", ""}}
	for _, s := range model.CountedStates() {
		if s.Terminal() && s != model.Failed {
			all = append(all, kind{strings.ToUpper(string(s[:1])) + string(s[1:]), string(s), s})
		}
	}
	return all
}

// Of is a report about tasks of the board. It keeps the tasks of its rows, for
// [Report.Detail].
func Of(b *model.Board, o Options) *Report {
	g := gathering{Options: o, board: b, groups: allGroups()}
	g.kinds = make([][]*model.Task, len(g.groups))
	if g.Filter == nil {
		g.Filter = new(model.Filter)
	}
	if g.Filter.Empty() && g.Since.IsZero() {
		g.stats = b.Stats()
	} else {
		stats := model.NewStats()
		g.stats = &stats
		g.counts = true
	}
	for i := range b.Len() {
		t := b.At(i)
		if !g.picks(t) {
			continue
		}
		g.tasks++
		if g.counts {
			g.stats.Add(t)
		}
		kind := g.kind(t)
		g.kinds[kind] = append(g.kinds[kind], t)
	}
	return g.report()
}

type gathering struct {
	Options
	wording
	board  *model.Board
	counts bool // stats are this report's own
	stats  *model.Stats
	groups []kind
	kinds  [][]*model.Task // by group
	tasks  int
}

func (g *gathering) picks(t *model.Task) bool {
	if !g.Since.IsZero() && t.Heard().Before(g.Since) {
		return false
	}
	name := ""
	if !g.Filter.Empty() && g.Name != nil {
		name = g.Name(t.AssetID())
	}
	return g.Filter.MatchTask(t, name, g.Now)
}

func (g *gathering) kind(t *model.Task) int {
	if i := slices.IndexFunc(g.groups, func(k kind) bool { return k.state == t.State() }); i >= 0 {
		return i
	}
	if _, ok := g.board.Stalled(t, g.Now); ok {
		return stalled
	}
	return active
}

func (g *gathering) report() *Report {
	listed := g.list()
	g.wording = newWording(g.Options, g.kinds)
	r := &Report{At: g.Now, Tiles: []Tile{{Name: "Tasks", Count: g.tasks}}, wording: g.wording}
	for kind, tasks := range g.kinds {
		name := g.groups[kind]
		tile := Tile{Name: name.name, Count: len(tasks)}
		if len(tasks) > 0 {
			tile.Class, tile.Target = name.class, name.class
			group := Group{Name: name.name, Class: name.class, Ended: kind > active, Count: len(tasks)}
			for _, t := range listed[kind] {
				group.Rows = append(group.Rows, g.row(t, kind))
			}
			r.Groups = append(r.Groups, group)
			r.LeftOut += len(tasks) - len(listed[kind])
		}
		r.Tiles = append(r.Tiles, tile)
	}
	r.Features = g.features()
	r.Slowest = g.slowest()
	r.Ended = g.ended()
	return r
}

// list sorts the tasks, and returns those that get rows.
func (g *gathering) list() (listed [][]*model.Task) {
	listed = make([][]*model.Task, len(g.groups))
	left := g.Rows
	if left == 0 {
		left = g.tasks
	}
	for kind, tasks := range g.kinds {
		slices.SortFunc(tasks, func(s, t *model.Task) int {
			return cmp.Or(t.Heard().Compare(s.Heard()), cmp.Compare(s.Index(), t.Index()))
		})
		listed[kind] = tasks[:min(left, len(tasks))]
		left -= len(listed[kind])
	}
	return listed
}
