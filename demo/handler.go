package demo

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"aspectop/sig"
)

// Which of the messages a [Handler] has trouble with, and which it refuses.
const (
	troubleEvery = 20
	refuseEvery  = 12
)

// Handler is a user's webhook handler that verifies what it gets and fails now and then:
// with some messages it has trouble once, and some it refuses until they are sent again.
type Handler struct {
	Sign sig.Signer // of the secret that it verifies with

	mu     sync.Mutex
	count  int      // of new messages
	failed []string // ids that have not been accepted yet
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	id := r.Header.Get(sig.Svix.ID)
	signed := sig.Signed(r.Header)
	right := h.Sign(id, signed, body)
	if err != nil || time.Since(signed).Abs() > sig.Tolerance || !slices.Contains(strings.Fields(r.Header.Get(sig.Svix.Signature)), right) {
		http.Error(w, "invalid signature", http.StatusBadRequest)
		return
	}
	switch h.next(id) {
	case http.StatusServiceUnavailable:
		http.Error(w, "database is locked", http.StatusServiceUnavailable)
	case http.StatusUnprocessableEntity:
		http.Error(w, "no row for this asset", http.StatusUnprocessableEntity)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// next decides on the answer to a message.
func (h *Handler) next(id string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.Index(h.failed, id); i >= 0 {
		h.failed = slices.Delete(h.failed, i, i+1)
		return http.StatusNoContent
	}
	h.count++
	status := http.StatusNoContent
	switch {
	case h.count%troubleEvery == 0:
		status = http.StatusServiceUnavailable
	case h.count%refuseEvery == 0:
		status = http.StatusUnprocessableEntity
	default:
		return status
	}
	h.failed = append(h.failed, id)
	h.failed = h.failed[max(0, len(h.failed)-maxSent):]
	return status
}
