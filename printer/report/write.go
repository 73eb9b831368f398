package report

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"html/template"
	"io"
	"slices"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/printer"
)

// The lists in a page have at most pageSize bytes. Rows of tasks take three quarters of
// it at most, and the rest is for details, of the most important tasks first.
const (
	pageSize = 19_500_000
	mostRows = 25_000

	// Least sizes of a detail, to decide for which tasks events are read.
	detailSize = 900
	eventSize  = 140
)

// PageOptions say what [Write] writes.
type PageOptions struct {
	Options
	FilterText string // the filter as it was written
	Version    string // of the program
	Title      string // clean; "": what the page is about

	task string // the one that the page is about, "" if it is about all
}

// Write reads what the journal holds when it begins, and writes a page about the tasks
// in it. It returns how many there are. Memory grows with the board; of the events, only
// those on the page are held.
//
// When ctx ends it returns the context's error, and nothing is written. A closed pipe is
// not an error.
func Write(ctx context.Context, out io.Writer, journal printer.Deliveries, o PageOptions) (tasks int, err error) {
	w := writing{PageOptions: o, journal: journal, size: pageSize}
	return w.write(ctx, out)
}

func (w *writing) write(ctx context.Context, out io.Writer) (tasks int, err error) {
	w.board, w.last, err = feed.FoldAll(ctx, w.journal, func(e *model.Event) {
		if e.Task == nil {
			w.others++
		}
	})
	if err != nil {
		return 0, err
	}
	w.Rows = mostRows
	w.report = Of(w.board, w.Options)
	w.rows()
	if err := w.read(ctx); err != nil {
		return 0, err
	}
	return w.tasks(), printer.WriteAll(out, w.page())
}

// WriteTask writes a page about one task, from the deliveries about it.
func WriteTask(out io.Writer, task string, deliveries []model.Delivery, o Options) error {
	kept := slices.Clone(deliveries)
	slices.SortFunc(kept, func(a, b model.Delivery) int { return cmp.Compare(a.Seq, b.Seq) })
	_, err := Write(context.Background(), out, held(kept), PageOptions{Options: o, task: task})
	return err
}

// held is a journal in memory, in the order of the numbers.
type held []model.Delivery

func (h held) After(_ context.Context, seq int64, limit int) ([]model.Delivery, error) {
	i, _ := slices.BinarySearchFunc(h, seq+1, func(d model.Delivery, seq int64) int { return cmp.Compare(d.Seq, seq) })
	return h[i:min(i+limit, len(h))], nil
}

func (h held) Before(_ context.Context, seq int64, limit int) ([]model.Delivery, error) {
	i, _ := slices.BinarySearchFunc(h, seq, func(d model.Delivery, seq int64) int { return cmp.Compare(d.Seq, seq) })
	older := slices.Clone(h[max(0, i-limit):i])
	slices.Reverse(older)
	return older, nil
}

func (h held) Range(context.Context) (first, last int64, err error) {
	if len(h) == 0 {
		return 0, 0, nil
	}
	return h[0].Seq, h[len(h)-1].Seq, nil
}

type writing struct {
	PageOptions
	journal printer.Deliveries
	size    int   // bytes of the lists, at most
	last    int64 // number that is read
	board   *model.Board
	others  int // messages about no task
	report  *Report
	bare    [][]byte                   // rows that there is room for, without details
	room    int                        // bytes that they leave for details
	opened  map[*model.Task]*[]Arrival // the tasks with details
}

func (w *writing) tasks() int { return w.report.Tiles[0].Count }

func (w *writing) read(ctx context.Context) error {
	w.opened = map[*model.Task]*[]Arrival{}
	of := map[int64]*model.Task{}
	room, first := w.room, w.last+1
	for _, g := range w.report.Groups {
		for i := range g.Rows {
			t := g.Rows[i].Task
			if room -= detailSize + eventSize*min(mostEvents, t.Messages()); room < 0 {
				break
			}
			w.opened[t] = new([]Arrival)
			for _, seq := range t.Seqs() {
				of[seq], first = t, min(first, seq)
			}
		}
	}
	types := map[string]string{}
	return printer.Each(ctx, w.journal, first-1, w.last, func(d *model.Delivery) error {
		t := of[d.Message]
		if t == nil {
			return ctx.Err()
		}
		typ := ""
		if !d.Repeat() {
			e := model.Decode(d)
			typ = e.Type
		}
		if known, ok := types[typ]; ok {
			typ = known
		} else if len(typ) <= 4*longestWord {
			types[typ] = typ
		}
		arrivals := w.opened[t]
		*arrivals = append(*arrivals, ArrivalOf(d, typ))
		return ctx.Err()
	})
}

func (w *writing) page() []byte {
	var page bytes.Buffer
	put(&page, "top", top{policy(), w.Version, w.title(), w.lead(), template.CSS(Style), w.report, w.task != ""})
	room := w.room
	without, left, statistics := 0, w.report.LeftOut, w.report.Statistics()
	if w.task != "" {
		statistics = ""
	}
	for _, g := range w.report.Groups {
		if g.Ended { // below what needs attention
			page.WriteString(string(statistics))
			statistics = ""
		}
		put(&page, "group", g)
		for i := range g.Rows {
			if len(w.bare) == 0 {
				left += len(g.Rows) - i
				break
			}
			row := w.bare[0]
			w.bare = w.bare[1:]
			if full := w.full(&g.Rows[i]); full != nil && len(full)-len(row) <= room {
				room -= len(full) - len(row)
				row = full
			} else {
				room = 0 // no younger task is left out before an older one
				without++
			}
			page.Write(row)
		}
		put(&page, "endgroup", nil)
	}
	page.WriteString(string(statistics))
	put(&page, "bottom", bottom{w.tasks() > 0, w.when(), w.notes(without, left), template.JS(Script)})
	return page.Bytes()
}

// rows draws the rows that there is room for, without details.
func (w *writing) rows() {
	size := 0
	for _, g := range w.report.Groups {
		for i := range g.Rows {
			var row bytes.Buffer
			put(&row, "task", task{Row: &g.Rows[i]})
			if size+row.Len() > w.size/4*3 {
				break
			}
			size += row.Len()
			w.bare = append(w.bare, row.Bytes())
		}
	}
	w.room = w.size - size
}

// full is the row with its details; nil if its events were not read.
func (w *writing) full(row *Row) []byte {
	arrivals := w.opened[row.Task]
	if arrivals == nil {
		return nil
	}
	var b bytes.Buffer
	put(&b, "task", task{row, w.report.Detail(row.Task, *arrivals), w.task != ""})
	return b.Bytes()
}

func (w *writing) title() string {
	if w.Title != "" {
		return w.Title
	}
	if w.task != "" {
		return "Task " + w.report.wording.text(w.task, longestID)
	}
	return "Aspect media tasks"
}

func (w *writing) lead() []string {
	zone, _ := w.Now.Zone()
	lead := []string{"as of " + w.report.wording.moment(w.Now) + " " + zone}
	if when := w.when(); when != "" {
		lead = append(lead, "with events "+when)
	}
	if w.FilterText != "" {
		filter := "only " + w.report.wording.text(w.FilterText, longestID)
		if w.Private {
			filter = "filtered"
		}
		lead = append(lead, filter)
	}
	if w.Private {
		lead = append(lead, "user ids and URLs are hidden")
	}
	return lead
}

func (w *writing) when() string {
	if w.Since.IsZero() {
		return ""
	}
	return "since " + w.report.wording.moment(w.Since)
}

func (w *writing) notes(without, left int) (notes []string) {
	note := func(n int, format string) {
		if n > 0 {
			notes = append(notes, fmt.Sprintf(format, n))
		}
	}
	note(without, "To keep the page small, timelines and events of older tasks are left out: %d. --filter and --since ask for fewer tasks.")
	note(left, "Older tasks that are counted above, but not listed: %d.")
	if w.task == "" {
		note(w.others, "Messages that are not about a task, such as pings, are not shown: %d.")
		notes = append(notes, "Rejected requests are not in this report.")
	}
	return notes
}
