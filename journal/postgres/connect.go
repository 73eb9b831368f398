package postgres

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

// exposedPassfile says that the password file is ignored, as libpq does, because others
// can read it; "" if it is not.
func exposedPassfile(text string) string {
	if HasPassword(text) || os.Getenv("PGPASSWORD") != "" {
		return "" // it is not needed
	}
	path := os.Getenv("PGPASSFILE")
	if _, query, _ := strings.Cut(text, "?"); strings.Contains(query, "passfile=") {
		values, _ := url.ParseQuery(query)
		path = values.Get("passfile")
	}
	if home, err := os.UserHomeDir(); path == "" && err == nil {
		path = filepath.Join(home, ".pgpass")
	}
	info, err := os.Stat(path)
	if runtime.GOOS == "windows" || err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o077 == 0 {
		return ""
	}
	return "the password file " + path + " is ignored, because others can read it: chmod 600 " + path
}

// HasPassword reports whether the URL contains a password.
func HasPassword(text string) bool {
	u, err := url.Parse(text)
	if err != nil { // several hosts with ports, which url.Parse refuses
		user, _, found := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(text, "postgresql://"), "postgres://"), "@")
		return found && strings.Contains(user, ":") || strings.Contains(text, "password=")
	}
	_, set := u.User.Password()
	return set || u.Query().Has("password") || u.Query().Has("sslpassword")
}

// Database is a PostgreSQL database that may hold a journal.
type Database struct {
	config  *pgxpool.Config
	ignored string      // the password file that others can read, "" if none
	plain   atomic.Bool // no prepared statements are used

	remarking sync.Mutex
	remarks   []string
	tell      func(remark string) // what is found out later; nil before OnRemark

	mu      sync.Mutex
	reading *pool // of all readers
	readers int
}

// Parse reads a URL as libpq does: several hosts, sslmode, target_session_attrs
// and the rest; what it leaves out comes from the PG* variables, a service file
// and ~/.pgpass. No error contains the URL, which may contain a password.
func Parse(text string) (*Database, error) {
	ignored := exposedPassfile(text)
	if ignored != "" { // the first value of a name counts
		base, query, _ := strings.Cut(text, "?")
		text = base + "?passfile=" + url.QueryEscape(os.DevNull) + "&" + query
	}
	config, err := pgxpool.ParseConfig(text)
	if err != nil {
		why := "it is malformed"
		var e *pgconn.ParseConfigError
		if errors.As(err, &e) && e.Unwrap() != nil && !strings.Contains(e.Unwrap().Error(), "://") {
			why = e.Unwrap().Error()
		}
		return nil, fmt.Errorf("the journal's URL cannot be read: %s; write it like postgres://user@host:5432/database", why)
	}
	config.MaxConns = poolSize
	c := config.ConnConfig
	c.RuntimeParams["application_name"] = "aspectop"
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTime
	}
	return &Database{config: config, ignored: ignored}, nil
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

// Remarks are sentences about the way to the server that whoever uses it should
// know. They hold from when the journal was opened.
func (d *Database) Remarks() []string {
	d.remarking.Lock()
	defer d.remarking.Unlock()
	return slices.Clone(d.remarks)
}

// OnRemark sets what is called with remarks that are found out later.
func (d *Database) OnRemark(tell func(remark string)) {
	d.remarking.Lock()
	defer d.remarking.Unlock()
	d.tell = tell
}

func (d *Database) remark(remarks ...string) {
	d.remarking.Lock()
	defer d.remarking.Unlock()
	for _, r := range remarks {
		if slices.Contains(d.remarks, r) {
			continue
		}
		d.remarks = append(d.remarks, r)
		if d.tell != nil {
			d.tell(r)
		}
	}
}

// doWithoutStatements makes new connections use no prepared statements.
func (d *Database) doWithoutStatements() {
	if d.plain.CompareAndSwap(false, true) {
		d.remark("there is a pooler before " + d.String() + ", or one session for all, so no prepared statements are used; receivers are faster without it")
	}
}

// plainKey tells connections that use no prepared statements.
const plainKey = "aspectop plain"

// pool opens connections as they are needed, to the first server of the URL that check
// does not refuse.
func (d *Database) pool(ctx context.Context, check func(context.Context, *pgconn.PgConn) error) (*pool, error) {
	config := d.config.Copy()
	if asked := config.ConnConfig.ValidateConnect; check != nil {
		config.ConnConfig.ValidateConnect = func(ctx context.Context, c *pgconn.PgConn) error {
			if asked != nil { // target_session_attrs
				if err := asked(ctx, c); err != nil {
					return err
				}
			}
			return check(ctx, c)
		}
	}
	if err := d.meet(ctx, config.ConnConfig); err != nil {
		return nil, d.explain(err)
	}
	config.ConnConfig.OnNotice = noteWarning
	config.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
		if d.plain.Load() {
			c.DefaultQueryExecMode = pgx.QueryExecModeExec
		}
		return nil
	}
	config.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		c.PgConn().CustomData()[plainKey] = c.Config().DefaultQueryExecMode == pgx.QueryExecModeExec
		return nil
	}
	config.PrepareConn = func(_ context.Context, c *pgx.Conn) (bool, error) { // false: another one is made
		return !d.plain.Load() || c.PgConn().CustomData()[plainKey] == true, nil
	}
	connections, err := pgxpool.NewWithConfig(ctx, config)
	return &pool{connections, d}, d.explain(err)
}

// meet makes a first connection, to see whether the server will do and what lies
// on the way to it. Poolers are told by the number of the server's process, in
// whose place they give clients one of their own.
func (d *Database) meet(ctx context.Context, config *pgx.ConnConfig) error {
	config = config.Copy()
	config.DefaultQueryExecMode = pgx.QueryExecModeExec // what any pooler passes
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	var version int
	var process uint32
	if err := c.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, pg_backend_pid()`).Scan(&version, &process); err != nil {
		return err
	}
	if version < leastServer {
		return &Error{d.String(), fmt.Sprintf("the server is PostgreSQL %d; aspectop needs %d or later", version/10000, leastServer/10000), nil}
	}
	if d.ignored != "" {
		d.remark(d.ignored)
	}
	if exposed(c.PgConn().Conn()) {
		d.remark("the connection to " + d.String() + " is not encrypted: add sslmode=verify-full to the URL")
	}
	if process != c.PgConn().PID() {
		d.doWithoutStatements()
	}
	return nil
}

// exposed reports whether a connection goes to another machine without TLS.
func exposed(c net.Conn) bool {
	if _, encrypted := c.(*tls.Conn); encrypted {
		return false
	}
	here, err := netip.ParseAddrPort(c.LocalAddr().String())
	if err != nil {
		return false // a socket of this machine
	}
	there, err := netip.ParseAddrPort(c.RemoteAddr().String())
	return err == nil && there.Addr().Unmap() != here.Addr().Unmap()
}

// explain says what went wrong, with what, and what to do. No password is in it.
func (d *Database) explain(err error) error {
	var server *pgconn.PgError
	var connect *pgconn.ConnectError
	var name *net.DNSError
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(*Error)), errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &server):
		if d.ignored != "" && server.Code == "28P01" {
			return &Error{d.String(), fmt.Sprintf("the server refused the login (%s): %s", server.Message, d.ignored), err}
		}
		words := cmp.Or(serverWords[server.Code], "%s (SQLSTATE "+server.Code+")")
		return &Error{d.String(), strings.ReplaceAll(words, "%s", server.Message), err}
	case errors.As(err, &name):
		return &Error{d.String(), fmt.Sprintf("the host %s does not resolve", name.Name), err}
	case errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &connect):
		return &Error{d.String(), "the server did not answer in time; if commits wait for a synchronous standby, check that it runs", err}
	case errors.As(err, &connect):
		return &Error{d.String(), "cannot be reached: " + reasons(err), err}
	}
	return &Error{d.String(), reasons(err), err}
}

// Error says what is wrong with a journal in a database.
type Error struct {
	Place string // without a password
	Why   string
	Err   error
}

func (e *Error) Error() string { return "the journal " + e.Place + ": " + e.Why }
func (e *Error) Unwrap() error { return e.Err }

// serverWords are sentences about errors of the server, by their SQLSTATE, with the
// server's message.
var serverWords = map[string]string{
	"28P01": "the server refused the login (%s): check the user, and the password in PGPASSWORD or ~/.pgpass",
	"28000": "the server refused the login (%s): check the user, and the password in PGPASSWORD or ~/.pgpass",
	"3D000": "there is no such database: create it with createdb",
	"42501": "the user lacks a right (%s): run aspectop journal migrate as a role that may, and grant what docs/team.md lists",
	"53100": "the server's disk is full: free some space there",
	"23505": "somebody else wrote into its tables (%s): numbers or ids are there that aspectop did not give",
	"53300": "the server has no connection left: raise max_connections, or end some clients",
	"57P01": "the server is shutting down or starting (%s)",
	"57P02": "the server is shutting down or starting (%s)",
	"57P03": "the server is shutting down or starting (%s)",
	"25006": "the server takes no writes (%s): if it is a standby, name the primary too, as in postgres://user@host1,host2/database",
	"42P01": "there is no journal yet: start aspectop watch, or run aspectop journal migrate",
	"3F000": "there is no journal yet: start aspectop watch, or run aspectop journal migrate",
}

// reasons says of each host that was tried why it was of no use.
func reasons(err error) string {
	var words []string
	all := leaves(err)
	for _, e := range all {
		if strings.Contains(e.Error(), "server refused TLS connection") && len(all) > 1 {
			continue // with sslmode=prefer, it was tried without TLS then
		}
		if w := reason(e); !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return strings.Join(words, "; ")
}

func leaves(err error) (all []error) {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return []error{err}
	}
	for _, one := range joined.Unwrap() {
		all = append(all, leaves(one)...)
	}
	return all
}

// reason is the innermost one, without the connection string that pgx puts in
// front.
func reason(err error) string {
	host, _, found := strings.Cut(err.Error(), " (") // pgx: "address (host): why"
	if !found {
		host = "the server"
	}
	var op *net.OpError
	var unfit *unfitError
	switch {
	case errors.As(err, &unfit):
		return host + " " + unfit.why
	case errors.Is(err, context.DeadlineExceeded):
		return host + " does not answer"
	case errors.As(err, &op):
		return fmt.Sprintf("%v: %v", op.Addr, op.Err)
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err.Error()
}
