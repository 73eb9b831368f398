//go:build unix

package e2e

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"
)

// printed are the commands of a page, or of a section of it: all indented lines.
func printed(t *testing.T, page, section string) (commands []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), section)
	if !found {
		t.Fatalf("%s has no %q", page, section)
	}
	if section != "" {
		after, _, _ = strings.Cut(after, "\n## ")
	}
	for _, m := range regexp.MustCompile(`(?m)^    (\S.*)$`).FindAllStringSubmatch(after, -1) {
		commands = append(commands, m[1])
	}
	return commands
}

// The commands about handlers are run as they are printed, one after the other, with the ports of
// the test in place of those on the page.
func TestPrintedCommandsRun(t *testing.T) {
	for page, section := range map[string]string{"../README.md": "## Develop a handler\n", "../docs/agents.md": ""} {
		t.Run(filepath.Base(page), func(t *testing.T) {
			hook, err := svix.NewWebhook(secret)
			if err != nil {
				t.Fatal(err)
			}
			var posts atomic.Int64
			h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				posts.Add(1)
				b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 100<<10)) // so that check has something to say
				switch {
				case err != nil:
					http.Error(w, "too large", http.StatusRequestEntityTooLarge)
				case r.URL.Path != "/webhooks/aspect":
					http.NotFound(w, r)
				case hook.Verify(b, r.Header) != nil:
					http.Error(w, "Invalid signature", http.StatusBadRequest)
				default:
					w.WriteHeader(http.StatusNoContent)
				}
			}))
			defer h.Close()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			watch := l.Addr().String()
			l.Close()
			ports := strings.NewReplacer("localhost:3000", strings.TrimPrefix(h.URL, "http://"), "localhost:8787", watch)

			dir := t.TempDir()
			env := with(program(t), "ASPECT_WEBHOOK_SECRET="+secret, "ASPECTOP_LISTEN="+watch, "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH")).Env
			shell := func(line string) *exec.Cmd {
				cmd := exec.Command("sh", "-c", ports.Replace(line))
				cmd.Dir, cmd.Env = dir, env
				return cmd
			}
			ran := 0
			for _, line := range printed(t, page, section) {
				switch {
				case strings.HasPrefix(line, "export "):
					variable, _, _ := strings.Cut(strings.TrimPrefix(line, "export "), " ") // a comment may follow
					env = append(env, variable)
				case strings.HasPrefix(line, "aspectop watch "):
					cmd := shell("exec " + line)
					var said bytes.Buffer
					cmd.Stderr = &said
					if err := cmd.Start(); err != nil {
						t.Fatal(err)
					}
					defer func() {
						cmd.Process.Signal(syscall.SIGINT)
						if code := exitCode(cmd.Wait()); code != 0 {
							t.Errorf("%s: ended with %d: %s", line, code, said.String())
						}
					}()
					until(t, line, func() bool {
						answer, err := http.Get("http://" + watch + "/healthz")
						if err == nil {
							answer.Body.Close()
						}
						return err == nil
					})
				case strings.HasSuffix(line, "until ctrl+c"):
					before, cmd := posts.Load(), shell("exec "+line)
					if err := cmd.Start(); err != nil {
						t.Fatal(err)
					}
					until(t, line, func() bool { return posts.Load() > before })
					cmd.Process.Signal(syscall.SIGINT)
					want := 130
					if strings.HasPrefix(line, "aspectop demo ") {
						want = 0
					}
					if code := exitCode(cmd.Wait()); code != want {
						t.Errorf("%s: ended with %d", line, code)
					}
				case strings.HasPrefix(line, "grep "): // what it looks for may still be under way
					until(t, line, func() bool { return shell(line).Run() == nil })
				default:
					if stdout, stderr, code := finished(t, shell(line)); code != 0 {
						t.Errorf("%s: ended with %d: %s%s", line, code, stdout, stderr)
					}
				}
				ran++
			}
			if ran < 8 {
				t.Errorf("only %d commands were found", ran)
			}
		})
	}
}

// until waits for something.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
