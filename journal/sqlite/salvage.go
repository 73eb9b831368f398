package sqlite

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"aspectop/private"
)

// Salvaged says what Salvage copied, and what it could not read.
type Salvaged struct {
	Deliveries, Repeats int64 // copied
	Outcomes            int64 // outcomes of forwards, copied
	Damaged             int   // pages that could not be read completely
	Last                int64 // the greatest number known to have been used
	// Lost holds the numbers that are missing because of the damage.
	Lost []Span
	// Unsure is how many further numbers are missing, because of the damage or
	// because retention removed them.
	Unsure int64
}

// salvageBatch is how many rows are written in one transaction.
const salvageBatch = 500

// Salvage copies every row of the journal at path that can be read to a new journal
// at out, under the same numbers. It reads the pages of the file and its log without
// SQLite and changes neither. It fails with a [*LockedError] while another process
// writes the journal.
//
// out is never overwritten, and appears only when it is complete and durable.
// progress is called with the number that was copied last.
func Salvage(ctx context.Context, path, out string, progress func(done, last int64)) (*Salvaged, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if out, err = filepath.Abs(out); err != nil {
		return nil, err
	}
	if err := private.Check(path, 0); err != nil {
		return nil, err
	}
	for _, name := range []string{out, out + "-wal"} {
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return nil, cmp.Or(err, error(&fs.PathError{Op: "salvage to", Path: name, Err: fs.ErrExist}))
		}
	}
	switch lock, err := takeLock(path); {
	case err == nil:
		defer lock.Close()
	case !errors.Is(err, fs.ErrPermission) && !isReadOnlyFS(err): // else nobody can write it
		return nil, err
	}
	m, err := openImage(path)
	if err != nil {
		return nil, err
	}
	defer m.close()
	draft := out + ".part-" + rand.Text()[:8]
	defer func() {
		for _, ending := range []string{"", "-wal", "-shm"} {
			os.Remove(draft + ending)
		}
	}()
	saved, err := salvage(ctx, searchRows(m), draft, progress)
	if err != nil {
		return nil, err
	}
	if err := publish(draft, out); err != nil {
		return nil, err
	}
	return saved, private.SyncFolder(filepath.Dir(out))
}

// publish renames a file, unless the new name exists.
func publish(draft, name string) error {
	err := os.Link(draft, name)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// The file system has no links.
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return cmp.Or(err, fs.ErrExist)
	}
	return os.Rename(draft, name)
}

// salvage makes a journal at draft of the rows that were found.
func salvage(ctx context.Context, s *search, draft string, progress func(done, last int64)) (*Salvaged, error) {
	f, err := private.Open(draft, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	f.Close()
	to, err := connect(draft, settings("synchronous(FULL)")...)
	if err != nil {
		return nil, err
	}
	w := &salvager{ctx: ctx, search: s, to: to, saved: &Salvaged{Damaged: s.damaged}}
	err = format(to, draft)
	if err == nil {
		err = w.copy(progress)
	}
	if err = errors.Join(err, to.close()); err != nil {
		return nil, explain(draft, err)
	}
	return w.saved, nil
}

// salvager writes the rows of a search into a new journal.
type salvager struct {
	ctx    context.Context
	search *search
	to     *session
	saved  *Salvaged

	gone    int64          // the greatest number used by the time of the last removal
	removed map[int64]bool // removed by retention, as far as the journal remembers
}

// copy copies table by table and works out what is missing.
func (w *salvager) copy(progress func(done, last int64)) error {
	tables := make(map[string][]place)
	for _, p := range w.search.places {
		tables[p.table.name] = append(tables[p.table.name], p)
	}
	arrivals := append(tables["deliveries"], tables["repeats"]...)
	w.removed = make(map[int64]bool)
	if err := w.each(tables["removed"], w.putRemoved); err != nil {
		return err
	}
	if err := w.each(tables["meta"], w.putMeta); err != nil {
		return err
	}
	slices.SortStableFunc(arrivals, byNumber)
	if len(arrivals) > 0 {
		w.saved.Last = arrivals[len(arrivals)-1].number
	}
	copied := int64(0) // the last number
	err := w.each(arrivals, func(number int64, columns []value) error {
		if err := w.putArrival(number, columns); err != nil {
			return err
		}
		w.missing(copied+1, number-1)
		copied = number
		progress(number, w.saved.Last)
		return nil
	})
	if err != nil {
		return err
	}
	w.saved.Last = max(w.saved.Last, w.gone)
	w.missing(copied+1, w.saved.Last)
	w.saved.Unsure = max(0, w.saved.Unsure-int64(len(w.removed)))
	// So that no number is used twice, and a check does not miss what is lost.
	if _, err := w.to.exec(`UPDATE meta SET value = ? WHERE name = 'last_seq'`, w.saved.Last); err != nil {
		return err
	}
	return w.copyForwards(tables["forward_targets"], tables["forwards"])
}

func (w *salvager) copyForwards(targets, outcomes []place) error {
	if len(targets) == 0 {
		return nil
	}
	for _, table := range []string{createTargets, createForwards} {
		if _, err := w.to.exec(table); err != nil {
			return err
		}
	}
	if err := w.each(targets, w.putTarget); err != nil {
		return err
	}
	return w.each(outcomes, w.putOutcome)
}

// byNumber sorts places by number, the most reliable of each row first.
func byNumber(a, b place) int {
	return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.rank, b.rank), cmp.Compare(a.version, b.version))
}

// errUnfit rejects a row that no journal would have written.
var errUnfit = errors.New("a row that no journal has")

// each calls put once for each number, with the first of its rows that can be read
// and that put does not reject, in transactions.
func (w *salvager) each(places []place, put func(number int64, columns []value) error) error {
	slices.SortStableFunc(places, byNumber)
	for len(places) > 0 {
		err := w.to.transaction(func() error {
			for n := 0; n < salvageBatch && len(places) > 0; n++ {
				number, taken := places[0].number, false
				for ; len(places) > 0 && places[0].number == number; places = places[1:] {
					if taken {
						continue
					}
					_, columns, ok := w.search.columns(places[0])
					if !ok {
						continue
					}
					err := put(number, columns)
					if taken = err == nil; err != nil && !errors.Is(err, errUnfit) {
						return err
					}
				}
			}
			return w.ctx.Err()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// insert inserts a row. An integer primary key is NULL in the row itself; its value
// is the row's number.
func (w *salvager) insert(query string, number int64, columns []value) error {
	args := make([]any, len(columns))
	for i, c := range columns {
		args[i] = c.any()
	}
	if columns[0].kind == isNull {
		args[0] = number
	}
	_, err := w.to.exec(query, args...)
	return err
}

// any returns the value for database/sql.
func (v value) any() any {
	switch v.kind {
	case isInt:
		return v.n
	case isText:
		return string(v.b)
	case isBlob:
		return v.b
	}
	return nil
}

func (w *salvager) putRemoved(number int64, columns []value) error {
	w.removed[number] = true
	w.gone = max(w.gone, number)
	return w.insert(`INSERT INTO removed (seq, id, received, digest) VALUES (?, ?, ?, ?)`, number, columns)
}

func (w *salvager) putMeta(_ int64, columns []value) error {
	if string(columns[0].b) == "last_seq" {
		w.gone = max(w.gone, columns[1].n)
	}
	return nil
}

func (w *salvager) putArrival(number int64, columns []value) error {
	query := `INSERT INTO deliveries (seq, id, received, source, secret, headers, body) VALUES (?, ?, ?, ?, ?, ?, ?)`
	id, received, count := columns[1], columns[2], &w.saved.Deliveries
	if len(columns) > 7 {
		query = `INSERT INTO repeats (seq, message, attempt, differs, id, received, source, secret, headers, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
		id, received, count = columns[4], columns[5], &w.saved.Repeats
		if message := columns[1].n; message < 1 || message >= number {
			return errUnfit
		}
	}
	if len(id.b) == 0 || received.n <= 0 {
		return errUnfit
	}
	*count++
	delete(w.removed, number)
	return w.insert(query, number, columns)
}

func (w *salvager) putTarget(number int64, columns []value) error {
	return w.insert(`INSERT OR IGNORE INTO forward_targets (id, key, url, cursor) VALUES (?, ?, ?, ?)`, number, columns)
}

func (w *salvager) putOutcome(number int64, columns []value) error {
	w.saved.Outcomes++
	return w.insert(`INSERT OR REPLACE INTO forwards
		(seq, target, at, status, latency, tries, resigned, final, gave_up, error, hint, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, number, columns)
}

// missing records that no row was found for the numbers from first to last.
func (w *salvager) missing(first, last int64) {
	if end := min(last, w.gone); first <= end {
		w.saved.Unsure += end - first + 1
		first = end + 1
	}
	if first <= last {
		w.saved.Lost = append(w.saved.Lost, Span{first, last})
	}
}
