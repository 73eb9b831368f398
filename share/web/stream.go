package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

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

// events streams what changes on the page.
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
