package web

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"time"

	"aspectop/model"
	"aspectop/printer/report"
)

//go:embed live.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

func (s *Server) page(w http.ResponseWriter) {
	now := s.state.latest()
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, map[string]any{
		"Title": s.Title,
		"At":    now.at.Format(time.TimeOnly), "Trouble": now.trouble, "Loading": now.loading,
		"Figures": template.HTML(now.figures), "Statistics": template.HTML(now.statistics),
		"Controls": report.Controls(), "Groups": now.report.Groups, "LeftOut": now.report.LeftOut,
	})
	if err != nil {
		panic(err) // a defect
	}
	answer(w, "text/html; charset=utf-8", b.String())
}

const mostMessages = 200

func (s *Server) task(w http.ResponseWriter, r *http.Request) {
	key, err := strconv.Atoi(r.URL.Query().Get("key"))
	now := s.state.latest()
	if _, listed := now.rows[key]; err != nil || !listed {
		http.NotFound(w, r)
		return
	}
	select {
	case s.details <- struct{}{}:
		defer func() { <-s.details }()
	case <-r.Context().Done():
		return
	}
	s.Feed.RLock()
	t := s.Feed.Board().At(key)
	seqs := t.Seqs()
	s.Feed.RUnlock()
	arrivals, err := s.arrivals(r, seqs[max(0, len(seqs)-mostMessages):])
	if err != nil {
		http.Error(w, "the journal cannot be read now", http.StatusServiceUnavailable)
		return
	}
	s.Feed.RLock()
	detail := now.report.Detail(t, arrivals)
	s.Feed.RUnlock()
	detail.LeftOut += max(0, len(seqs)-mostMessages)
	answer(w, "text/html; charset=utf-8", string(detail.HTML()))
}

// arrivals reads messages and their repeats, in the order of their numbers. What
// retention has removed is left out.
func (s *Server) arrivals(r *http.Request, seqs []int64) ([]report.Arrival, error) {
	var arrivals []report.Arrival
	for _, seq := range seqs {
		d, err := s.Journal.Get(r.Context(), seq)
		if err != nil {
			if s.Feed.Trouble() == "" && r.Context().Err() == nil {
				continue
			}
			return nil, err
		}
		e := model.Decode(&d)
		arrivals = append(arrivals, report.ArrivalOf(&d, e.Type))
		repeats, err := s.Journal.Repeats(r.Context(), seq)
		if err != nil {
			return nil, err
		}
		for i := range repeats {
			arrivals = append(arrivals, report.ArrivalOf(&repeats[i], ""))
		}
	}
	slices.SortFunc(arrivals, func(a, b report.Arrival) int { return int(a.Seq - b.Seq) })
	return arrivals, nil
}

// news is what has changed on a page, for its script.
type news struct {
	At         string      `json:"at"`
	Figures    *string     `json:"figures,omitempty"` // nil: as before
	Statistics *string     `json:"statistics,omitempty"`
	Groups     []group     `json:"groups"`
	Rows       map[int]row `json:"rows"` // those that are new or have changed
	LeftOut    int         `json:"left_out"`
	Trouble    string      `json:"trouble,omitempty"`
	Loading    bool        `json:"loading,omitempty"`
}

// changes are what is new in a snapshot for a client that has seen another, or none.
func (n *snapshot) changes(seen *snapshot) news {
	c := news{
		At: n.at.Format(time.TimeOnly), Groups: n.groups, Rows: map[int]row{}, LeftOut: n.report.LeftOut,
		Trouble: n.trouble, Loading: n.loading,
	}
	if seen == nil || seen.figures != n.figures {
		c.Figures = &n.figures
	}
	if seen == nil || seen.statistics != n.statistics {
		c.Statistics = &n.statistics
	}
	for key, r := range n.rows {
		if seen == nil || seen.rows[key] != r {
			c.Rows[key] = r
		}
	}
	return c
}

func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		w.Header().Set("Retry-After", "30")
		http.Error(w, fmt.Sprintf("%d pages follow already", s.limits.streams), http.StatusServiceUnavailable)
		return
	}
	c := http.NewResponseController(w)
	c.SetReadDeadline(time.Time{})
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // asks nginx to pass events on at once
	send := func(event string, data any) error {
		var b bytes.Buffer
		fmt.Fprintf(&b, "event: %s\ndata: ", event)
		e := json.NewEncoder(&b) // one line
		e.SetEscapeHTML(false)
		e.Encode(data)
		b.WriteByte('\n')
		c.SetWriteDeadline(time.Now().Add(s.limits.stall))
		if _, err := w.Write(b.Bytes()); err != nil {
			return err
		}
		return c.Flush()
	}
	if r.Method == http.MethodHead {
		return
	}
	var seen *snapshot
	for now := s.state.latest(); now != nil; now = s.state.next(r.Context(), now) {
		if send("news", now.changes(seen)) != nil {
			return
		}
		seen = now
	}
	send("end", nil) // the program ends
}
