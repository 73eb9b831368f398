package model

import (
	"fmt"
	"sync"
	"testing"
)

func TestTheStatusLogCountsWhatAReaderMissed(t *testing.T) {
	log := NewStatusLog(3)
	read := func(cursor int64, wantNotices string, wantLost, wantNext int64) {
		t.Helper()
		entries, lost, next := log.After(cursor)
		notices := ""
		for i, e := range entries {
			notices += e.Notice
			if e.Pos != next-int64(len(entries)-1-i) {
				t.Errorf("entry %q has position %d", e.Notice, e.Pos)
			}
		}
		if notices != wantNotices || lost != wantLost || next != wantNext {
			t.Errorf("after %d: %q, %d lost, next %d; want %q, %d, %d", cursor, notices, lost, next, wantNotices, wantLost, wantNext)
		}
	}
	read(0, "", 0, 0)
	for i, notice := range []string{"a", "b", "c", "d", "e"} {
		log.Add(Status{Notice: notice})
		if i == 1 {
			read(0, "ab", 0, 2)
			read(2, "", 0, 2)
		}
	}
	read(2, "cde", 0, 5)
	read(4, "e", 0, 5)
	read(5, "", 0, 5)
	read(0, "cde", 2, 5)
	read(9, "", 0, 5) // a cursor from elsewhere
}

func TestEveryReaderOfTheStatusLogGetsEachEntryOrItsLoss(t *testing.T) {
	const writers, each, readers = 4, 500, 3
	log := NewStatusLog(64)
	var writing, reading sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				log.Add(Status{Notice: fmt.Sprint(w, " ", i)})
			}
		})
	}
	for range readers {
		reading.Go(func() {
			var cursor, seen, missed int64
			for cursor < writers*each {
				entries, lost, next := log.After(cursor)
				if len(entries) > 0 && entries[0].Pos != cursor+lost+1 {
					t.Errorf("after %d with %d lost comes %d", cursor, lost, entries[0].Pos)
				}
				seen, missed, cursor = seen+int64(len(entries)), missed+lost, next
			}
			if seen+missed != writers*each {
				t.Errorf("%d seen and %d lost of %d", seen, missed, writers*each)
			}
		})
	}
	writing.Wait()
	reading.Wait()
}
