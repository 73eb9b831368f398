package receiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/sig"
)

// retryAfter is in seconds. It is for senders that obey it: Svix's server takes it only
// between its own delay and twice that, which begins with 5 s.
const retryAfter = 5

// ServeHTTP answers one request. It compares the path as sent: a ServeMux would
// decode it and redirect. No answer says more than its status does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.recovered(w)
	if own := slotOf(r.Context()); own != nil {
		own.handled = true
	}
	switch r.URL.EscapedPath() {
	case s.Path:
		if r.Method != http.MethodPost && r.Method != http.MethodPut {
			s.refuseAstray(r, model.WrongMethod)
			refuseMethod(w, "POST, PUT")
			return
		}
		s.receive(w, r)
	case healthPath, readyPath:
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			s.refuseAstray(r, model.WrongPath)
			refuseMethod(w, "GET, HEAD")
		case r.URL.Path == readyPath:
			s.serveReady(w, r)
		default:
			answer(w, http.StatusOK, "ok")
		}
	default:
		s.refuseAstray(r, model.WrongPath)
		if r.URL.Path == "/" && !signed(r.Header) && s.checks.tell(s.Now()) {
			s.notice("something asks for / every few seconds and gets 404, such as the health check of a load balancer, " +
				"which then takes this receiver for dead: have it ask for " + healthPath + " or " + readyPath)
		}
		answer(w, http.StatusNotFound, "Not found")
	}
}

// ownProbe reports whether a request that no secret has signed is a probe of this process,
// and whether it arrived as it was sent.
func (s *Server) ownProbe(r *http.Request, body []byte) (own, intact bool) {
	if s.Probed == nil {
		return false, false
	}
	return s.Probed(r, body)
}

// receive verifies a delivery, keeps it if it is genuine, and answers.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) {
	received := s.Now().UTC()
	body, release, err := s.readBody(w, r)
	defer release()
	if refused, ok := errors.AsType[*refusal](err); ok {
		s.reject(w, r, received, claimedID(r.Header), model.Verdict(*refused), body)
		return
	} else if err != nil {
		s.unkept(w, err)
		return
	}
	id, verdict := s.verifier.Verify(r.Header, body, received)
	if !verdict.OK() {
		s.reject(w, r, received, id, verdict, body)
		return
	}

	d := &model.Delivery{
		ID:       id,
		Twin:     model.TwinOf(body),
		Source:   model.SourceWebhook,
		Secret:   verdict.Secret,
		Received: received,
		Header:   allHeaders(r),
		Body:     body,
	}
	if own := slotOf(r.Context()); own != nil {
		own.enter(keeping) // it is protected until it is answered
	}
	if err := s.Journal.Append(s.keepContext(), d); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("the journal did not take one within %s", keepTimeout)
		}
		s.unkept(w, err)
		return
	}
	if s.failing.Load() && s.failing.CompareAndSwap(true, false) {
		s.notice("keeping deliveries again")
	}
	s.count(func(c *Counts) {
		if d.Repeat() {
			c.Duplicate++
		} else {
			c.Verified++
		}
	})
	w.WriteHeader(http.StatusNoContent)
}

// keepContext returns the context for keeping a delivery that arrived now. It ends
// after keepTimeout, or up to a second earlier: all deliveries of a second share
// one, because creating one costs almost as much as verifying a delivery.
func (s *Server) keepContext() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keeping == nil || time.Since(s.keepingSince) >= time.Second {
		ctx, cancel := context.WithTimeout(s.life, keepTimeout)
		context.AfterFunc(ctx, cancel)
		s.keeping, s.keepingSince = ctx, time.Now()
	}
	return s.keeping
}

// reject answers a request that will not be kept, and records it in the status log. A
// probe is answered like a delivery, and not recorded.
func (s *Server) reject(w http.ResponseWriter, r *http.Request, at time.Time, id string, v model.Verdict, body []byte) {
	own, intact := s.ownProbe(r, body)
	if intact {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if !own {
		s.count(func(c *Counts) { c.Rejected[v.Reason]++ })
		record := rejected(r, id, v, body)
		record.At = at
		s.tell(record)
	}
	switch v.Reason {
	case model.MissingHeaders:
		answer(w, http.StatusBadRequest, "Missing Svix headers")
	case model.TooLarge:
		answer(w, http.StatusRequestEntityTooLarge, "Too large")
	default:
		answer(w, http.StatusBadRequest, "Invalid signature")
	}
}

func (s *Server) tell(r *model.Rejected) {
	s.Status.Add(model.Status{At: r.At, Rejected: r})
	s.keeper.add(r)
}

// unkept answers a delivery that could not be kept now, so that Svix sends it
// again. The status log gets the reason once, until a delivery is kept again.
func (s *Server) unkept(w http.ResponseWriter, reason error) {
	s.count(func(c *Counts) { c.Unkept++ })
	if s.life.Err() == nil && s.failing.CompareAndSwap(false, true) {
		s.notice(fmt.Sprintf("cannot keep deliveries: %v; answering 503, so Svix will retry", reason))
	}
	w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	answer(w, http.StatusServiceUnavailable, "Try again later")
}

func (s *Server) notice(text string) {
	s.Status.Add(model.Status{At: s.Now().UTC(), Notice: text})
}

// recovered answers 500 after a panic. Its stack is not printed: stderr may be a screen.
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
	_, _ = w.Write([]byte(text))
}

// allHeaders returns the headers of r with Host, which net/http keeps apart. They are
// not copied.
func allHeaders(r *http.Request) http.Header {
	if r.Host != "" {
		r.Header["Host"] = []string{r.Host}
	}
	return r.Header
}

// How much of a rejected request is kept, in bytes. Anybody can send any number of
// them, and the status log holds a thousand.
const (
	rejectedHeader = 4 << 10
	rejectedBody   = 8 << 10
	rejectedID     = 256
)

func rejected(r *http.Request, id string, v model.Verdict, body []byte) *model.Rejected {
	return &model.Rejected{
		ID:      model.ValidText(cut(id, rejectedID)),
		Verdict: v,
		Header:  someHeaders(clean.RedactHeaders(allHeaders(r))),
		Body:    bytes.Clone(body[:min(len(body), rejectedBody)]),
		Size:    int64(len(body)),
	}
}

// someHeaders returns rejectedHeader bytes of h: first the headers that the verdict
// depends on, then the others by name. The first value that does not fit is cut.
func someHeaders(h map[string][]string) map[string][]string {
	var names []string
	for _, f := range sig.Families {
		names = append(names, f.ID, f.Stamp, f.Signature)
	}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	held := make(map[string][]string, len(h))
	room := rejectedHeader
	for _, name := range names {
		for _, value := range h[name] {
			if room -= len(name); room <= 0 {
				return held
			}
			value = cut(value, room)
			room -= len(value)
			held[name] = append(held[name], value)
		}
	}
	return held
}

// cut returns at most n bytes of text, in memory of their own if there are more.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.Clone(text[:n])
}
