// Command tunnels puts real proxies in front of aspectop, posts signed deliveries through
// them, and prints what each of them changes and what aspectop said. It needs the programs
// and listens on loopback only, so it is no part of the tests: see ../README.md.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// rig is a proxy between a sender and aspectop, and beside it one in front of a server that
// tells what arrived.
type rig struct {
	Dir     string // for the proxy's files
	Modules string // of apache

	Front, Back     int    // ports: of the proxy, of aspectop
	EchoFront, Echo int    // the same for the server
	Prefix          string // that the proxy puts before the path
	Protocol        bool   // it sends the PROXY protocol
	Inside          int    // a port for the proxy's own use
	User            string
}

// process is a program that is ended with the run.
type process struct {
	cmd  *exec.Cmd
	mu   sync.Mutex
	said []string
	done chan struct{}
}

var running []*process

func start(cmd *exec.Cmd, lines func(string)) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	if cmd.Stdout == nil {
		cmd.Stdout = w
	}
	cmd.Stderr = w
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return nil, err
	}
	running = append(running, p)
	go func() {
		defer close(p.done)
		for in := bufio.NewScanner(r); in.Scan(); {
			p.mu.Lock()
			p.said = append(p.said, in.Text())
			p.mu.Unlock()
			if lines != nil {
				lines(in.Text())
			}
		}
		cmd.Wait()
	}()
	return p, nil
}

func (p *process) end() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
}

func (p *process) words() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.said[max(0, len(p.said)-5):], "\n")
}

func endAll() {
	for _, p := range running {
		p.end()
	}
	running = nil
}

func freePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// listens waits for a server, or for the end of its process.
func listens(p *process, ports ...int) error {
	for _, port := range ports {
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err == nil {
				c.Close()
				break
			}
			select {
			case <-p.done:
				return fmt.Errorf("it ended: %s", p.words())
			default:
			}
			if time.Now().After(end) {
				return fmt.Errorf("nothing listens on port %d: %s", port, p.words())
			}
		}
	}
	return nil
}

// watch is aspectop behind a proxy.
type watch struct {
	*process
	mu    sync.Mutex
	lines []map[string]any
}

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// startWatch starts aspectop and waits until it is ready.
func startWatch(program string, listen, front int) (w *watch, probe string, err error) {
	w = &watch{}
	cmd := exec.Command(program, "watch", "--json", "--journal", "memory", "--no-register",
		"--listen", fmt.Sprintf("127.0.0.1:%d", listen), "--public-url", fmt.Sprintf("http://127.0.0.1:%d", front))
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "ASPECT") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "ASPECT_WEBHOOK_SECRET="+secret)
	ready := make(chan string, 1)
	failed := make(chan string, 1)
	w.process, err = start(cmd, func(line string) {
		if _, words, ok := strings.Cut(line, "aspectop: tunnel failed: "); ok {
			select {
			case failed <- words:
			default:
			}
		}
		var o map[string]any
		if json.Unmarshal([]byte(line), &o) != nil {
			return
		}
		w.mu.Lock()
		w.lines = append(w.lines, o)
		w.mu.Unlock()
		switch {
		case o["type"] == "ready":
			ready <- fmt.Sprint(o["probe"])
		case o["type"] == "tunnel" && o["state"] == "failed":
			select {
			case failed <- fmt.Sprint(o["detail"]):
			default:
			}
		}
	})
	if err != nil {
		return nil, "", err
	}
	select {
	case probe = <-ready:
	case words := <-failed: // ready would be later
		probe = "failed: " + words
	case <-w.done:
		err = fmt.Errorf("aspectop ended: %s", w.words())
	case <-time.After(60 * time.Second):
		err = fmt.Errorf("aspectop is not ready: %s", w.words())
	}
	return w, probe, err
}

// says waits for the line about a message.
func (w *watch) says(id string) (kind, reason string) {
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		w.mu.Lock()
		for _, o := range w.lines {
			if o["id"] == id {
				w.mu.Unlock()
				reason, _ = o["reason"].(string)
				return fmt.Sprint(o["type"]), reason
			}
		}
		w.mu.Unlock()
	}
	return "nothing", ""
}

func main() {
	program := flag.String("aspectop", "../aspectop", "the program")
	page := flag.String("write", "", "put the rows into this page, between its marks")
	only := flag.String("only", "", "names of proxies, separated by commas; all without")
	flag.Parse()
	log.SetFlags(0)
	defer endAll()
	temp, err := os.MkdirTemp("", "tunnels")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(temp)
	if err := os.Chmod(temp, 0o755); err != nil { // proxies started by root serve as another user
		log.Fatal(err)
	}
	echo, err := startEcho()
	if err != nil {
		log.Fatal(err)
	}
	var rows []string
	failed, missing := false, *only != ""
	for _, p := range proxies {
		if *only != "" && !strings.Contains(","+*only+",", ","+p.name+",") {
			continue
		}
		version, err := p.version()
		if err != nil {
			fmt.Printf("%s: not here: %v\n", p.name, err)
			missing = true
			continue
		}
		r, err := p.try(*program, filepath.Join(temp, strings.ReplaceAll(p.name, " ", "")), echo)
		endAll()
		if err != nil {
			fmt.Printf("%s %s: %v\n", p.name, version, err)
			failed = true
			continue
		}
		fmt.Printf("%s %s\n  changes: %s\n  to know: %s\n", p.name, version, r.changes(), r.notes(p))
		for _, words := range r.said {
			fmt.Println("  said:", words)
		}
		for _, fault := range r.faults {
			fmt.Println("  ! " + fault)
			failed = true
		}
		rows = append(rows, fmt.Sprintf("| %s %s | %s | %s |", p.name, version, r.changes(), r.notes(p)))
	}
	if *page != "" && missing {
		log.Println("the page is left as it is: not all proxies were tried")
	} else if *page != "" && !failed {
		if err := write(*page, rows); err != nil {
			log.Println(err)
			failed = true
		}
	}
	if failed {
		endAll()
		os.RemoveAll(temp)
		os.Exit(1)
	}
}

// marks stand around what this program writes into the page.
var marks = regexp.MustCompile(`(?s)(<!-- compat-tunnels -->\n).*?(<!-- end -->)`)

func write(page string, rows []string) error {
	b, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	if !marks.Match(b) {
		return fmt.Errorf("%s has no place for the rows", page)
	}
	table := "Measured on " + time.Now().Format(time.DateOnly) + " by `make compat-tunnels`:\n\n" +
		"| tunnel | what it changes | what to know |\n|---|---|---|\n" + strings.Join(rows, "\n") + "\n"
	b = marks.ReplaceAllFunc(b, func(m []byte) []byte {
		part := marks.FindSubmatch(m)
		return fmt.Appendf(nil, "%s%s%s", part[1], table, part[2])
	})
	return os.WriteFile(page, b, 0o644)
}
