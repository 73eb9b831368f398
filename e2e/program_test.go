//go:build unix

// Package e2e tests the built program as its users run it: in a
// pseudo-terminal, as a pipe, over real HTTP.
package e2e

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var binary string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "aspectop-e2e-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(folder, "aspectop")
	build := exec.Command("go", "build", "-o", binary, "..")
	if os.Getenv("ASPECTOP_TEST_RACE") != "" { // to find races of the program; these tests have none to find
		build.Args = slices.Insert(build.Args, 2, "-race")
		build.Env = append(os.Environ(), "CGO_ENABLED=1")
	}
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		os.RemoveAll(folder)
		fmt.Fprintln(os.Stderr, "cannot build the program:", err)
		os.Exit(1)
	}
	flag.Set("test.parallel", "4") // they wait most of the time; a -parallel on the line overrides it
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// watchSources looks at what the program is made of, so that go test knows when
// a result it remembers no longer holds: it cannot see what the go command read,
// nor what is looked at before the tests have begun.
var watchSources = sync.OnceFunc(func() {
	filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git"):
			return fs.SkipDir
		case slices.Contains([]string{".go", ".html", ".css", ".js"}, filepath.Ext(path)):
			os.Stat(path)
		}
		return nil
	})
})

// The secret that the tests' deliveries are signed with, and its key.
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// program is a command of aspectop with nothing of the user's in its
// environment: its state goes to a folder of the test.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	watchSources()
	cmd := exec.Command(binary, args...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "XDG_STATE_HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir(),
		"TERM=xterm-256color", "LANG=C.UTF-8", "TZ=UTC",
	}
	return cmd
}

// with adds variables to a command's environment.
func with(cmd *exec.Cmd, variables ...string) *exec.Cmd {
	cmd.Env = append(cmd.Env, variables...)
	return cmd
}

// watching is watch with a secret on a port of its own.
func watching(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	args = append([]string{"watch", "--listen", "127.0.0.1:0"}, args...)
	return with(program(t, args...), "ASPECT_WEBHOOK_SECRET="+secret)
}

// delivery is a webhook as Svix would post it, signed here by hand.
type delivery struct {
	id   string
	at   time.Time
	body string
	key  string // "" is the right one
	// authorization is what a proxy on the way may add; "" is none.
	authorization string
}

func (d delivery) post(t *testing.T, url string) int {
	t.Helper()
	resp, err := http.DefaultClient.Do(d.request(t, url))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// request is the signed request that posts the delivery.
func (d delivery) request(t *testing.T, url string) *http.Request {
	t.Helper()
	if d.at.IsZero() {
		d.at = time.Now()
	}
	if d.key == "" {
		d.key = secret
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(d.key, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	stamp := strconv.FormatInt(d.at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", d.id, stamp, d.body)
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(d.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("svix-id", d.id)
	req.Header.Set("svix-timestamp", stamp)
	req.Header.Set("svix-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	if d.authorization != "" {
		req.Header.Set("Authorization", d.authorization)
	}
	return req
}

// keeps posts a delivery that must be kept.
func keeps(t *testing.T, url string, d delivery) {
	t.Helper()
	if status := d.post(t, url); status != http.StatusNoContent {
		t.Fatalf("delivery %s was answered %d", d.id, status)
	}
}

// tells is the body of an event about a task.
func tells(task, typ string, updated time.Time, features string) string {
	return fmt.Sprintf(`{"timestamp":%q,"user_id":"3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111","event_id":"8b7a2e8f-3a1c-4ff9-9f5e-%012x",`+
		`"event_type":%q,"data":{"task":{"id":%q,"asset_id":"c4b6b5f1-6a2d-4d75-9a90-1f6f4a0a2222","features":{%s},`+
		`"user_id":"3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111","created":%q,"updated":%q}}}`,
		updated.Format(time.RFC3339Nano), updated.UnixNano()&0xffffffffffff, typ, task, features,
		updated.Add(-time.Minute).Format(time.RFC3339Nano), updated.Format(time.RFC3339Nano))
}

// feature is one feature in a body.
func feature(name, state string) string { return fmt.Sprintf(`%q:{"state":%q}`, name, state) }

// piped is a program whose output is read by another program.
type piped struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout io.ReadCloser
	lines  chan string // of stdout; closed at its end
	mu     sync.Mutex
	stderr bytes.Buffer
}

func (p *piped) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.Write(b)
}

// errors is what has come on stderr. It is all there is once ends has returned;
// before, it may lag behind stdout: use says or tells.
func (p *piped) errors() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

// inPipe starts the program with its output in a pipe.
func inPipe(t *testing.T, cmd *exec.Cmd) *piped {
	t.Helper()
	p := &piped{t: t, cmd: cmd, lines: make(chan string, 10_000)}
	cmd.Stderr = p
	var err error
	if p.stdout, err = cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for in := bufio.NewScanner(p.stdout); in.Scan(); {
			p.lines <- in.Text()
		}
	}()
	t.Cleanup(func() { cmd.Process.Kill() })
	return p
}

// next is the next line of one of the given types; lines before it are dropped.
func (p *piped) next(types ...string) map[string]any {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("the program ended without a line of type %s; it said: %s", types, p.errors())
			}
			var object map[string]any
			if err := json.Unmarshal([]byte(line), &object); err != nil {
				p.t.Fatalf("%v in the line %q", err, line)
			}
			if typ, is := object["type"].(string); is && slices.Contains(types, typ) {
				return object
			}
		case <-deadline:
			p.t.Fatalf("waited in vain for a line of type %s", types)
		}
	}
}

// line waits for a line that matches the pattern and returns its first group;
// lines before it are dropped.
func (p *piped) line(pattern string) string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.After(patience)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("the program ended without a line like %s; it said: %s", pattern, p.errors())
			}
			if m := re.FindStringSubmatch(line); m != nil {
				return m[1]
			}
		case <-deadline:
			p.t.Fatalf("waited in vain for a line like %s", pattern)
		}
	}
}

// says waits until stderr has the pattern, and returns its first group.
func (p *piped) says(pattern string) string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if m := re.FindStringSubmatch(p.errors()); m != nil {
			return m[1]
		}
		if time.Now().After(end) {
			p.t.Fatalf("waited in vain for %s in %s", pattern, p.errors())
		}
	}
}

// tells waits until all texts are on stderr.
func (p *piped) tells(wants ...string) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		text := p.errors()
		missing := slices.DeleteFunc(slices.Clone(wants), func(w string) bool { return strings.Contains(text, w) })
		if len(missing) == 0 {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("waited in vain for %q in %s", missing, text)
		}
	}
}

// ends waits for the program's end and returns its exit code.
func (p *piped) ends() int {
	p.t.Helper()
	timer := time.AfterFunc(patience, func() { p.cmd.Process.Kill() })
	defer timer.Stop()
	for range p.lines { // Wait closes the pipe, so read it first
	}
	return exitCode(p.cmd.Wait())
}

func (p *piped) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}
