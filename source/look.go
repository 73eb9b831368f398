package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aspectop/aspect"
	"aspectop/broadcast"
	"aspectop/model"
)

// found is what one look brought.
type found struct {
	active  int
	more    bool  // there are tasks left to ask for
	refused int   // tasks that could not be asked for
	why     error // the first time
}

func (f found) String() string {
	s := fmt.Sprintf("%d active tasks", f.active)
	if f.active == 1 {
		s = "1 active task"
	}
	if f.refused > 0 {
		s += fmt.Sprintf("; %d failed: %v", f.refused, f.why)
	}
	return s
}

// look asks for the active tasks, and for those that are missing among them.
func (p *Poller) look(ctx context.Context) (found, error) {
	// A task that is unfinished now and not in the list was not created in
	// between.
	if err := p.catchUp(ctx); err != nil {
		return found{}, err
	}
	before := p.c.History.unfinished(time.Now().Add(-goneAsked))
	list, err := p.c.API.ActiveTasks(ctx)
	if err != nil {
		return found{}, err
	}
	if p.c.Wanted != nil && p.wanted == nil {
		ids := make([]string, len(list))
		for i, t := range list {
			ids[i] = t.ID
		}
		if p.wanted = p.c.Wanted(ids); ctx.Err() != nil {
			return found{}, ctx.Err()
		}
	}
	if err := p.catchUp(ctx); err != nil {
		return found{}, err
	}
	f := found{active: len(list)}
	listed := make(map[string]bool, len(list))
	for _, t := range list {
		listed[t.ID] = true
		if _, err := p.enter(ctx, t, true); err != nil {
			return f, err
		}
	}
	return f, p.askFor(ctx, slices.DeleteFunc(p.open(before), func(id string) bool { return listed[id] }), &f)
}

// open adds the wanted tasks that are not done as far as is known.
func (p *Poller) open(open []string) []string {
	for _, id := range p.wanted {
		if t, known := p.c.History.task(id); (!known || t.gone && !t.terminal) && !slices.Contains(open, id) {
			open = append(open, id)
		}
	}
	return open
}

// askFor asks for tasks by their ids, as far as their time has come.
func (p *Poller) askFor(ctx context.Context, ids []string, f *found) error {
	before := p.asks
	p.asks = make(map[string]ask, len(ids)) // without those that need not be asked for any more
	for _, id := range ids {
		if a, ok := before[id]; ok {
			p.asks[id] = a
		}
	}
	asked := 0
	for _, id := range ids {
		last := p.asks[id]
		if t, _ := p.c.History.task(id); last.gone && !t.gone { // it came back by another way
			last = ask{}
		}
		if time.Now().Before(last.next) {
			continue
		}
		if asked == asksAtOnce {
			f.more = true
			return nil
		}
		if asked++; asked > 1 {
			broadcast.Sleep(ctx, askPause)
		}
		news, gone, err := p.ask(ctx, id)
		switch {
		case aboutOne(err):
			if f.refused++; f.why == nil {
				f.why = err
			}
		case err != nil:
			return err
		}
		if !news && !slices.Contains(p.wanted, id) {
			first := firstAsk
			if gone {
				first = firstGoneAsk
			}
			wait := min(max(first, 2*last.wait), lastAsk)
			p.asks[id] = ask{gone, wait, time.Now().Add(wait)}
		}
	}
	return nil
}

// ask asks for one task, and reports whether there was news of it, and whether the
// API does not know it.
func (p *Poller) ask(ctx context.Context, id string) (news, gone bool, err error) {
	t, err := p.c.API.Task(ctx, id)
	gone = errors.Is(err, aspect.ErrNotFound)
	if err != nil && !gone {
		return false, false, err
	}
	if err := p.catchUp(ctx); err != nil {
		return false, gone, err
	}
	if gone {
		news, err = p.enterGone(ctx, id)
	} else {
		news, err = p.enter(ctx, t, false)
	}
	return news, gone, err
}

// enter puts a task into the journal if that has not heard of it. One from the
// list of active tasks may be too old to be news.
func (p *Poller) enter(ctx context.Context, t aspect.Task, listed bool) (news bool, err error) {
	d := &model.Delivery{Source: model.SourceAPI, Received: time.Now().UTC(), Body: t.Raw}
	s := model.Decode(d).Task
	if s == nil {
		return false, nil // no task has an empty id
	}
	d.ID = snapshotID(s)
	switch before, known := p.c.History.task(s.ID); {
	case !known:
		if listed && failedLongAgo(s, d.Received) {
			return false, nil
		}
	case before.gone:
		d.ID = turnID(s, before)
	case !newsTo(before, s):
		return false, nil
	}
	if p.c.History.has(d.ID) {
		return false, nil
	}
	return true, p.keep(ctx, d)
}

// enterGone notes that the API does not know a task, if that is news.
func (p *Poller) enterGone(ctx context.Context, id string) (news bool, err error) {
	before, known := p.c.History.task(id)
	if before.gone || known && before.terminal { // it ended while it was asked for
		return false, nil
	}
	before.ID = id
	now := time.Now().UTC()
	return true, p.keep(ctx, &model.Delivery{
		ID: turnID(&before.Snapshot, before), Source: model.SourceAPI, Received: now,
		Body: goneBody(&before.Snapshot, now),
	})
}

func (p *Poller) keep(ctx context.Context, d *model.Delivery) error {
	if err := p.c.Journal.Append(ctx, d); err != nil {
		return fmt.Errorf("%w could not store what Aspect's API returned: %w", errJournal, err)
	}
	return nil
}

func (p *Poller) catchUp(ctx context.Context) error {
	if err := p.c.History.catchUp(ctx); err != nil {
		return fmt.Errorf("%w could not be read: %w", errJournal, err)
	}
	return nil
}

// failedLongAgo reports whether the task failed and then was left alone. If it
// tells no time at all, it might be new.
func failedLongAgo(s *model.Snapshot, now time.Time) bool {
	last := s.Updated
	if last.IsZero() {
		last = s.Created
	}
	return !last.IsZero() && now.Sub(last) > longAgo && s.State() == model.Failed
}
