package session

import (
	"context"
	"log/slog"
	"time"

	"aspectop/model"
	"aspectop/receiver"
	"aspectop/words"
)

func debugging() bool { return slog.Default().Enabled(context.Background(), slog.LevelDebug) }

// appender is the journal that sources append to. With the debug log it logs every
// delivery.
func (s *Session) appender() receiver.Appender {
	if !debugging() {
		return s.journal
	}
	return observed{s.journal, debugDelivery}
}

func debugDelivery(d *model.Delivery, took time.Duration, err error) {
	slog.Debug("delivery", "id", d.ID, "source", d.Source, "secret", d.Secret, "bytes", len(d.Body),
		"seq", d.Seq, "attempt", d.Attempt, "took", took, "err", err)
}

// observed reports how long appending took.
type observed struct {
	receiver.Appender
	report func(d *model.Delivery, took time.Duration, err error)
}

func (o observed) Append(ctx context.Context, d *model.Delivery) error {
	began := time.Now()
	err := o.Appender.Append(ctx, d)
	o.report(d, time.Since(began), err)
	return err
}

// logStatus copies the status log to the debug log until ctx ends: rejections,
// tunnel, forwards, notices and viewers.
func (s *Session) logStatus(ctx context.Context) {
	s.eachStatus(ctx, 0, func(e *model.Status) {
		switch {
		case e.Rejected != nil:
			slog.Debug("rejected", "id", e.Rejected.ID, "reason", e.Rejected.Verdict.Reason, "detail", words.RejectedFor(e.Rejected, true))
		case e.Tunnel != nil:
			slog.Debug("tunnel", "state", e.Tunnel.State, "url", e.Tunnel.PublicURL, "detail", e.Tunnel.Detail)
		case e.Forward != nil:
			f := e.Forward
			slog.Debug("forward", "seq", f.Seq, "to", f.To, "status", f.Status, "try", f.Tries, "took", f.Latency, "resigned", f.Resigned, "err", f.Error)
		case e.Viewer != nil:
			slog.Debug("viewer", "name", e.Viewer.Name, "left", e.Viewer.Left, "watching", e.Viewer.Watching)
		case e.Notice != "":
			slog.Debug("notice", "text", e.Notice)
		}
	})
}

// eachStatus calls f with every entry of the status log behind the cursor, until ctx
// ends, and returns the cursor then.
func (st *Store) eachStatus(ctx context.Context, cursor int64, f func(*model.Status)) int64 {
	news := st.status.News(ctx)
	for ended := false; !ended; {
		select {
		case <-news:
		case <-ctx.Done():
			ended = true
		}
		entries, lost, next := st.status.After(cursor)
		if cursor = next; lost > 0 {
			slog.Debug("status entries lost", "count", lost)
		}
		for i := range entries {
			f(&entries[i])
		}
	}
	return cursor
}
