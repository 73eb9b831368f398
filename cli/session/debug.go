package session

import (
	"context"
	"log/slog"
	"time"

	"aspectop/model"
	"aspectop/receiver"
)

// debugging reports whether ASPECTOP_DEBUG names a file.
func debugging() bool { return slog.Default().Enabled(context.Background(), slog.LevelDebug) }

// appender is the journal that sources append to. With the debug log it logs every
// delivery.
func (s *Session) appender() receiver.Appender {
	if debugging() {
		return logged{s.journal}
	}
	return s.journal
}

type logged struct{ receiver.Appender }

func (l logged) Append(ctx context.Context, d *model.Delivery) error {
	began := time.Now()
	err := l.Appender.Append(ctx, d)
	slog.Debug("delivery", "id", d.ID, "source", d.Source, "secret", d.Secret, "bytes", len(d.Body),
		"seq", d.Seq, "attempt", d.Attempt, "took", time.Since(began), "err", err)
	return err
}

// logStatus copies the status log to the debug log until ctx ends: rejections,
// tunnel, forwards, notices and viewers.
func (s *Session) logStatus(ctx context.Context) {
	for cursor := int64(0); ; {
		entries, lost, next := s.status.After(cursor)
		cursor = next
		if lost > 0 {
			slog.Debug("status entries lost", "count", lost)
		}
		for _, e := range entries {
			switch {
			case e.Rejected != nil:
				slog.Debug("rejected", "id", e.Rejected.ID, "reason", e.Rejected.Verdict.Reason, "detail", e.Rejected.Verdict.String())
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
		}
		if s.status.Wait(ctx, cursor) != nil {
			return
		}
	}
}
