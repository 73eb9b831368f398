//go:build linux

package bench

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"testing"

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
	kindVerify  = "verify"
	kindSample  = "sample"
	kindDurable = "durable"
	kindLines   = "lines" // the program itself

	kindVariable    = "ASPECTOP_BENCH_SERVER"
	dirVariable     = "ASPECTOP_BENCH_DIR"
	profileVariable = "ASPECTOP_BENCH_PROFILE" // a file for the server's CPU profile
)

// TestMain runs the benchmarks, or, in a process that a benchmark started, one of
// the servers: only in a process of its own can its CPU be told from the load
// generator's.
func TestMain(m *testing.M) {
	kind := os.Getenv(kindVariable)
	if kind == "" {
		code := m.Run()
		os.RemoveAll(built)
		os.Exit(code)
	}
	if err := serve(kind, os.Getenv(dirVariable)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve prints its address and ends with its input.
func serve(kind, dir string) error {
	if name := os.Getenv(profileVariable); name != "" {
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if kind == kindPixel {
		return servePixel(os.Getenv(addressVariable))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	switch kind {
	case kindBare:
		go http.Serve(l, http.HandlerFunc(acknowledge))
	case kindVerify:
		handler, err := verifying()
		if err != nil {
			return err
		}
		go http.Serve(l, handler)
	case kindDurable:
		j, err := sqlite.Open(filepath.Join(dir, "journal.db"), journal.Options{})
		if err != nil {
			return err
		}
		defer j.Close()
		server, err := receiving(j)
		if err != nil {
			return err
		}
		go server.Serve(l)
	case kindShared:
		j, err := openShared()
		if err != nil {
			return err
		}
		defer j.Close()
		server, err := receiving(j)
		if err != nil {
			return err
		}
		go server.Serve(l)
	default:
		return fmt.Errorf("no such server: %q", kind)
	}
	fmt.Println(l.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func acknowledge(w http.ResponseWriter, r *http.Request) {
	if _, err := io.ReadAll(r.Body); err != nil {
		http.Error(w, "Bad request", http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// verifying is the reference: what everybody would write first.
func verifying() (http.Handler, error) {
	hook, err := svix.NewWebhook(secret)
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
	return http.HandlerFunc(handler), err
}

func receiving(keep receiver.Appender) (*receiver.Server, error) {
	secrets, err := receiver.ParseSecrets(secret)
	if err != nil {
		return nil, err
	}
	return receiver.New(receiver.Config{Secrets: secrets, Journal: keep, Status: model.NewStatusLog(1000)})
}

// server is such a process, or the sample's, seen from the benchmark.
type server struct {
	addr string
	cmd  *exec.Cmd
	in   io.WriteCloser
}

// start starts a server; each begins with an empty journal in dir.
func start(b testing.TB, kind, dir string, environment ...string) *server {
	b.Helper()
	own, err := os.MkdirTemp(dir, kind)
	if err != nil {
		b.Fatal(err)
	}
	cmd := sampleCommand()
	switch kind {
	case kindSample:
	case kindLines:
		return startLines(b, own)
	default:
		self, err := os.Executable()
		if err != nil {
			b.Fatal(err)
		}
		cmd = exec.Command(self)
		cmd.Env = append(os.Environ(), kindVariable+"="+kind, dirVariable+"="+own)
	}
	cmd.Env = append(cmd.Env, environment...)
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
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatalf("the server %s has ended: %v", kind, err)
	}
	return &server{addr: strings.TrimSpace(addr), cmd: cmd, in: in}
}

// startLines starts aspectop watch, which writes its lines to a file.
func startLines(b testing.TB, dir string) *server {
	b.Helper()
	path, err := buildProgram()
	if err != nil {
		b.Fatal(err)
	}
	addr := freeAddress(b)
	out, err := os.Create(filepath.Join(dir, "lines"))
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(path, "watch", "--json", "--listen", addr, "--journal", filepath.Join(dir, "journal.db"))
	cmd.Env = append(os.Environ(), "ASPECT_WEBHOOK_SECRET="+secret)
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	awaitReady(b, addr)
	return &server{addr: addr, cmd: cmd}
}

func (s *server) stop(b testing.TB) {
	if s.in != nil {
		_ = s.in.Close()
	} else {
		_ = s.cmd.Process.Signal(os.Interrupt)
	}
	if err := s.cmd.Wait(); err != nil {
		b.Errorf("the server ended with %v", err)
	}
}
