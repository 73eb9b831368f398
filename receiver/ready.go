package receiver

import (
	"context"
	"net/http"
	"sync"
	"time"
)

const (
	// readyFor is how long an answer to /readyz is reused, so that a stranger who
	// asks again and again costs the journal nothing.
	readyFor = time.Second
	// readyTime is how long the journal may take to answer.
	readyTime = 3 * time.Second
)

// readiness answers whether deliveries can be kept now.
type readiness struct {
	ask func(context.Context) error // nil: always

	mu  sync.Mutex
	at  time.Time
	err error
}

func (r *readiness) check(ctx context.Context) error {
	if r.ask == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at.IsZero() || time.Since(r.at) > readyFor {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTime)
		defer cancel()
		r.err, r.at = r.ask(ctx), time.Now()
	}
	return r.err
}

// serveReady tells a load balancer whether to send deliveries here. The reason why
// not is told on the screen and in the lines only.
func (s *Server) serveReady(w http.ResponseWriter, r *http.Request) {
	if s.ready.check(r.Context()) != nil {
		answer(w, http.StatusServiceUnavailable, "not ready")
		return
	}
	answer(w, http.StatusOK, "ok")
}
