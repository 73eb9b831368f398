package forward

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

// memory is a journal without a disk, for tests in virtual time.
type memory struct {
	mu       sync.Mutex
	kept     []model.Delivery
	changed  bool
	cursor   map[string]int64
	outcomes map[int64]model.Forward
	trouble  error // of every call, if not nil
	full     error // of every SaveForwards, if not nil
	bodies   error // of every Get, if not nil
}

func newMemory() *memory {
	return &memory{cursor: map[string]int64{}, outcomes: map[int64]model.Forward{}}
}

// append keeps the messages and gives them their numbers.
func (m *memory) append(deliveries ...*model.Delivery) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range deliveries {
		d.Seq = int64(len(m.kept) + 1)
		d.Message, d.Attempt = d.Seq, 1
		for _, k := range m.kept {
			if k.ID == d.ID {
				d.Message, d.Attempt = k.Message, d.Attempt+1
			}
		}
		m.kept = append(m.kept, *d)
	}
	m.changed = true
}

func (m *memory) After(_ context.Context, seq int64, limit int) ([]model.Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	from := min(int(seq), len(m.kept))
	return slices.Clone(m.kept[from:min(from+limit, len(m.kept))]), m.trouble
}

func (m *memory) Before(_ context.Context, seq int64, limit int) ([]model.Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	older := slices.Clone(m.kept[:min(int(seq-1), len(m.kept))])
	slices.Reverse(older)
	return older[:min(limit, len(older))], m.trouble
}

func (m *memory) Since(context.Context, time.Time) (int64, error) { return 0, m.trouble }

func (m *memory) Get(_ context.Context, seq int64) (model.Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if seq < 1 || int(seq) > len(m.kept) || m.kept[seq-1].Seq == 0 {
		return model.Delivery{}, fmt.Errorf("%w: number %d", journal.ErrNotFound, seq)
	}
	return m.kept[seq-1], cmp.Or(m.trouble, m.bodies)
}

func (m *memory) Range(context.Context) (first, last int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return min(1, int64(len(m.kept))), int64(len(m.kept)), m.trouble
}

func (m *memory) Wait(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return ctx.Err() // what changed is for another
		}
		m.mu.Lock()
		changed, trouble := m.changed, m.trouble
		m.changed = false
		m.mu.Unlock()
		if changed || trouble != nil {
			return trouble
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (m *memory) ForwardCursor(_ context.Context, key string) (int64, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	cursor, known := m.cursor[key]
	return cursor, known, m.trouble
}

func (m *memory) ForwardTargets(context.Context) (found []journal.ForwardTarget, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, cursor := range m.cursor {
		found = append(found, journal.ForwardTarget{Key: key, Cursor: cursor})
	}
	return found, m.trouble
}

func (m *memory) SettledForwards(_ context.Context, _ string, seq, last int64) (settled []int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for n := seq + 1; n <= last; n++ {
		if m.outcomes[n].Final {
			settled = append(settled, n)
		}
	}
	return settled, m.trouble
}

func (m *memory) Forwards(_ context.Context, seq int64) ([]model.Forward, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f, ok := m.outcomes[seq]; ok {
		return []model.Forward{f}, m.trouble
	}
	return nil, m.trouble
}

func (m *memory) SaveForwards(key, _ string, cursor int64, outcomes []model.Forward) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := cmp.Or(m.trouble, m.full); err != nil {
		return err
	}
	m.cursor[key] = cursor
	for _, f := range outcomes {
		m.outcomes[f.Seq] = f
	}
	return nil
}

func (m *memory) outcome(seq int64) model.Forward {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.outcomes[seq]
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trouble = err
}

func (m *memory) failSaving(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full = err
}

func (m *memory) failGetting(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bodies = err
}

// wire takes the place of the network in virtual time.
type wire func(*http.Request) (*http.Response, error)

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) { return w(r) }

func reply(code int, header ...string) (*http.Response, error) {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader("answer"))}, nil
}

// silence is a handler that never answers.
func silence(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// errRefused is what a dialer says when nothing listens.
var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}

// virtual is a Forwarder in a bubble of synctest.
type virtual struct {
	*Forwarder
	journal *memory
	status  *model.StatusLog
	began   time.Time
}

// inVirtualTime runs f with a Forwarder that posts to w.
func inVirtualTime(t *testing.T, w wire, f func(v *virtual)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		status := model.NewStatusLog(100_000)
		folded, stop := folding(t, m)
		defer stop()
		fw, err := New(t.Context(), Options{Target: Target{URL: "http://handler.test/hook"}, Feed: folded, Journal: m, Outcomes: m, Resign: resign, Status: status})
		if err != nil {
			t.Fatal(err)
		}
		fw.target.lines.open = func() http.RoundTripper { return w }
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- fw.Run(ctx) }()
		f(&virtual{fw, m, status, time.Now()})
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, m.trouble) {
			t.Error(err)
		}
	})
}

// notices are what the status log says in sentences.
func notices(l *model.StatusLog) (texts []string) {
	entries, _, _ := l.After(0)
	for _, s := range entries {
		if s.Notice != "" {
			texts = append(texts, s.Notice)
		}
	}
	return texts
}

// forwards are the tries that the status log was told of.
func forwards(l *model.StatusLog) (tries []model.Forward) {
	entries, _, _ := l.After(0)
	for _, s := range entries {
		if s.Forward != nil {
			tries = append(tries, *s.Forward)
		}
	}
	return tries
}
