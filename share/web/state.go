package web

import (
	"context"
	"sync"
	"time"

	"aspectop/printer/report"
)

// mostRows is how many tasks the page lists, the most important first.
const mostRows = 300

// state is the page's content as it was last computed, for all clients. It is computed
// on request only.
type state struct {
	Config

	mu      sync.Mutex
	version int64 // of the feed, when it was computed
	took    time.Duration
	now     *snapshot // nil before the first time
}

// snapshot is what the page shows at one moment. It does not change.
type snapshot struct {
	at                  time.Time
	report              *report.Report
	figures, statistics string
	groups              []group
	rows                map[int]row // by their tasks' places in the board
	trouble             string      // why the journal cannot be read
	loading             bool        // history is still being read
}

type group struct {
	Name  string `json:"name"`
	Class string `json:"class"`
	Ended bool   `json:"ended"`
	Count int    `json:"count"`
	Keys  []int  `json:"keys"` // of the rows, in their order
}

// row is one task in the list, with what the page sorts it by.
type row struct {
	ID       string `json:"id"`
	Class    string `json:"class"`
	Heard    int64  `json:"heard"`
	Took     int64  `json:"took"`
	Messages int    `json:"messages"`
	HTML     string `json:"html"`
}

// latest is the content, computed anew if it is older than the pause.
func (s *state) latest() *snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil || time.Since(s.now.at) >= s.pause() {
		s.gather()
	}
	return s.now
}

// pause is the least time between two computations. They hold the feed's lock, so those
// that take long are rarer.
func (s *state) pause() time.Duration { return max(s.limits.pace, 20*s.took) }

// next returns the content when there is something new after a snapshot, or after the
// beat, because durations have grown. It returns nil when ctx ends.
func (s *state) next(ctx context.Context, after *snapshot) *snapshot {
	s.mu.Lock()
	version, wait := s.version, s.pause()-time.Since(s.now.at)
	if s.now != after {
		defer s.mu.Unlock()
		return s.now
	}
	s.mu.Unlock()
	beat, cancel := context.WithTimeout(ctx, s.limits.beat)
	defer cancel()
	s.Feed.Wait(beat, version)
	select {
	case <-time.After(wait):
		return s.latest()
	case <-ctx.Done():
		return nil
	}
}

func (s *state) gather() {
	start := time.Now()
	n := &snapshot{at: start, groups: []group{}, rows: map[int]row{}}
	s.version = s.Feed.Version() // before the rest, to miss nothing
	s.Feed.RLock()
	n.report = report.Of(s.Feed.Board(), report.Options{
		Now: start, Filter: s.Filter, Since: s.Since, Private: true, Rows: mostRows, Name: s.Name,
	})
	n.trouble = s.Feed.Trouble()
	n.loading, _, _ = s.Feed.Loading()
	s.Feed.RUnlock()
	s.took = time.Since(start)
	n.figures, n.statistics = string(n.report.Figures()), string(n.report.Statistics())
	for i := range n.report.Groups {
		from := &n.report.Groups[i]
		to := group{Name: from.Name, Class: from.Class, Ended: from.Ended, Count: from.Count}
		for j := range from.Rows {
			r := &from.Rows[j]
			key := r.Task.Index()
			to.Keys = append(to.Keys, key)
			n.rows[key] = row{r.ID, r.Class, r.HeardAt, r.TookFor, r.Messages, string(r.HTML())}
		}
		n.groups = append(n.groups, to)
	}
	s.now = n
}
