package receiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"aspectop/model"
)

const (
	retryAfter = 5 * time.Second

	answerMissing = "Missing Svix headers"
	answerInvalid = "Invalid signature"
)

// ServeHTTP answers one request. It compares the path as sent: a ServeMux would
// decode it and redirect. No answer tells a stranger more than its status does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.recovered(w)
	switch r.URL.EscapedPath() {
	case s.path:
		if r.Method != http.MethodPost && r.Method != http.MethodPut {
			refuseMethod(w, "POST, PUT")
			return
		}
		s.receive(w, r)
	case healthPath, readyPath:
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			refuseMethod(w, "GET, HEAD")
		case r.URL.Path == readyPath:
			s.serveReady(w, r)
		default:
			answer(w, http.StatusOK, "ok")
		}
	default:
		answer(w, http.StatusNotFound, "Not found")
	}
}

// receive verifies a delivery, keeps it if it is genuine, and answers.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) {
	received := s.now().UTC()
	body, release, err := s.readBody(w, r)
	defer release()
	var refused *refusal
	switch {
	case errors.Is(err, errBusy):
		s.unkept(w, err)
		return
	case errors.As(err, &refused):
		s.reject(w, r, received, claimedID(r.Header), refused.verdict, body)
		return
	}
	id, verdict := s.verifier.Verify(r.Header, body, received)
	if verdict.Reason == model.NoMatch && s.isProbe(r.Header, body, received) {
		s.probed(id)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if !verdict.OK() {
		s.reject(w, r, received, id, verdict, body)
		return
	}

	d := &model.Delivery{
		ID:       id,
		Source:   model.SourceWebhook,
		Secret:   verdict.Secret,
		Received: received,
		Header:   allHeaders(r),
		Body:     body,
	}
	arrived(r.Context())
	if err := s.journal.Append(s.keepContext(), d); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("the journal did not take one within %s", keepTimeout)
		}
		s.unkept(w, err)
		return
	}
	if s.failing.Load() && s.failing.CompareAndSwap(true, false) {
		s.notice("keeping deliveries again")
	}
	if d.Repeat() {
		s.tally.duplicate.Add(1)
	} else {
		s.tally.verified.Add(1)
	}
	w.WriteHeader(http.StatusNoContent)
}

// keepContext returns the context for keeping a delivery that arrived now. It ends
// after keepTimeout, or up to a second earlier: all deliveries of a second share
// one, because creating one costs almost as much as verifying a delivery.
func (s *Server) keepContext() context.Context {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	if s.keepingUnder == nil || time.Since(s.keepingSince) >= time.Second {
		ctx, cancel := context.WithTimeout(s.life, keepTimeout)
		context.AfterFunc(ctx, cancel)
		s.keepingUnder, s.keepingSince = ctx, time.Now()
	}
	return s.keepingUnder
}

// isProbe reports whether this process sent the request to itself.
func (s *Server) isProbe(h http.Header, body []byte, now time.Time) bool {
	if s.probe == nil {
		return false
	}
	_, verdict := s.probe.Verify(h, body, now)
	return verdict.OK()
}

// reject answers a request that will not be kept, and records it in the status log.
func (s *Server) reject(w http.ResponseWriter, r *http.Request, at time.Time, id string, v model.Verdict, body []byte) {
	s.tally.reject(v.Reason)
	s.status.Add(model.Status{At: at, Rejected: rejected(r, id, v, body)})
	switch v.Reason {
	case model.MissingHeaders:
		answer(w, http.StatusBadRequest, answerMissing)
	case model.TooLarge:
		answer(w, http.StatusRequestEntityTooLarge, "Too large")
	default:
		answer(w, http.StatusBadRequest, answerInvalid)
	}
}

// unkept answers a delivery that could not be kept now, so that Svix sends it
// again. The status log gets the reason once, until a delivery is kept again.
func (s *Server) unkept(w http.ResponseWriter, reason error) {
	s.tally.unkept.Add(1)
	if s.life.Err() == nil && s.failing.CompareAndSwap(false, true) {
		s.notice(fmt.Sprintf("cannot keep deliveries: %v; answering 503, Svix tries again later", reason))
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	answer(w, http.StatusServiceUnavailable, "Try again later")
}

func (s *Server) notice(text string) {
	s.status.Add(model.Status{At: s.now().UTC(), Notice: text})
}

// recovered answers 500 after a panic. Its stack goes neither to the client nor to
// stderr, which may be a screen.
func (s *Server) recovered(w http.ResponseWriter) {
	if p := recover(); p != nil {
		s.notice(fmt.Sprintf("a fault in aspectop made it answer 500: %v", p))
		w.Header().Set("Connection", "close")
		answer(w, http.StatusInternalServerError, "Internal error")
	}
}

func refuseMethod(w http.ResponseWriter, allowed string) {
	w.Header().Set("Allow", allowed)
	answer(w, http.StatusMethodNotAllowed, "Method not allowed")
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // it fails only if the client is gone
}

// allHeaders returns the headers of r, and Host with them, which net/http keeps
// apart. It does not copy them: nobody else uses the headers of a request.
func allHeaders(r *http.Request) http.Header {
	if r.Host != "" {
		r.Header["Host"] = []string{r.Host}
	}
	return r.Header
}
