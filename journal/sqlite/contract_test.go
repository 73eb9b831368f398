package sqlite

import (
	"testing"

	"aspectop/journal"
	"aspectop/journal/journaltest"
)

type file string

func (f file) Open(t testing.TB, o journal.Options) journal.Journal { return mustOpen(t, string(f), o) }
func (f file) Reader(t testing.TB) journal.Reader                   { return mustRead(t, string(f)) }

func TestAFileKeepsWhatAJournalPromises(t *testing.T) {
	journaltest.Run(t, func(t testing.TB) journaltest.Home { return file(newPath(t)) })
}
