// Command handlers runs `aspectop check` against handlers in real frameworks: first as they are
// usually got wrong, then mended as check advises. It needs Node, Python, Go, Rust and the
// network, so it is no part of the tests: see ../README.md.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// finding is what check printed about a handler.
type finding struct {
	Type     string
	Code     string
	Form     string
	Severity string
	Meaning  string
	Fix      string
	URL      string
	Complete bool
}

func (f finding) String() string {
	name := f.Code
	if f.Form != "" {
		name += ": " + f.Form
	}
	return name
}

// bad reports whether it has to be mended.
func (f finding) bad() bool { return f.Severity == "fail" || f.Severity == "danger" }

func named(findings []finding) string {
	var all []string
	for _, f := range findings {
		all = append(all, f.Severity+" "+f.String())
	}
	if all == nil {
		return "nothing"
	}
	return strings.Join(all, ", ")
}

// runner runs handlers and checks.
type runner struct {
	program, temp string
	advice        string // docs/check.md
}

// command is one of a framework, for one of its handlers.
func (r *runner) command(f framework, args []string, handler string, port int) *exec.Cmd {
	var all []string
	for _, a := range args {
		all = append(all, strings.NewReplacer("{}", handler, "{port}", fmt.Sprint(port), "{temp}", r.temp).Replace(a))
	}
	cmd := exec.Command(all[0], all[1:]...)
	cmd.Dir = f.dir
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "ASPECT") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	for _, v := range f.env {
		cmd.Env = append(cmd.Env, strings.ReplaceAll(v, "{}", handler))
	}
	cmd.Env = append(cmd.Env, "ASPECT_WEBHOOK_SECRET="+secret, fmt.Sprintf("PORT=%d", port))
	return cmd
}

// check starts a handler, checks it and ends it.
func (r *runner) check(f framework, handler string) (findings []finding, err error) {
	port := freePort()
	server := r.command(f, f.start, handler, port)
	var said bytes.Buffer
	server.Stdout, server.Stderr = &said, &said
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := server.Start(); err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() { server.Wait(); close(done) }()
	defer func() {
		syscall.Kill(-server.Process.Pid, syscall.SIGKILL)
		<-done
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, said.String())
		}
	}()
	if err := listens(port, done); err != nil {
		return nil, err
	}
	path := "/webhooks/aspect"
	if f.path != "" {
		path = f.path
	}
	checking := r.command(f, []string{r.program, "check", "http://127.0.0.1:{port}" + path, "--json"}, handler, port)
	var told bytes.Buffer
	checking.Stderr = &told
	out, err := checking.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) {
		return nil, fmt.Errorf("check: %w\n%s", err, told.String())
	}
	complete := false
	for in := bufio.NewScanner(bytes.NewReader(out)); in.Scan(); {
		var line finding
		if err := json.Unmarshal(in.Bytes(), &line); err != nil {
			return nil, err
		}
		switch line.Type {
		case "finding":
			findings = append(findings, line)
		case "end":
			complete = line.Complete
		}
	}
	if !complete {
		return nil, fmt.Errorf("the check is not complete: %s\n%s", named(findings), told.String())
	}
	return findings, nil
}

func freePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// listens waits for a server, or for its end.
func listens(port int, done chan struct{}) error {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return c.Close()
		}
		select {
		case <-done:
			return errors.New("the handler ended")
		default:
		}
	}
	return errors.New("the handler does not listen")
}

// sized is a limit in what is found.
var sized = regexp.MustCompile(`up to about ([^:]+)`)

// try runs a framework's handlers, and returns its line of the page.
func (r *runner) try(f framework) (line string, err error) {
	version, err := f.version()
	if err != nil {
		return "", err
	}
	fmt.Println(version)
	if f.build != nil {
		if out, err := r.command(f, f.build, "", 0).CombinedOutput(); err != nil {
			return "", fmt.Errorf("building: %w\n%s", err, out)
		}
	}
	var faults, found []string
	fault := func(format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		fmt.Println("  ! " + text)
		faults = append(faults, text)
	}
	row, do, err := r.advised(f)
	if err != nil {
		return "", err
	}
	for _, m := range f.mistake {
		findings, err := r.check(f, m.handler)
		if err != nil {
			return "", fmt.Errorf("%s: %w", m.handler, err)
		}
		fmt.Printf("  %s: %s\n", m.handler, named(findings))
		var bad []finding
		for _, x := range findings {
			if x.bad() {
				bad = append(bad, x)
			}
		}
		if len(bad) != 1 || bad[0].Code != m.code || bad[0].Form != m.form {
			fault("%s: not just %s %s", m.handler, m.code, m.form)
		}
		advice := row
		if m.told && len(bad) > 0 {
			advice = bad[0].Fix
		}
		found = append(found, fmt.Sprintf("%s: [%s](check.md#%s)", m.what, finding{Code: m.code, Form: m.form}, m.code))
		mends := f.mends
		if m.mends != nil {
			mends = m.mends
		}
		for _, mend := range mends {
			if !in(advice, mend) {
				fault("%s: the advice does not say %s: %s", m.handler, mend, advice)
			}
		}
		if have, err := f.has(m.handler, mends...); err != nil || have && m.drops == "" {
			fault("%s has what mends it already (%v)", m.handler, err)
		}
		if have, err := f.has("right", mends...); err != nil || !have {
			fault("the right handler does not do what is advised (%v)", err)
		}
		if m.drops == "" {
			continue
		}
		had, err := f.has(m.handler, m.drops)
		has, err2 := f.has("right", m.drops)
		if err != nil || err2 != nil || !had || has || !in(advice, m.drops) {
			fault("%s is not mended by dropping %s (%v, %v): %s", m.handler, m.drops, err, err2, advice)
		}
	}
	limit, err := r.right(f, "right", fault)
	if err != nil {
		return "", err
	}
	if f.limit != "" {
		if have, err := f.has("limit", f.limit); err != nil || !have || !in(row, f.limit) {
			fault("the handler with another limit does not do what is advised (%v)", err)
		}
		more, err := r.right(f, "limit", fault)
		if err != nil {
			return "", err
		}
		if more != noLimit {
			fault("with %s, the limit is %s", f.limit, more)
		}
	}
	if faults != nil {
		return "", errors.New(strings.Join(faults, "; "))
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s |", version, strings.Join(found, "; "), do, limit, time.Now().Format(time.DateOnly)), nil
}

const noLimit = "none up to 1 MiB"

// right checks a handler that has to have no fault, and returns its limit.
func (r *runner) right(f framework, handler string, fault func(string, ...any)) (limit string, err error) {
	findings, err := r.check(f, handler)
	if err != nil {
		return "", fmt.Errorf("%s: %w", handler, err)
	}
	fmt.Printf("  %s: %s\n", handler, named(findings))
	limit = noLimit
	for _, x := range findings {
		if x.bad() {
			fault("%s: %s", handler, x)
		}
		if x.Code != "limit" {
			continue
		}
		if m := sized.FindStringSubmatch(x.Meaning); m != nil {
			limit = m[1]
		}
		if f.limit != "" && !in(x.Fix, f.limit) {
			fault("%s: the advice does not say %s: %s", handler, f.limit, x.Fix)
		}
	}
	return limit, nil
}

// in reports whether a text has a piece of source, however it is spaced.
func in(text, piece string) bool {
	return strings.Contains(strings.Join(strings.Fields(text), " "), piece)
}

// has reports whether the source of a handler has all these, in this order.
func (f framework) has(handler string, pieces ...string) (bool, error) {
	b, err := os.ReadFile(filepath.Join(f.dir, strings.ReplaceAll(f.source, "{}", handler)))
	source := strings.Join(strings.Fields(string(b)), " ")
	for _, p := range pieces {
		var found bool
		if _, source, found = strings.Cut(source, p); !found {
			return false, err
		}
	}
	return true, err
}

// version is that of each library, as it is pinned.
func (f framework) version() (string, error) {
	b, err := os.ReadFile(filepath.Join(f.dir, f.lock))
	if err != nil {
		return "", err
	}
	var all []string
	for _, v := range f.versions {
		name, pattern, _ := strings.Cut(v, "=")
		m := regexp.MustCompile(pattern).FindSubmatch(b)
		if m == nil {
			return "", fmt.Errorf("%s has no %s", f.lock, name)
		}
		all = append(all, name+" "+string(m[1]))
	}
	if f.name == "net/http" {
		all = append([]string{"net/http of " + runtime.Version()}, all...)
	}
	return strings.Join(all, ", "), nil
}

// advised is what docs/check.md says about a framework, and of that what to do.
func (r *runner) advised(f framework) (row, do string, err error) {
	m := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(f.name) + ` \| (.*?) \| .* \|$`).FindStringSubmatch(r.advice)
	if m == nil {
		return "", "", fmt.Errorf("docs/check.md has no row for %s", f.name)
	}
	return m[0], m[1], nil
}

func main() {
	program := flag.String("aspectop", "../aspectop", "the program")
	page := flag.String("write", "", "put the rows into this page, between its marks")
	only := flag.String("only", "", "a part of the names of frameworks")
	docs := flag.String("docs", "../docs/check.md", "the page with the advice")
	flag.Parse()
	log.SetFlags(0)
	if err := run(*program, *docs, *page, *only); err != nil {
		log.Fatal(err)
	}
}

func run(program, docs, page, only string) error {
	temp, err := os.MkdirTemp("", "handlers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	r := &runner{temp: temp}
	if r.program, err = filepath.Abs(program); err != nil {
		return err
	}
	advice, err := os.ReadFile(docs)
	if err != nil {
		return err
	}
	r.advice = string(advice)
	if page != "" {
		if page, err = filepath.Abs(page); err != nil {
			return err
		}
	}
	if err := os.Chdir("handlers"); err != nil {
		return err
	}
	var rows []string
	failed := false
	for _, f := range frameworks {
		if !strings.Contains(f.name, only) {
			continue
		}
		row, err := r.try(f)
		if err != nil {
			fmt.Printf("%s: %v\n", f.name, err)
			failed = true
		}
		rows = append(rows, row)
	}
	switch {
	case failed:
		return errors.New("failed")
	case page != "" && only != "":
		log.Println("the page is left as it is: not all frameworks were tried")
		return nil
	case page != "":
		return write(page, rows)
	}
	return nil
}

// marks stand around what this program writes into the page.
var marks = regexp.MustCompile(`(?s)(<!-- compat-handlers -->\n).*?(<!-- end -->)`)

func write(page string, rows []string) error {
	b, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	if !marks.Match(b) {
		return fmt.Errorf("%s has no place for the rows", page)
	}
	table := "Measured on " + time.Now().Format(time.DateOnly) + " by `make compat`:\n\n" +
		"| framework | what was found of a usual mistake | what to do | limit for bodies | date |\n|---|---|---|---|---|\n" + strings.Join(rows, "\n") + "\n"
	b = marks.ReplaceAllFunc(b, func(m []byte) []byte {
		part := marks.FindSubmatch(m)
		return fmt.Appendf(nil, "%s%s%s", part[1], table, part[2])
	})
	return os.WriteFile(page, b, 0o644)
}
