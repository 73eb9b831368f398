package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"aspectop/journal"
	"aspectop/model"
)

// marked is a delivery whose body, of about that size, tells at every place whose
// it is.
func marked(n, size int) *model.Delivery {
	d := delivery(fmt.Sprint("msg_", n), strings.Repeat(mark(n), max(1, size/len(mark(n)))))
	d.Header["Mark"] = []string{mark(n)}
	return d
}

func mark(n int) string { return fmt.Sprintf("<mark %06d>", n) }

// sampleJournal makes a journal of some hundred deliveries: small ones, some that
// take several pages, repeats, and outcomes of forwards. It is big enough that
// its table has pages that lead to others.
func sampleJournal(t testing.TB) (file []byte, kept []model.Delivery) {
	t.Helper()
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	for n := range 220 {
		size := 300 + 40*(n%7)
		if n%40 == 11 {
			size = 50_000
		}
		d := marked(n, size)
		if n%50 == 49 {
			d = marked(n-9, 300+40*((n-9)%7)) // a repeat
			d.Header["Mark"] = []string{mark(n)}
		}
		kept = append(kept, *mustAppend(t, j, d))
		if n%50 == 49 {
			kept[n].Body = nil
		}
	}
	for seq := int64(1); seq < 60; seq++ {
		f := model.Forward{Seq: seq, At: received, Status: 204, Tries: 1, Final: true, Body: []byte("ok")}
		if err := j.SaveForwards("key", "http://handler", seq, []model.Forward{f}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file, kept
}

// touched returns which deliveries have a byte in that part of the file.
func touched(file []byte, from, to int) map[int64]bool {
	found := make(map[int64]bool)
	part := file[max(0, from-12):min(len(file), to+12)] // a mark may lie across the border
	for i := 0; ; {
		at := bytes.Index(part[i:], []byte("<mark "))
		if at < 0 {
			return found
		}
		var n int64
		if _, err := fmt.Sscanf(string(part[i+at:min(len(part), i+at+13)]), "<mark %06d>", &n); err == nil {
			found[n+1] = true
		}
		i += at + 6
	}
}

// leafOf returns where the page of rows begins that holds the delivery.
func leafOf(t *testing.T, file []byte, n int) int {
	t.Helper()
	for at := pageSize; at < len(file); at += pageSize {
		if file[at] == leafPage && bytes.Contains(file[at:at+pageSize], []byte(mark(n))) {
			return at
		}
	}
	t.Fatal("there is no such page")
	return 0
}

// damaging writes a damaged journal into a folder of its own.
func damaging(t testing.TB, files map[string][]byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "journal.db")
	for ending, content := range files {
		if err := os.WriteFile(path+ending, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// without are the deliveries that are not touched, and not repeats of one that
// is.
func without(kept []model.Delivery, touched map[int64]bool) (rest []model.Delivery) {
	for _, d := range kept {
		if !touched[d.Seq] {
			rest = append(rest, d)
		}
	}
	return rest
}

// holds wants the journal to hold at least these deliveries just as they were, and
// nothing that never was.
func holds(t *testing.T, what string, got, want, all []model.Delivery) {
	t.Helper()
	bySeq := make(map[int64]model.Delivery)
	for _, d := range got {
		bySeq[d.Seq] = d
		if d.Seq < 1 || int(d.Seq) > len(all) || all[d.Seq-1].ID != d.ID {
			t.Errorf("%s: number %d has %q, which never was", what, d.Seq, d.ID)
		}
	}
	for _, d := range want {
		if found, ok := bySeq[d.Seq]; !ok {
			t.Errorf("%s: number %d is missing", what, d.Seq)
		} else if !reflect.DeepEqual(found, d) {
			t.Errorf("%s: number %d is not what it was", what, d.Seq)
		}
	}
}

// damages are ways in which a page can be spoiled.
var damages = []struct {
	name  string
	spoil func(page []byte)
}{
	{"zeros", func(page []byte) { clear(page) }},
	{"noise", func(page []byte) { rand.NewChaCha8([32]byte{}).Read(page) }},
	{"ones", func(page []byte) { copy(page, bytes.Repeat([]byte{0xff}, len(page))) }},
	{"its head", func(page []byte) { copy(page, bytes.Repeat([]byte{0xa5}, 16)) }},
}

// The first byte of a page of a table: one that leads to others, and one of rows.
const interiorPage, leafPage = 0x05, 0x0d

func TestADamagedPageCostsOnlyWhatIsOnIt(t *testing.T) {
	file, kept := sampleJournal(t)
	read := 0
	for at := 0; at < len(file); at += pageSize {
		for i := range 2 {
			damage := damages[(at/pageSize+i)%len(damages)]
			what := fmt.Sprintf("page %d, %s", at/pageSize+1, damage.name)
			damaged := bytes.Clone(file)
			damage.spoil(damaged[at : at+pageSize])
			rest := without(kept, touched(file, at, at+pageSize))
			r, err := OpenReader(damaging(t, map[string][]byte{"": damaged}))
			if err != nil {
				if !errors.Is(err, Foreign) {
					t.Errorf("%s: opened with %v", what, err)
				}
				continue
			}
			read++
			var told []error
			r.OnDamage(func(err error) { told = append(told, err) })
			got, end := readable(t, r)
			if at > 0 && file[at] == interiorPage {
				rest = nil // what it leads to is out of reach
			}
			holds(t, what, got, rest, kept)
			if len(got) < len(kept) && (len(told) != 1 || len(r.Unreadable()) == 0) {
				t.Errorf("%s: %d are left out, and it says %v", what, len(kept)-len(got), told)
			}
			back, err := r.Before(t.Context(), math.MaxInt64, 1000)
			if slices.Reverse(back); err == nil && !reflect.DeepEqual(back, got) || err != nil && !end {
				t.Errorf("%s: forwards %d, backwards %d (%v)", what, len(got), len(back), err)
			}
			r.Close()
			if t.Failed() {
				return
			}
		}
	}
	if read == 0 {
		t.Error("no damaged file could be read")
	}
}

// readable reads what can be read, and reports whether the end cannot be.
func readable(t testing.TB, r *Reader) (found []model.Delivery, damagedEnd bool) {
	t.Helper()
	for last := int64(0); ; last = found[len(found)-1].Seq {
		next, err := r.After(t.Context(), last, 50)
		switch {
		case errors.Is(err, journal.ErrDamaged):
			return found, true
		case err != nil:
			t.Fatal(err)
		case len(next) == 0:
			return found, false
		}
		found = append(found, next...)
	}
}

func TestACopyOfADamagedJournalHoldsAllThatCanBeRead(t *testing.T) {
	file, kept := sampleJournal(t)
	for _, c := range []struct {
		name string
		at   int
		end  bool // what cannot be read is the end of the journal
	}{
		{"in the middle", leafOf(t, file, 100), false},
		{"at the start", leafOf(t, file, 0), false},
		{"at the end", leafOf(t, file, 219), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			damaged := bytes.Clone(file)
			clear(damaged[c.at : c.at+pageSize])
			lost := touched(file, c.at, c.at+pageSize)
			from, to := mustRead(t, damaging(t, map[string][]byte{"": damaged})), newPath(t)
			j := mustOpen(t, to, journal.Options{})
			err := journal.Copy(t.Context(), from, j, func(int64, int64) {})
			if errors.Is(err, journal.ErrDamaged) != c.end || err != nil && !c.end {
				t.Errorf("it ended with %v", err)
			}
			got := all(t, mustRead(t, to))
			holds(t, "the copy", got, without(kept, lost), kept)
			for _, d := range got {
				for _, s := range from.spans {
					if s.first <= d.Seq && d.Seq <= s.last {
						t.Errorf("number %d is copied, and listed as unreadable", d.Seq)
					}
				}
			}
			listed := int64(0)
			for _, s := range from.spans {
				listed += min(s.last, int64(len(kept))) - s.first + 1
			}
			if list := from.Unreadable(); listed != int64(len(kept)-len(got)) || len(list) != len(from.spans) || c.end != strings.HasSuffix(list[len(list)-1], " on") {
				t.Errorf("%d of %d are copied, and it lists %q", len(got), len(kept), list)
			}
			if cursor, known, err := mustRead(t, to).ForwardCursor(t.Context(), "key"); cursor != 59 || !known || err != nil {
				t.Errorf("the cursor of a handler is %d, %v, %v", cursor, known, err)
			}
			if found := mustCheck(t, to); len(found.Damage) > 0 {
				t.Errorf("the copy is not fine: %q", found.Damage)
			}
			// It is written on.
			d := mustAppend(t, j, delivery(got[0].ID, "another"))
			if d.Message != got[0].Message || !d.Differs || d.Seq != got[len(got)-1].Seq+1 {
				t.Errorf("what comes again is %+v", d)
			}
		})
	}
}

// loggedJournal makes a journal most of which is in the log still, as after a
// kill.
func loggedJournal(t testing.TB) (file, log []byte, kept []model.Delivery) {
	t.Helper()
	path := newPath(t)
	j := mustOpenUnkept(t, path, journal.Options{})
	for n := range 60 {
		kept = append(kept, *mustAppend(t, j, marked(n, 900)))
		if n == 20 {
			j.checkpoint()
		}
	}
	copied := afterKill(t, path)
	for _, f := range []struct {
		ending string
		into   *[]byte
	}{{"", &file}, {"-wal", &log}} {
		b, err := os.ReadFile(copied + f.ending)
		if err != nil {
			t.Fatal(err)
		}
		*f.into = b
	}
	return file, log, kept
}

func TestADamagedLogIsNotOpenedForWritingAndItsLossIsSaid(t *testing.T) {
	file, log, _ := loggedJournal(t)
	size := frameHeader + pageSize
	damaged := bytes.Clone(log)
	clear(damaged[logHeader+10*size : logHeader+11*size])
	path := damaging(t, map[string][]byte{"": file, "-wal": damaged})
	_, err := Open(path, journal.Options{})
	if !errors.Is(err, Corrupt) || !strings.Contains(err.Error(), "journal copy") || !strings.Contains(err.Error(), "-wal") {
		t.Errorf("opened with %v", err)
	}
	if now, _ := os.ReadFile(path + "-wal"); !bytes.Equal(now, damaged) {
		t.Error("the log was changed")
	}
	r := mustRead(t, path)
	told := make(chan error, 10)
	r.OnDamage(func(err error) { told <- err })
	if err := <-told; !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), "-wal") {
		t.Errorf("a reader says %v", err)
	}
	if list := r.Unreadable(); len(list) != 1 || !strings.Contains(list[0], "-wal") {
		t.Errorf("it lists %q", list)
	}
	// The last commit of a log may be in pieces after a power cut. It was never
	// acknowledged, so that is no damage.
	torn := bytes.Clone(log)
	clear(torn[len(torn)-size : len(torn)-size+100])
	path = damaging(t, map[string][]byte{"": file, "-wal": torn})
	mustRead(t, path).OnDamage(func(err error) { t.Error(err) })
	mustOpen(t, path, journal.Options{})
}

func TestALogWithADamagedHeaderIsNotOpenedForWriting(t *testing.T) {
	file, log, _ := loggedJournal(t)
	clear(log[:logHeader])
	if _, err := Open(damaging(t, map[string][]byte{"": file, "-wal": log}), journal.Options{}); !errors.Is(err, Corrupt) {
		t.Errorf("opened with %v", err)
	}
}

// FuzzDamage checks that no content of a file or a log makes a reader, a check or a
// copy panic or run on.
func FuzzDamage(f *testing.F) {
	file, log, _ := loggedJournal(f)
	f.Add(uint32(0), []byte{0}, uint32(0), []byte{0})
	f.Add(uint32(100), []byte{5, 0, 0, 0, 9}, uint32(0), []byte{0xff})
	f.Add(uint32(pageSize), bytes.Repeat([]byte{0xd}, 30), uint32(logHeader), []byte{0xff, 0xff, 0xff, 0xff})
	f.Add(uint32(2*pageSize+3), []byte{0xff, 0xff}, uint32(logHeader+frameHeader), []byte{0xd, 0, 0, 0, 1, 0, 9})
	f.Fuzz(func(t *testing.T, at uint32, patch []byte, logAt uint32, logPatch []byte) {
		damaged, damagedLog := bytes.Clone(file), bytes.Clone(log)
		copy(damaged[int(at)%len(damaged):], patch)
		copy(damagedLog[int(logAt)%len(damagedLog):], logPatch)
		path := damaging(t, map[string][]byte{"": damaged, "-wal": damagedLog})
		Check(t.Context(), path)
		r, err := OpenReader(path)
		if err != nil {
			return
		}
		defer r.Close()
		r.Before(t.Context(), math.MaxInt64, 1000)
		to := newPath(t)
		j := mustOpen(t, to, journal.Options{})
		journal.Copy(t.Context(), r, j, func(int64, int64) {})
		for i, d := range all(t, mustRead(t, to)) {
			if d.Seq < int64(i+1) || d.Seq > maxSeq {
				t.Errorf("number %d is copied", d.Seq)
			}
		}
	})
}
