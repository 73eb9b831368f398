package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net/url"
	"path/filepath"
	"strings"
)

// session is a connection to a journal, with its settings and prepared statements,
// for one goroutine at a time. Statements run to their end whatever happens to the
// caller's context, which would cost a goroutine each to watch.
type session struct {
	db    *sql.DB
	conn  *sql.Conn
	stmts map[string]driver.Stmt
	// Kept for their room: the arguments of a call, and the values of an insertion.
	named    []driver.NamedValue
	inserted []driver.Value
	// before, if set, returns why a transaction must not start.
	before func() error
	// failed, if set, is called with the error of each statement that fails.
	failed func(error)
}

var background = context.Background()

// connect opens the SQLite file at path, with parameters of SQLite's URIs and of
// the driver's.
func connect(path string, parameters ...string) (*session, error) {
	name := filepath.ToSlash(path)
	if !strings.HasPrefix(name, "/") {
		name = "/" + name // C:/... on Windows
	}
	// _error_rc leaves stale messages of earlier failures out of errors.
	parameters = append(parameters, "_defensive=1", "_error_rc=1")
	uri := url.URL{Scheme: "file", Path: name, RawQuery: strings.Join(parameters, "&")}
	db, err := sql.Open("sqlite", uri.String())
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(background)
	if err != nil {
		db.Close()
		return nil, err
	}
	return &session{db: db, conn: conn, stmts: make(map[string]driver.Stmt)}, nil
}

// close closes the statements first: SQLite keeps a file open while it has any.
func (s *session) close() error {
	var errs []error
	for _, stmt := range s.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, s.conn.Close(), s.db.Close())...)
}

// directly runs f with the statement for text, prepared at its first use, and its
// arguments. Past database/sql, what is done for each delivery takes two thirds of the
// time and half of the memory. f must not use the session otherwise.
func (s *session) directly(text string, args []driver.Value, f func(driver.Stmt, []driver.NamedValue) error) error {
	err := s.conn.Raw(func(conn any) (err error) {
		stmt := s.stmts[text]
		if stmt == nil {
			if stmt, err = conn.(driver.ConnPrepareContext).PrepareContext(background, text); err != nil {
				return err
			}
			s.stmts[text] = stmt
		}
		s.named = s.named[:0]
		for i, v := range args {
			if v, err = driver.DefaultParameterConverter.ConvertValue(v); err != nil {
				return err
			}
			s.named = append(s.named, driver.NamedValue{Ordinal: i + 1, Value: v})
		}
		defer clear(s.named)
		return f(stmt, s.named)
	})
	if err != nil && s.failed != nil {
		s.failed(err)
	}
	return err
}

// exec runs a statement and returns how many rows it changed.
func (s *session) exec(text string, args ...driver.Value) (n int64, err error) {
	err = s.directly(text, args, func(stmt driver.Stmt, named []driver.NamedValue) error {
		result, err := stmt.(driver.StmtExecContext).ExecContext(background, named)
		if err == nil {
			n, err = result.RowsAffected()
		}
		return err
	})
	return n, err
}

// values calls f for each row of a query, with what the driver made of it: int64,
// float64, string, []byte or nil, which f may keep.
func (s *session) values(text string, args []driver.Value, f func([]driver.Value) error) error {
	return s.directly(text, args, func(stmt driver.Stmt, named []driver.NamedValue) error {
		rows, err := stmt.(driver.StmtQueryContext).QueryContext(background, named)
		if err != nil {
			return err
		}
		defer rows.Close()
		row := make([]driver.Value, len(rows.Columns()))
		for {
			if err := rows.Next(row); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			if err := f(row); err != nil {
				return err
			}
		}
	})
}

func rows[T any](s *session, text string, args []driver.Value, scan func([]driver.Value) (T, error)) (all []T, err error) {
	err = s.values(text, args, func(row []driver.Value) error {
		one, err := scan(row)
		all = append(all, one)
		return err
	})
	return all, err
}

// row runs a query for its one row, and returns sql.ErrNoRows if there is none.
func (s *session) row(text string, args []driver.Value, dest ...any) error {
	found := false
	err := s.values(text, args, func(row []driver.Value) error {
		found = true
		return scan(row, dest...)
	})
	if err == nil && !found {
		err = sql.ErrNoRows
	}
	return err
}

func scan(row []driver.Value, dest ...any) error {
	for i, to := range dest {
		ok := true
		switch to := to.(type) {
		case *int64:
			*to, ok = row[i].(int64)
		case *string:
			*to, ok = row[i].(string)
		case *[]byte:
			text, isText := row[i].(string)
			if *to, ok = row[i].([]byte); isText {
				*to = []byte(text)
			}
			ok = ok || isText || row[i] == nil
		}
		if !ok {
			return &rowError{errors.New("a row has values of other kinds than are written")}
		}
	}
	return nil
}

// transaction commits what f does, or nothing of it. The lock for writing is
// taken at the start, where waiting for it is safe.
func (s *session) transaction(f func() error) (err error) {
	if s.before != nil {
		if err := s.before(); err != nil {
			return err
		}
	}
	if _, err := s.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil { // which SQLite may have rolled back by itself: then this fails, rightly
			s.exec("ROLLBACK")
		}
	}()
	if err := f(); err != nil {
		return err
	}
	_, err = s.exec("COMMIT")
	return err
}
