package source

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/aspect"
	"aspectop/feed"
	"aspectop/model"
)

// memory is a journal without a disk.
type memory struct {
	mu   sync.Mutex
	kept []model.Delivery
	full error // what Append answers, if not nil
	lost error // why it cannot be read, if not nil

	streams map[string]string // last event ids

	grown  chan struct{} // closed when something is appended
	waited int           // deliveries that Wait has told of
}

// historyOf is the history of a journal, folded until the test ends.
func historyOf(t testing.TB, j feed.Journal) *History {
	f := feed.New(feed.Options{Journal: j})
	h := NewHistory(f)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		f.Run(ctx)
		close(ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return h
}

func (m *memory) Append(ctx context.Context, d *model.Delivery) error {
	return m.AppendAll(ctx, []*model.Delivery{d})
}

func (m *memory) AppendAll(ctx context.Context, deliveries []*model.Delivery) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.full != nil {
		return m.full
	}
	for _, d := range deliveries {
		d.Seq = int64(len(m.kept) + 1)
		d.Message, d.Attempt = d.Seq, 1
		for _, k := range m.kept {
			if k.ID == d.ID || k.ID == d.Twin {
				d.Message, d.Attempt = k.Message, d.Attempt+1
			}
		}
		m.kept = append(m.kept, *d)
	}
	if m.grown != nil {
		close(m.grown)
		m.grown = nil
	}
	return nil
}

func (m *memory) SaveStreamID(key, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full != nil {
		return m.full
	}
	if m.streams == nil {
		m.streams = map[string]string{}
	}
	m.streams[key] = id
	return nil
}

func (m *memory) StreamIDs(context.Context) (map[string]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.streams), m.lost
}

func (m *memory) Before(_ context.Context, seq int64, limit int) ([]model.Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	older := slices.Clone(m.kept[:min(int(seq-1), len(m.kept))])
	slices.Reverse(older)
	return older[:min(limit, len(older))], nil
}

func (m *memory) Get(_ context.Context, seq int64) (model.Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept[seq-1], nil
}

func (m *memory) Since(context.Context, time.Time) (int64, error) { return 0, nil }

func (m *memory) Wait(ctx context.Context) error {
	m.mu.Lock()
	if m.waited < len(m.kept) {
		m.waited = len(m.kept)
		m.mu.Unlock()
		return nil
	}
	if m.grown == nil {
		m.grown = make(chan struct{})
	}
	grown := m.grown
	m.mu.Unlock()
	select {
	case <-grown:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *memory) After(_ context.Context, seq int64, limit int) ([]model.Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.kept[seq:min(int(seq)+limit, len(m.kept))]), nil
}

func (m *memory) Range(context.Context) (first, last int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return min(1, int64(len(m.kept))), int64(len(m.kept)), m.lost
}

func (m *memory) setFull(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full = err
}

// receive keeps a webhook.
func (m *memory) receive(t testing.TB, body string) {
	t.Helper()
	d := &model.Delivery{ID: fmt.Sprint("msg_", len(m.deliveries())+1), Source: model.SourceWebhook, Received: time.Now(), Body: []byte(body)}
	if err := m.Append(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

func (m *memory) deliveries() []model.Delivery {
	all, _ := m.After(context.Background(), 0, 1<<30)
	return all
}

func (m *memory) board() *model.Board { return boardOf(m.deliveries()) }

func boardOf(deliveries []model.Delivery) *model.Board {
	b := model.NewBoard()
	for i := range deliveries {
		e := model.Decode(&deliveries[i])
		b.Fold(&e)
	}
	return b
}

// told lists deliveries by source and type.
func told(deliveries []model.Delivery) string {
	var s []string
	for i := range deliveries {
		s = append(s, string(deliveries[i].Source)+" "+model.Decode(&deliveries[i]).Type)
	}
	return strings.Join(s, ", ")
}

// task is a task as the API tells it; features are written visual:queued.
func task(id string, updated time.Time, features string) string {
	told := map[string]any{}
	for _, f := range strings.Fields(features) {
		name, state, _ := strings.Cut(f, ":")
		told[name] = map[string]any{"state": state, "storage_variant": nil}
	}
	body, _ := json.Marshal(map[string]any{
		"id": id, "asset_id": "asset-" + id, "features": told, "user_id": "user",
		"created": updated.Add(-time.Hour).UTC().Format(time.RFC3339Nano), "updated": updated.UTC().Format(time.RFC3339Nano),
	})
	return string(body)
}

// envelope is a webhook's body, sent when the task was updated.
func envelope(event, typ, task string) string {
	var t struct{ Updated string }
	_ = json.Unmarshal([]byte(task), &t)
	return fmt.Sprintf(`{"timestamp":%q,"user_id":"user","event_id":%q,"event_type":%q,"data":{"task":%s}}`, t.Updated, event, typ, task)
}

// account is what Aspect's API tells, in memory.
type account struct {
	mu     sync.Mutex
	active []string
	tasks  map[string]string // beside the active ones
	refuse map[string]error  // by the id of a task or asset
	err    error             // of every call
	polls  []time.Time       // calls for the active tasks
	asked  []string          // calls for one task or asset, by its id
}

// set changes the account.
func (a *account) set(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

func (a *account) calls() (polls []time.Time, asked []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.polls), slices.Clone(a.asked)
}

func idOf(raw string) string {
	var t struct{ ID string }
	_ = json.Unmarshal([]byte(raw), &t)
	return t.ID
}

func (a *account) ActiveTasks(context.Context) ([]aspect.Task, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.polls = append(a.polls, time.Now())
	var tasks []aspect.Task
	for _, raw := range a.active {
		tasks = append(tasks, aspect.Task{ID: idOf(raw), Raw: json.RawMessage(raw)})
	}
	return tasks, a.err
}

func (a *account) Task(_ context.Context, id string) (aspect.Task, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, id)
	raw, ok := a.tasks[id]
	switch {
	case a.err != nil || a.refuse[id] != nil:
		return aspect.Task{}, firstError(a.err, a.refuse[id])
	case !ok:
		return aspect.Task{}, refusal(404)
	}
	return aspect.Task{ID: id, Raw: json.RawMessage(raw)}, nil
}

func (a *account) Asset(_ context.Context, id string) (aspect.Asset, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, id)
	a.polls = append(a.polls, time.Now())
	if err := firstError(a.err, a.refuse[id]); err != nil {
		return aspect.Asset{}, err
	}
	return aspect.Asset{ID: id, Name: "name of " + id}, nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func refusal(status int) *aspect.APIError {
	return &aspect.APIError{Status: status, Method: "GET", Path: "/tasks/active"}
}

// reports are those that a source made.
type reports struct {
	mu  sync.Mutex
	all []Report
}

func (r *reports) add(p Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, p)
}

func (r *reports) last() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[len(r.all)-1]
}

func (r *reports) notices() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var notices []string
	for _, p := range r.all {
		if p.Notice != "" {
			notices = append(notices, p.Notice)
		}
	}
	return notices
}

// start runs f until the test ends, or stop is called.
func start(t testing.TB, f func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

// pass lets d pass on the bubble's clock.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// wanting are the tasks that a poller asks for by their ids.
func wanting(tasks ...string) func(active []string) []string {
	return func([]string) []string { return tasks }
}
