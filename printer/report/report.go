// Package report writes what tasks did as a page of HTML, for people who have no
// terminal open. One file holds all of it and asks nothing of any server; the
// live page (package share/web) shows the same parts and keeps them fresh.
//
// It knows no HTTP. All text from outside is cleaned and cut before it reaches a
// template, and the templates escape it for the place where it stands.
package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"aspectop/model"
)

// Options say which tasks a report is about and what it tells of them.
type Options struct {
	// Now is the moment that the report shows. Times are told in its zone.
	Now time.Time
	// Filter picks tasks; nil picks all.
	Filter *model.Filter
	// Since leaves out tasks without news since then. The zero time leaves out
	// none.
	Since time.Time
	// Redact hides user ids, and URLs wherever one stands.
	Redact bool
	// Rows is how many tasks are listed at most, those that matter most first; the
	// figures count them all. 0 lists all.
	Rows int
	// Name tells what an asset is called, "" if that is not known; nil: ids only.
	Name func(asset string) string
}

// Report is what was known of some tasks at one moment, in the words and
// measures of the page.
type Report struct {
	At       time.Time
	Tiles    []Tile
	Ended    *Columns // nil if no task has ended
	Features []Feature
	Slowest  []Slow
	Groups   []Group
	// LeftOut is how many tasks are counted but not listed.
	LeftOut int

	wording wording
}

// Tile is one figure with its name.
type Tile struct {
	Name  string
	Count int
	Class string // of the style sheet, "" for a plain one
	// Target is the group that the tile leads to, "" if there is none.
	Target string
}

// Group is the tasks of one kind, the newest news first.
type Group struct {
	Name, Class string
	Ended       bool  // nothing more is expected of these tasks
	Count       int   // all of that kind
	Rows        []Row // those that are listed
}

// The groups in the order in which they are shown: what needs somebody first.
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

// Of gathers a report about tasks of the board. The report keeps nothing of the
// board but the tasks that its rows name, for [Report.Detail].
func Of(b *model.Board, o Options) *Report {
	g := gathering{Options: o, board: b, groups: allGroups()}
	g.kinds = make([][]*model.Task, len(g.groups))
	if g.Filter == nil {
		g.Filter = new(model.Filter)
	}
	if g.Filter.Empty() && g.Since.IsZero() {
		g.stats = b.Stats() // which it has at hand
	} else {
		stats := model.NewStats()
		g.stats = &stats
		g.counts = true
	}
	for i := range b.Len() {
		if t := b.At(i); g.picks(t) {
			g.take(t)
		}
	}
	return g.report()
}

// gathering is a report under way.
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

func (g *gathering) take(t *model.Task) {
	g.tasks++
	if g.counts {
		g.stats.Add(t)
	}
	kind := g.kind(t)
	g.kinds[kind] = append(g.kinds[kind], t)
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

// list sorts the tasks, and returns those that there are rows for.
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
