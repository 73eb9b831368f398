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
// for one goroutine at a time.
//
// Statements run to their end whatever happens to the caller's context: all of them
// are short, and watching a context would cost a goroutine each.
type session struct {
	db    *sql.DB
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	// direct are statements that the driver runs without database/sql.
	direct map[string]driver.Stmt
	named  []driver.NamedValue // of the call under way, kept for its room
	// inserted are the values of an insertion, kept for their room too.
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
	return &session{db: db, conn: conn, stmts: make(map[string]*sql.Stmt), direct: make(map[string]driver.Stmt)}, nil
}

// close closes the statements first: database/sql leaves those of a single
// connection to us, and SQLite keeps a file open while it has any.
func (s *session) close() error {
	var errs []error
	for _, stmt := range s.stmts {
		errs = append(errs, stmt.Close())
	}
	for _, stmt := range s.direct {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, s.conn.Close(), s.db.Close())...)
}

// stmt returns the statement for text, prepared at its first use.
func (s *session) stmt(text string) (*sql.Stmt, error) {
	if stmt := s.stmts[text]; stmt != nil {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(background, text)
	if err == nil {
		s.stmts[text] = stmt
	}
	return stmt, err
}

// exec runs a statement and returns how many rows it changed.
func (s *session) exec(text string, args ...any) (n int64, err error) {
	defer func() { s.tell(err) }()
	stmt, err := s.stmt(text)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(background, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// row runs a query for its one row, and returns sql.ErrNoRows if there is none.
func (s *session) row(text string, args []any, dest ...any) (err error) {
	defer func() { s.tell(err) }()
	stmt, err := s.stmt(text)
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(background, args...).Scan(dest...)
}

func (s *session) tell(err error) {
	if err != nil && s.failed != nil {
		s.failed(err)
	}
}

// each calls f for each row of a query.
func (s *session) each(text string, args []any, f func(*sql.Rows) error) error {
	stmt, err := s.stmt(text)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(background, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// directly runs f with a statement of the driver's, prepared at its first use, and
// its arguments, which are of the driver's types. Past database/sql, what is done
// for each delivery takes two thirds of the time and half of the memory. f must not
// use the session otherwise.
func (s *session) directly(text string, args []driver.Value, f func(driver.Stmt, []driver.NamedValue) error) error {
	return s.conn.Raw(func(conn any) error {
		stmt := s.direct[text]
		if stmt == nil {
			var err error
			if stmt, err = conn.(driver.ConnPrepareContext).PrepareContext(background, text); err != nil {
				return err
			}
			s.direct[text] = stmt
		}
		s.named = s.named[:0]
		for i, v := range args {
			s.named = append(s.named, driver.NamedValue{Ordinal: i + 1, Value: v})
		}
		defer clear(s.named)
		return f(stmt, s.named)
	})
}

// run runs a statement.
func (s *session) run(text string, args []driver.Value) error {
	return s.directly(text, args, func(stmt driver.Stmt, named []driver.NamedValue) error {
		_, err := stmt.(driver.StmtExecContext).ExecContext(background, named)
		return err
	})
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
