package journal

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// connect opens connections to the SQLite file at path, with the parameters of
// SQLite's URIs and the driver's. The caller takes single connections out of
// it; their settings and prepared statements stay with them.
func connect(path string, parameters ...string) (*sql.DB, error) {
	name := filepath.ToSlash(path)
	if !strings.HasPrefix(name, "/") {
		name = "/" + name // C:/... on Windows
	}
	// _error_rc leaves a stale message of an earlier failure out of errors.
	parameters = append(parameters, "_defensive=1", "_error_rc=1")
	uri := url.URL{Scheme: "file", Path: name, RawQuery: strings.Join(parameters, "&")}
	return sql.Open("sqlite", uri.String())
}

// checkFormat looks whether the file is a journal that this version can read.
// fresh says that nothing has been written to it yet.
func checkFormat(ctx context.Context, c *sql.Conn, path string) (fresh bool, err error) {
	var application, version, objects int
	// The count also makes SQLite read, and so check, the schema.
	err = c.QueryRowContext(ctx, `SELECT
		(SELECT application_id FROM pragma_application_id),
		(SELECT user_version FROM pragma_user_version),
		(SELECT count(*) FROM sqlite_schema)`).Scan(&application, &version, &objects)
	switch {
	case err != nil:
		return false, err
	case application == 0 && version == 0 && objects == 0:
		return true, nil
	case application != applicationID:
		return false, &CorruptError{path, fmt.Errorf("it is another program's SQLite database")}
	case version > schemaVersion:
		return false, &NewerError{path, version}
	}
	return false, nil
}
