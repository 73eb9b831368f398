package receiver

import (
	"context"
	"net/http"
	"sync"
	"time"
)

const (
	readyFor  = time.Second     // that an answer to /readyz is reused, to spare the journal
	readyTime = 3 * time.Second // that the journal may take to answer
)

// readiness answers whether deliveries can be kept now.
type readiness struct {
	mu  sync.Mutex
	at  time.Time
	err error
}

func (r *readiness) check(ctx context.Context, ask func(context.Context) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at.IsZero() || time.Since(r.at) > readyFor {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTime)
		defer cancel()
		r.err, r.at = ask(ctx), time.Now()
	}
	return r.err
}

// serveReady answers a load balancer. Only the screen and the lines say why not.
func (s *Server) serveReady(w http.ResponseWriter, r *http.Request) {
	if s.Ready != nil && s.ready.check(r.Context(), s.Ready) != nil {
		answer(w, http.StatusServiceUnavailable, "not ready")
		return
	}
	answer(w, http.StatusOK, "ok")
}
