package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// connectTime is how long a connection may take to be made, per host.
	connectTime = 5 * time.Second
	// poolSize is how many connections a process has at most.
	poolSize = 6
)

// IsURL reports whether a text names a journal in a PostgreSQL database.
func IsURL(text string) bool {
	return strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://")
}

// HasPassword reports whether the URL contains a password.
func HasPassword(text string) bool {
	u, err := url.Parse(text)
	if err != nil { // several hosts with ports, which url.Parse refuses
		user, _, found := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(text, "postgresql://"), "postgres://"), "@")
		return found && strings.Contains(user, ":") || strings.Contains(text, "password=")
	}
	_, set := u.User.Password()
	return set || u.Query().Has("password")
}

// URLError says that a URL cannot be read. It does not contain the URL, which may
// contain a password.
type URLError struct{ Why string }

func (e *URLError) Error() string {
	return "the journal's URL cannot be read: " + e.Why + "; write it like postgres://user@host:5432/database"
}

// Database is a PostgreSQL database that may hold a journal.
type Database struct{ config *pgxpool.Config }

// Parse reads a URL as libpq does: several hosts, sslmode, target_session_attrs
// and the rest; what it leaves out comes from the PG* variables, a service file
// and ~/.pgpass. It fails with a [*URLError].
func Parse(text string) (*Database, error) {
	config, err := pgxpool.ParseConfig(text)
	if err != nil {
		why := "it is malformed"
		var e *pgconn.ParseConfigError
		if errors.As(err, &e) && e.Unwrap() != nil && !strings.Contains(e.Unwrap().Error(), "://") {
			why = e.Unwrap().Error()
		}
		return nil, &URLError{why}
	}
	config.MaxConns = poolSize
	c := config.ConnConfig
	c.RuntimeParams["application_name"] = "aspectop"
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTime
	}
	return &Database{config}, nil
}

// String names the database without the password.
func (d *Database) String() string {
	c := d.config.ConnConfig
	hosts := []string{hostPort(c.Host, c.Port)}
	for _, f := range c.Fallbacks {
		if h := hostPort(f.Host, f.Port); h != hosts[len(hosts)-1] {
			hosts = append(hosts, h)
		}
	}
	return "postgres://" + url.User(c.User).String() + "@" + strings.Join(hosts, ",") + "/" + url.PathEscape(c.Database)
}

func hostPort(host string, port uint16) string {
	if strings.HasPrefix(host, "/") {
		return url.PathEscape(host)
	}
	return net.JoinHostPort(host, fmt.Sprint(port))
}

// pool opens connections as they are needed. A writer's lead to a server that
// takes writes, and that is not behind what was acknowledged before.
func (d *Database) pool(ctx context.Context, writer bool, check func(context.Context, *pgx.Conn) error) (*pgxpool.Pool, error) {
	config := d.config.Copy()
	if writer && config.ConnConfig.ValidateConnect == nil {
		config.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	config.ConnConfig.OnNotice = noteWarning
	config.AfterConnect = check
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, d.explain(err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, d.explain(err)
	}
	return pool, nil
}

// Exposed reports whether a connection goes to another machine without TLS.
func exposed(c *pgx.Conn) bool {
	conn := c.PgConn().Conn()
	if _, encrypted := conn.(*tls.Conn); encrypted {
		return false
	}
	address, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	return err == nil && !address.Addr().Unmap().IsLoopback()
}

// explain says what went wrong, with what, and what to do. No password is in it.
func (d *Database) explain(err error) error {
	var server *pgconn.PgError
	var connect *pgconn.ConnectError
	var name *net.DNSError
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(*NewerError)), errors.As(err, new(*Error)), errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &server):
		return &Error{d.String(), serverWords(server), err}
	case errors.As(err, &name):
		return &Error{d.String(), fmt.Sprintf("the host %s does not resolve", name.Name), err}
	case errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &connect):
		return &Error{d.String(), "the server did not answer in time; if commits wait for a synchronous standby, check that it runs", err}
	case errors.As(err, &connect):
		return &Error{d.String(), "cannot be reached: " + lastWords(err), err}
	}
	return &Error{d.String(), lastWords(err), err}
}

// Error says what is wrong with a journal in a database.
type Error struct {
	Place string // without a password
	Why   string
	Err   error
}

func (e *Error) Error() string { return "the journal " + e.Place + ": " + e.Why }
func (e *Error) Unwrap() error { return e.Err }

func serverWords(e *pgconn.PgError) string {
	switch e.Code {
	case "28P01", "28000":
		return "the server refused the login (" + e.Message + "): check the user, and the password in PGPASSWORD or ~/.pgpass"
	case "3D000":
		return "there is no such database: create it with createdb"
	case "42501":
		return "the user lacks a right (" + e.Message + "): run aspectop journal migrate as a role that may, and grant what docs/team.md lists"
	case "53100":
		return "the server's disk is full: free some space there"
	case "53300":
		return "the server has no connection left: raise max_connections, or end some clients"
	case "57P01", "57P02", "57P03":
		return "the server is shutting down or starting (" + e.Message + ")"
	case "25006":
		return "the server takes no writes (it is a standby): name the primary too, as in postgres://user@host1,host2/database"
	case "42P01", "3F000":
		return "there is no journal yet: start aspectop watch, or run aspectop journal migrate"
	}
	return e.Message + " (SQLSTATE " + e.Code + ")"
}

// lastWords is the innermost reason, without the connection string that pgx puts
// in front.
func lastWords(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	if strings.Contains(err.Error(), "ValidateConnect failed") || strings.Contains(err.Error(), "read only connection") {
		return "no server in the URL takes writes"
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return fmt.Sprintf("%s %v: %v", op.Op, op.Addr, op.Err)
	}
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}
