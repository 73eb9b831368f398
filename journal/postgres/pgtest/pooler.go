package pgtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/jackc/pgx/v5"
)

// Pooler starts pgbouncer in transaction mode before the server, with two
// connections for everybody, and returns the URL of the database aspectop
// through it. The test is skipped where pgbouncer is missing.
func (s *Server) Pooler() (url string) {
	s.t.Helper()
	program := "/usr/sbin/pgbouncer" // which is on no user's PATH
	if path, err := exec.LookPath("pgbouncer"); err == nil {
		program = path
	} else if _, err := os.Stat(program); err != nil {
		if os.Getenv(Require) != "" {
			s.t.Fatal("pgbouncer is missing: install Debian's pgbouncer")
		}
		s.t.Skip("needs pgbouncer: install Debian's pgbouncer")
	}
	port := freePort(s.t)
	config := filepath.Join(filepath.Dir(s.data), "pgbouncer.ini")
	settings := fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%d user=aspectop
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
`, s.Port, port)
	if err := os.WriteFile(config, []byte(settings), 0o644); err != nil {
		s.t.Fatal(err)
	}
	cmd := s.asUser(program, "-q", config)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	url = fmt.Sprintf("postgres://aspectop@127.0.0.1:%d/aspectop", port)
	s.until("the pooler takes connections", func() bool {
		c, err := pgx.Connect(context.Background(), url)
		if err != nil {
			return false
		}
		c.Close(context.Background())
		return true
	})
	return url
}
