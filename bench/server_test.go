//go:build unix

package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"

	"aspectop/journal"
	"aspectop/journal/sqlite"
	"aspectop/model"
	"aspectop/receiver"
)

// The secret of all deliveries: nobody else's.
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

const (
	kindBare    = "bare"
	kindUnkept  = "unkept"
	kindDurable = "durable"

	kindVariable = "ASPECTOP_BENCH_SERVER"
	dirVariable  = "ASPECTOP_BENCH_DIR"
)

// TestMain runs the benchmark, or, in a process that the benchmark started, one
// of the servers: only in a process of its own can its CPU be told from the
// load generator's.
func TestMain(m *testing.M) {
	kind := os.Getenv(kindVariable)
	if kind == "" {
		os.Exit(m.Run())
	}
	if err := serve(kind, os.Getenv(dirVariable)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve prints its address, then for each line it reads the CPU time it has
// used, and ends with its input.
func serve(kind, dir string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var serving func(net.Listener) error
	switch kind {
	case kindBare:
		serving, err = bare()
	case kindUnkept:
		serving, err = receiving(unkept{})
	case kindDurable:
		var j *sqlite.Journal
		if j, err = sqlite.Open(filepath.Join(dir, "journal.db"), journal.Options{}); err == nil {
			defer j.Close()
			serving, err = receiving(j)
		}
	default:
		err = fmt.Errorf("no such server: %q", kind)
	}
	if err != nil {
		return err
	}
	go serving(l)
	fmt.Println(l.Addr())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var used syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
			return err
		}
		fmt.Println(time.Duration(used.Utime.Nano() + used.Stime.Nano()))
	}
	return nil
}

// bare is the reference: what everybody would write first.
func bare() (func(net.Listener) error, error) {
	hook, err := svix.NewWebhook(secret)
	if err != nil {
		return nil, err
	}
	handler := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = hook.Verify(body, r.Header)
		}
		if err != nil {
			http.Error(w, "Invalid signature", http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
	server := &http.Server{Handler: http.HandlerFunc(handler)}
	return server.Serve, nil
}

func receiving(keep receiver.Appender) (func(net.Listener) error, error) {
	secrets, err := receiver.ParseSecrets(secret)
	if err != nil {
		return nil, err
	}
	server, err := receiver.New(receiver.Config{Secrets: secrets, Journal: keep, Status: model.NewStatusLog(1000)})
	if err != nil {
		return nil, err
	}
	return server.Serve, nil
}

// unkept shows what the receiver costs without a journal.
type unkept struct{}

func (unkept) Append(_ context.Context, d *model.Delivery) error {
	d.Seq, d.Message, d.Attempt = 1, 1, 1
	return nil
}

// server is such a process, seen from the benchmark.
type server struct {
	addr string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
}

func start(b *testing.B, kind, dir string) *server {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	own, err := os.MkdirTemp(dir, kind) // each round begins with an empty journal
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), kindVariable+"="+kind, dirVariable+"="+own)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	s := &server{cmd: cmd, in: in, out: bufio.NewScanner(out)}
	s.addr = s.line(b)
	return s
}

func (s *server) line(b *testing.B) string {
	b.Helper()
	if !s.out.Scan() {
		b.Fatalf("the server has ended: %v", s.out.Err())
	}
	return strings.TrimSpace(s.out.Text())
}

// cpu is the time that the process has computed so far.
func (s *server) cpu(b *testing.B) time.Duration {
	b.Helper()
	if _, err := io.WriteString(s.in, "\n"); err != nil {
		b.Fatal(err)
	}
	used, err := time.ParseDuration(s.line(b))
	if err != nil {
		b.Fatal(err)
	}
	return used
}

func (s *server) stop(b *testing.B) {
	_ = s.in.Close()
	if err := s.cmd.Wait(); err != nil {
		b.Errorf("the server ended with %v", err)
	}
}
