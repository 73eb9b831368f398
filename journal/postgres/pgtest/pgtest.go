// Package pgtest starts private PostgreSQL clusters for tests: in a temporary
// folder, on a free port of the loopback address, ended with the test. It is no
// part of the program.
package pgtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Require makes a missing PostgreSQL a failure instead of a skipped test.
const Require = "ASPECTOP_REQUIRE_POSTGRES"

// Server is one PostgreSQL server.
type Server struct {
	Port int
	data string
	bin  string
	t    testing.TB
	cmd  *exec.Cmd
}

// binaries is the folder of PostgreSQL's programs, where Debian and others keep
// them.
func binaries() string {
	if path, err := exec.LookPath("pg_basebackup"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil && whole(filepath.Dir(path)) {
			return filepath.Dir(path)
		}
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin"} {
		found, _ := filepath.Glob(pattern)
		slices.Sort(found)
		for _, folder := range slices.Backward(found) {
			if whole(folder) {
				return folder
			}
		}
	}
	return ""
}

// whole reports whether the folder holds a server's programs, not only a client's.
func whole(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "initdb"))
	return err == nil
}

// Start starts a primary that holds an empty database named aspectop, owned by a
// user named aspectop. The test is skipped where PostgreSQL is missing.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	return start(newServer(t), settings)
}

// StartOnDisk is Start with the server's files on a disk of its own of so many
// bytes. It is nil where no file system can be mounted.
func StartOnDisk(t testing.TB, bytes int, settings ...string) *Server {
	t.Helper()
	s := newServer(t)
	folder := filepath.Dir(s.data)
	if err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprint("size=", bytes), "tmpfs", folder).Run(); err != nil {
		return nil
	}
	t.Cleanup(func() { exec.Command("umount", folder).Run() })
	s.makeData()
	return start(s, settings)
}

func start(s *Server, settings []string) *Server {
	t := s.t
	t.Helper()
	s.run("initdb", "-D", s.data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")
	s.configure(settings...)
	s.Launch()
	admin := s.Connect("postgres", "postgres")
	defer admin.Close(context.Background())
	for _, sql := range []string{"CREATE ROLE aspectop LOGIN", "CREATE DATABASE aspectop OWNER aspectop"} {
		if _, err := admin.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// Standby starts a synchronous standby of the server and waits until commits go
// to both.
func (s *Server) Standby() *Server {
	s.t.Helper()
	b := newServer(s.t)
	os.RemoveAll(b.data)
	primary := fmt.Sprintf("host=127.0.0.1 port=%d user=postgres application_name=standby", s.Port)
	s.run("pg_basebackup", "-d", primary, "-D", b.data, "-R", "-X", "stream", "--no-sync", "-c", "fast")
	b.configure()
	b.Launch()
	admin := s.Connect("postgres", "postgres")
	defer admin.Close(context.Background())
	for _, sql := range []string{"ALTER SYSTEM SET synchronous_standby_names = 'standby'", "SELECT pg_reload_conf()"} {
		if _, err := admin.Exec(context.Background(), sql); err != nil {
			s.t.Fatal(err)
		}
	}
	s.until("the standby is synchronous", func() bool {
		var n int
		err := admin.QueryRow(context.Background(), "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").Scan(&n)
		return err == nil && n == 1
	})
	return b
}

func newServer(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, bin: binaries()}
	if s.bin == "" {
		if os.Getenv(Require) != "" {
			t.Fatal("PostgreSQL is missing: install Debian's postgresql")
		}
		t.Skip("needs PostgreSQL: install Debian's postgresql, or put initdb on the PATH")
	}
	// Not in t.TempDir: its parents are closed to the user that the server runs as.
	folder, err := os.MkdirTemp("/tmp", "aspectop-pg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	s.data = filepath.Join(folder, "data")
	s.makeData()
	return s
}

// makeData makes the folder for the server's files.
func (s *Server) makeData() {
	s.t.Helper()
	if err := os.Mkdir(s.data, 0o700); err != nil {
		s.t.Fatal(err)
	}
	owner := serverUser(s.t)
	if owner == nil {
		return
	}
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	for _, path := range []string{filepath.Dir(s.data), s.data} {
		if err := os.Chown(path, uid, gid); err != nil {
			s.t.Fatal(err)
		}
	}
}

// FillDisk fills the disk of StartOnDisk until the returned function is called.
func (s *Server) FillDisk() (free func()) {
	s.t.Helper()
	path := filepath.Join(filepath.Dir(s.data), "filling")
	f, err := os.Create(path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	for chunk := make([]byte, 4096); err == nil; {
		_, err = f.Write(chunk)
	}
	return func() { os.Remove(path) }
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (s *Server) configure(settings ...string) {
	s.t.Helper()
	lines := append([]string{
		"listen_addresses = '127.0.0.1'",
		"unix_socket_directories = ''",
		"max_connections = 100",
		"wal_level = replica",
		"hot_standby = on",
		"shared_buffers = 32MB",
		"autovacuum = off",
	}, settings...)
	f, err := os.OpenFile(filepath.Join(s.data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = f.WriteString("\n" + strings.Join(lines, "\n") + "\n")
	f.Close()
	if err != nil {
		s.t.Fatal(err)
	}
}

// Launch starts the server, and waits until it takes connections.
func (s *Server) Launch() {
	s.t.Helper()
	if s.Port == 0 { // just before it is used, or others may have taken it by then
		s.Port = freePort(s.t)
	}
	s.cmd = s.command("postgres", "-D", s.data, "-p", strconv.Itoa(s.Port))
	log, err := os.Create(filepath.Join(filepath.Dir(s.data), "log"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd, ended := s.cmd, make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	s.t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt) // a fast shutdown
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			cmd.Process.Kill()
			<-ended
		}
	})
	s.until("the server takes connections", func() bool {
		c, err := pgx.Connect(context.Background(), s.URL("postgres", "postgres"))
		if err != nil {
			return false
		}
		c.Close(context.Background())
		return true
	})
}

// Kill ends the server as a power cut of its machine would.
func (s *Server) Kill() {
	s.t.Helper()
	// The postmaster's children see its death and end.
	s.cmd.Process.Kill()
	s.until("the server is gone", func() bool {
		c, err := net.Dial("tcp", s.Address())
		if err == nil {
			c.Close()
		}
		return err != nil
	})
}

// Process is the server's process id.
func (s *Server) Process() int { return s.cmd.Process.Pid }

// Stop stops the server in an orderly way; Launch starts it again.
func (s *Server) Stop() {
	s.t.Helper()
	s.run("pg_ctl", "-D", s.data, "-m", "fast", "-w", "stop")
}

// Promote makes a standby the primary.
func (s *Server) Promote() {
	s.t.Helper()
	s.run("pg_ctl", "-D", s.data, "-w", "promote")
}

// Address is the server's host and port.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) }

// URL is the address of a database on the server.
func (s *Server) URL(user, database string) string {
	return fmt.Sprintf("postgres://%s@%s/%s", user, s.Address(), database)
}

// Connect opens a connection.
func (s *Server) Connect(user, database string) *pgx.Conn {
	s.t.Helper()
	c, err := pgx.Connect(context.Background(), s.URL(user, database))
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// Exec runs a statement as the superuser.
func (s *Server) Exec(database, sql string) {
	s.t.Helper()
	c := s.Connect("postgres", database)
	defer c.Close(context.Background())
	if _, err := c.Exec(context.Background(), sql); err != nil {
		s.t.Fatal(err)
	}
}

// RequirePassword makes a user who needs one; the others need none.
func (s *Server) RequirePassword(user, password string) {
	s.t.Helper()
	s.Exec("postgres", fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", user, password))
	path := filepath.Join(s.data, "pg_hba.conf")
	rules, err := os.ReadFile(path)
	if err == nil { // the first rule that fits decides
		err = os.WriteFile(path, append([]byte("host all "+user+" all scram-sha-256\n"), rules...), 0o600)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.Exec("postgres", "SELECT pg_reload_conf()")
	s.until("the password is asked for", func() bool {
		c, err := pgx.Connect(context.Background(), s.URL(user, "postgres"))
		if err == nil {
			c.Close(context.Background())
		}
		return err != nil
	})
}

func (s *Server) command(program string, args ...string) *exec.Cmd {
	cmd := s.asUser(filepath.Join(s.bin, program), args...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LANG=C", "HOME=" + filepath.Dir(s.data)}
	return cmd
}

// asUser is a command of the user that the server runs as.
func (s *Server) asUser(program string, args ...string) *exec.Cmd {
	if u := serverUser(s.t); u != nil {
		program, args = "setpriv", append([]string{"--reuid", u.Uid, "--regid", u.Gid, "--clear-groups", program}, args...)
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = "/"
	return cmd
}

func (s *Server) run(program string, args ...string) {
	s.t.Helper()
	if out, err := s.command(program, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

func (s *Server) until(what string, is func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(filepath.Dir(s.data), "log"))
			s.t.Fatalf("not yet: %s\n%s", what, log)
		}
	}
}

// serverUser is whom the server runs as: PostgreSQL refuses root. Nil is this
// user.
func serverUser(t testing.TB) *user.User {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return u
		}
	}
	t.Skip("PostgreSQL does not run as root, and there is no user postgres or nobody")
	return nil
}
