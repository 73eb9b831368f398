package web

import (
	"bytes"
	_ "embed"
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

// page answers with the page as it is now.
func (s *Server) page(w http.ResponseWriter) {
	now := s.state.latest()
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, map[string]any{
		"At": now.at.Format(time.TimeOnly), "Trouble": now.trouble, "Loading": now.loading,
		"Figures": template.HTML(now.figures), "Statistics": template.HTML(now.statistics),
		"Controls": report.Controls(), "Groups": now.report.Groups, "LeftOut": now.report.LeftOut,
	})
	if err != nil {
		panic(err) // a defect
	}
	answer(w, "text/html; charset=utf-8", b.String())
}

// mostMessages is how many of a task's messages are read for its details.
const mostMessages = 200

// task answers with the details of the task at a place on the board.
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
