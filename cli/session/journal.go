package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/journal"
	"aspectop/model"
)

// OpenJournal opens the session's journal for appending.
func (s *Session) OpenJournal(ctx context.Context, flag string, retain time.Duration) error {
	h, err := settings.HomeOf(flag)
	if err != nil {
		return err
	}
	_, missing := os.Lstat(h.File())
	if s.journal, err = h.Open(ctx, journal.Options{Retain: retain, Holding: s.tellHolder("retention")}); err != nil {
		if !strings.Contains(err.Error(), "--journal") {
			err = fmt.Errorf("%w (use --journal to choose another)", err)
		}
		return err
	}
	if flag != "" && h.File() != "" && errors.Is(missing, fs.ErrNotExist) {
		s.Remark("created a new journal at " + h.File()) // the name may be misspelt
	}
	s.place, s.temporary = s.journal.Place(), h.InMemory()
	s.tellDamage(s.journal)
	s.remarks = append(s.remarks, h.Remarks()...)
	if s.reader, err = s.journal.Reader(); err != nil {
		s.journal.Close()
		return exit.Setup(err)
	}
	return nil
}

// OpenReader opens another reader of the session's journal, which is closed with
// the session.
func (s *Session) OpenReader() (journal.Reader, error) {
	r, err := s.newReader()
	if err != nil {
		return nil, err
	}
	s.readers = append(s.readers, r)
	return r, nil
}

// newReader opens a reader that the caller closes before the session.
func (s *Session) newReader() (r journal.Reader, err error) {
	if s.journal != nil {
		r, err = s.journal.Reader()
	} else {
		r, err = s.home.Reader()
		s.tellDamage(r)
	}
	if err != nil {
		return nil, exit.Setup(err)
	}
	return r, nil
}

// tellDamage says what turns out to be unreadable of a journal, or by a reader
// of one. Several readers find the same, which is said once.
func (s *Session) tellDamage(journalOrReader any) {
	settings.OnDamage(journalOrReader, func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if text := err.Error(); text != s.damage {
			s.damage = text
			s.told().Add(model.Status{At: time.Now(), Notice: text})
		}
	})
}

// Journal is the journal the session writes, nil if another process writes it.
func (s *Session) Journal() journal.Journal { return s.journal }

// hold runs a job that only one of the processes on a journal may do at a time. If
// another process does it, hold says so and waits.
func (s *Session) hold(ctx context.Context, job string, run func(context.Context) error) error {
	err := s.journal.Hold(ctx, job, s.tellHolder(job), run)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// tellHolder says who does a job, if it is or was another process.
func (s *Session) tellHolder(job string) func(journal.Holder) {
	elsewhere := false
	return func(h journal.Holder) {
		switch {
		case !h.Self && h.Name != "":
			s.notice(fmt.Sprintf("%s: done by %s; this process takes over when it ends", job, h.Name))
		case h.Self && elsewhere:
			s.notice("this process has taken over " + job)
		}
		elsewhere = !h.Self
	}
}
