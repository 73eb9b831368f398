package printer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"aspectop/feed"
	"aspectop/model"
)

// memory is a journal in memory.
type memory struct {
	mu      sync.Mutex
	kept    []model.Delivery // in the order of Seq
	changes int
	seen    int
	err     error // answers every call, if not nil
}

// keep appends deliveries and numbers them.
func (m *memory) keep(deliveries ...model.Delivery) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range deliveries {
		d.Seq = int64(len(m.kept) + 1)
		if d.Message == 0 {
			d.Message, d.Attempt = d.Seq, 1
		}
		m.kept = append(m.kept, d)
	}
	m.changes++
}

// fail makes every call answer with the error.
func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

func (m *memory) After(ctx context.Context, seq int64, limit int) ([]model.Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rest := m.kept[min(int(seq), len(m.kept)):]
	return rest[:min(limit, len(rest))], errors.Join(m.err, ctx.Err())
}

func (m *memory) Before(ctx context.Context, seq int64, limit int) ([]model.Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	older := slices.Clone(m.kept[:min(int(seq-1), len(m.kept))])
	slices.Reverse(older)
	return older[:min(limit, len(older))], errors.Join(m.err, ctx.Err())
}

func (m *memory) Get(ctx context.Context, seq int64) (model.Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if seq < 1 || int(seq) > len(m.kept) {
		return model.Delivery{}, fmt.Errorf("no delivery %d", seq)
	}
	return m.kept[seq-1], errors.Join(m.err, ctx.Err())
}

func (m *memory) Range(ctx context.Context) (first, last int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return min(1, int64(len(m.kept))), int64(len(m.kept)), errors.Join(m.err, ctx.Err())
}

func (m *memory) Wait(ctx context.Context) error {
	for {
		m.mu.Lock()
		changed, err := m.changes != m.seen || m.seen == 0, m.err
		m.seen = m.changes
		m.mu.Unlock()
		if changed || err != nil {
			return errors.Join(err, ctx.Err())
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (m *memory) Since(ctx context.Context, t time.Time) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := sort.Search(len(m.kept), func(i int) bool { return !m.kept[i].Received.Before(t) })
	return int64(i), errors.Join(m.err, ctx.Err())
}

// noon is when the tests begin.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const (
	taskA  = "2e1c7e42-0000-4000-8000-00000000000a"
	taskB  = "77aa0b1c-0000-4000-8000-00000000000b"
	assetA = "9f3c5d11-0000-4000-8000-0000000000aa"
)

// delivery is a first delivery by webhook, so many seconds after noon.
func delivery(id string, second int, body string) model.Delivery {
	return model.Delivery{
		ID: id, Source: model.SourceWebhook, Secret: "default",
		Received: noon.Add(time.Duration(second) * time.Second), Body: []byte(body),
	}
}

// repeat is another arrival of a message.
func repeat(of int64, id string, attempt, second int) model.Delivery {
	d := delivery(id, second, "")
	d.Message, d.Attempt, d.Body = of, attempt, nil
	return d
}

// envelope is the body of an event; features are pairs of name and state, and
// updated is in seconds after noon.
func envelope(typ, task string, updated int, features ...string) string {
	stamp := noon.Add(time.Duration(updated) * time.Second).Format(time.RFC3339)
	var list []string
	for i := 0; i < len(features); i += 2 {
		list = append(list, fmt.Sprintf("%q:{\"state\":%q}", features[i], features[i+1]))
	}
	return fmt.Sprintf(`{"timestamp":%q,"user_id":"user","event_id":"event-%d","event_type":%q,"data":{"task":{"id":%q,"asset_id":%q,`+
		`"features":{%s},"user_id":"user","created":"2026-11-23T12:00:00Z","updated":%q}}}`,
		stamp, updated, typ, task, assetA, strings.Join(list, ","), stamp)
}

// run folds a journal and prints it.
func run(ctx context.Context, o Options, journal feed.Journal) error {
	o.Feed = feed.New(feed.Options{Journal: journal, Now: o.Now})
	if err := o.Feed.Open(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	o.From = o.Feed.Opened()
	if o.Ready == nil {
		ready := make(chan Ready, 1)
		ready <- Ready{URL: "http://127.0.0.1:8787/webhooks/aspect", Journal: "/home/me/journal.db", PID: 4711}
		o.Ready = ready
	}
	folding, stop := context.WithCancel(context.WithoutCancel(ctx))
	folded := make(chan struct{})
	go func() {
		o.Feed.Run(folding)
		close(folded)
	}()
	err := Run(ctx, o)
	stop()
	<-folded
	return err
}

// upToReady is run until the ready line is printed.
func upToReady(ctx context.Context, o Options, journal feed.Journal) error {
	ctx, cancel := context.WithCancel(ctx)
	ready := make(chan Ready)
	go func() {
		defer cancel()
		select {
		case ready <- Ready{URL: "http://127.0.0.1:8787/webhooks/aspect"}:
		case <-ctx.Done():
		}
	}()
	o.Ready = ready
	return run(ctx, o, journal)
}

// newsTime is how long it takes at most until the printer has printed what was
// kept.
const newsTime = 100 * time.Millisecond
