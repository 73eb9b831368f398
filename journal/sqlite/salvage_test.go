package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

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
		fmt.Sscanf(string(part[i+at:min(len(part), i+at+13)]), "<mark %06d>", &n)
		found[n+1] = true
		i += at + 6
	}
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

func mustSalvage(t testing.TB, path string) (*Salvaged, string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "salvaged.db")
	saved, err := Salvage(t.Context(), path, out, func(int64, int64) {})
	if err != nil {
		t.Fatal(err)
	}
	return saved, out
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

func TestADamagedPageCostsOnlyWhatIsOnIt(t *testing.T) {
	file, kept := sampleJournal(t)
	read := 0
	for at := 0; at < len(file); at += pageSize {
		for i := range 2 {
			damage := damages[(at/pageSize+i)%len(damages)]
			what := fmt.Sprintf("page %d, %s", at/pageSize+1, damage.name)
			damaged := bytes.Clone(file)
			damage.spoil(damaged[at : at+pageSize])
			path := damaging(t, map[string][]byte{"": damaged})
			rest := without(kept, touched(file, at, at+pageSize))
			saved, out := mustSalvage(t, path)
			got := all(t, mustRead(t, out))
			holds(t, what, got, rest, kept)
			// How many came after the last that is left cannot be known.
			if n := saved.Deliveries + saved.Repeats; int(n) != len(got) || missing(saved.Lost) != saved.Last-int64(len(got)) || saved.Damaged == 0 && len(got) < len(kept) {
				t.Errorf("%s: it says %+v, and there are %d of %d", what, saved, len(got), len(kept))
			}
			// Where SQLite can open it, readers leave out what is damaged, and say so.
			r, err := OpenReader(path)
			if err != nil {
				if !errors.As(err, new(*CorruptError)) {
					t.Errorf("%s: opened with %v", what, err)
				}
				continue
			}
			read++
			var told error
			r.OnDamage(func(err error) { told = err })
			got = all(t, r)
			if at > 0 && file[at] == interiorPage {
				holds(t, what+", read", got, nil, kept)
			} else {
				holds(t, what+", read", got, rest, kept)
			}
			if len(got) < len(kept) && told == nil {
				t.Errorf("%s: %d are left out without a word", what, len(kept)-len(got))
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

func missing(spans []Span) (n int64) {
	for _, s := range spans {
		n += s.Last - s.First + 1
	}
	return n
}

func TestOfAFileThatIsCutShortTheRestIsSalvaged(t *testing.T) {
	file, kept := sampleJournal(t)
	for size := 0; size < len(file); size += 3*pageSize + 777 {
		what := fmt.Sprintf("cut to %d bytes", size)
		path := damaging(t, map[string][]byte{"": file[:size]})
		_, out := mustSalvage(t, path)
		holds(t, what, all(t, mustRead(t, out)), without(kept, touched(file, size/pageSize*pageSize, len(file))), kept)
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

func TestADamagedPageOfTheLogCostsNothingThatLaterPagesHold(t *testing.T) {
	file, log, kept := loggedJournal(t)
	size := frameHeader + pageSize
	for at := logHeader; at < len(log); at += 2 * size {
		damage := damages[at/size/2%len(damages)]
		what := fmt.Sprintf("frame %d, %s", at/size, damage.name)
		damaged := bytes.Clone(log)
		damage.spoil(damaged[at+frameHeader : at+size])
		path := damaging(t, map[string][]byte{"": file, "-wal": damaged})
		// What the other frames and the file hold.
		rest := touched(file, 0, len(file))
		maps.Copy(rest, touched(log, 0, at+frameHeader-12))
		maps.Copy(rest, touched(log, at+size+12, len(log)))
		gone := make(map[int64]bool)
		for _, d := range kept {
			gone[d.Seq] = !rest[d.Seq]
		}
		_, out := mustSalvage(t, path)
		holds(t, what, all(t, mustRead(t, out)), without(kept, gone), kept)
	}
	damaged := bytes.Clone(log)
	clear(damaged[:logHeader])
	_, out := mustSalvage(t, damaging(t, map[string][]byte{"": file, "-wal": damaged}))
	holds(t, "the log's header", all(t, mustRead(t, out)), kept, kept)
}

func TestADamagedLogIsNotOpenedForWritingAndItsLossIsSaid(t *testing.T) {
	file, log, _ := loggedJournal(t)
	size := frameHeader + pageSize
	damaged := bytes.Clone(log)
	clear(damaged[logHeader+10*size : logHeader+11*size])
	path := damaging(t, map[string][]byte{"": file, "-wal": damaged})
	_, err := Open(path, journal.Options{})
	if !errors.As(err, new(*CorruptError)) || !strings.Contains(err.Error(), "salvage") || !strings.Contains(err.Error(), "-wal") {
		t.Errorf("opened with %v", err)
	}
	if now, _ := os.ReadFile(path + "-wal"); !bytes.Equal(now, damaged) {
		t.Error("the log was changed")
	}
	// The last commit of a log may be in pieces after a power cut. It was never
	// acknowledged, so that is no damage.
	torn := bytes.Clone(log)
	clear(torn[len(torn)-size : len(torn)-size+100])
	mustOpen(t, damaging(t, map[string][]byte{"": file, "-wal": torn}), journal.Options{})
}

func TestASalvagedJournalIsWrittenOn(t *testing.T) {
	file, kept := sampleJournal(t)
	at := len(file) / pageSize / 2 * pageSize
	clear(file[at : at+pageSize])
	_, out := mustSalvage(t, damaging(t, map[string][]byte{"": file}))
	j := mustOpen(t, out, journal.Options{})
	if d := mustAppend(t, j, delivery("msg_0", kept[0].ID)); d.Message != 1 || !d.Differs || d.Seq != int64(len(kept)+1) {
		t.Errorf("what comes again is %+v", d)
	}
	r := mustRead(t, out)
	if cursor, known, err := r.ForwardCursor(t.Context(), "key"); cursor != 59 || !known || err != nil {
		t.Errorf("the cursor of a handler is %d, %v, %v", cursor, known, err)
	}
	if found, err := r.Forwards(t.Context(), 5); len(found) != 1 || found[0].Status != 204 || err != nil {
		t.Errorf("the outcome of a forward is %+v, %v", found, err)
	}
}

func TestWhatRetentionRemovedIsNotSalvagedBack(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	for n := range 300 {
		d := marked(n, 2000)
		d.Received = received.Add(time.Duration(n) * time.Hour)
		mustAppend(t, j, d)
	}
	j.Close()
	now := received.Add(300 * time.Hour)
	j = mustOpen(t, path, journal.Options{Retain: 100 * time.Hour, Now: func() time.Time { return now }})
	r := mustRead(t, path)
	deadline := time.Now().Add(20 * time.Second)
	for first := int64(0); first < 200; time.Sleep(time.Millisecond) {
		var err error
		if first, _, err = r.Range(t.Context()); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("retention removes nothing")
		}
	}
	r.Close() // so that the last close brings the log into the file
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// The page that leads to all others.
	for at := pageSize; at < len(file); at += pageSize {
		if file[at] == interiorPage {
			clear(file[at : at+pageSize])
		}
	}
	saved, out := mustSalvage(t, damaging(t, map[string][]byte{"": file}))
	for _, d := range all(t, mustRead(t, out)) {
		if d.Seq <= 200 {
			t.Errorf("number %d is back", d.Seq)
		}
	}
	if saved.Deliveries != 100 || len(saved.Lost) > 0 {
		t.Errorf("%+v", saved)
	}
}

func TestSalvageNeverOverwritesAndLeavesNothingHalf(t *testing.T) {
	file, _ := sampleJournal(t)
	path := damaging(t, map[string][]byte{"": file})
	folder := t.TempDir()
	out := filepath.Join(folder, "out.db")
	for _, name := range []string{out, out + "-wal"} {
		if err := os.WriteFile(name, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Salvage(t.Context(), path, out, func(int64, int64) {}); !errors.Is(err, fs.ErrExist) {
			t.Errorf("with %s there: %v", filepath.Base(name), err)
		}
		if b, err := os.ReadFile(name); string(b) != "precious" || err != nil {
			t.Errorf("%s became %q, %v", filepath.Base(name), b, err)
		}
		os.Remove(name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Salvage(ctx, path, out, func(done, _ int64) {
		if done > 100 {
			cancel()
		}
	})
	if !errors.Is(err, ctx.Err()) {
		t.Errorf("interrupted: %v", err)
	}
	if left, _ := os.ReadDir(folder); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	j := mustOpen(t, path, journal.Options{})
	var locked *LockedError
	if _, err := Salvage(t.Context(), path, out, func(int64, int64) {}); !errors.As(err, &locked) {
		t.Errorf("while somebody writes: %v", err)
	}
	j.Close()
	before, _ := os.ReadFile(path)
	if _, err := Salvage(t.Context(), path, out, func(int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the damaged journal was changed")
	}
	names := make(map[string]bool)
	left, _ := os.ReadDir(folder)
	for _, e := range left {
		names[e.Name()] = true
	}
	if want := []string{"out.db"}; !slices.Equal(slices.Sorted(maps.Keys(names)), want) {
		t.Errorf("it left %v", names)
	}
}

// FuzzSalvage checks that no content of a file or a log makes salvage or a reader
// panic or run on, and that what is salvaged can be read.
func FuzzSalvage(f *testing.F) {
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
		out := filepath.Join(t.TempDir(), "out.db")
		saved, err := Salvage(t.Context(), path, out, func(int64, int64) {})
		if err != nil {
			t.Fatal(err)
		}
		if got := all(t, mustRead(t, out)); int64(len(got)) != saved.Deliveries+saved.Repeats {
			t.Errorf("%d of %d salvaged can be read", len(got), saved.Deliveries+saved.Repeats)
		}
		if r, err := OpenReader(path); err == nil {
			r.After(t.Context(), 0, 1000)
			r.Close()
		}
	})
}
