// Command compat reads event streams of real stacks with aspectop, and beside it with
// eventsource 4 and httpx-sse, and prints what each of them got. It needs Node, Python, nginx
// and the network, so it is no part of the tests: see README.md.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// row is a stream, and how many events it has.
type row struct {
	name   string
	url    string
	events int
	long   bool   // it takes minutes
	says   string // what aspectop has to say; then events may be missing
}

// got is what a client read of a row.
type got struct {
	mu     sync.Mutex
	ids    map[string]int
	silent []string // what it said beside
}

func (g *got) add(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ids[id]++
}

func (g *got) count() (distinct, doubled int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, n := range g.ids {
		doubled += n - 1
	}
	return len(g.ids), doubled
}

func (g *got) said() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return strings.Join(g.silent, "; ")
}

var children []*exec.Cmd

// run starts a program and hands its lines to the functions. It is killed at the end.
func run(cmd *exec.Cmd, out, errs func(string)) {
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		log.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		log.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		log.Fatal(err)
	}
	children = append(children, cmd)
	for r, f := range map[io.Reader]func(string){stdout: out, stderr: errs} {
		go func() {
			for in := bufio.NewScanner(r); in.Scan(); {
				f(in.Text())
			}
		}()
	}
}

func stopAll() {
	for _, c := range children {
		c.Process.Kill()
	}
	for _, c := range children {
		c.Wait()
	}
}

func must(err error) {
	if err != nil {
		stopAll()
		log.Fatal(err)
	}
}

// ports are n free ports in a row.
func ports(n int) int {
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(err)
		first := l.Addr().(*net.TCPAddr).Port
		l.Close()
		free := true
		for i := range n {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+i))
			if free = free && err == nil; err == nil {
				l.Close()
			}
		}
		if free {
			return first
		}
	}
	must(errors.New("no free ports"))
	return 0
}

// listens waits for a server.
func listens(port int) {
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(end) {
			must(fmt.Errorf("nothing listens on port %d", port))
		}
	}
}

func echo(line string) { fmt.Fprintln(os.Stderr, line) }

// aspectop reads a row.
func aspectop(program, journal, url string) *got {
	g := &got{ids: map[string]int{}}
	cmd := exec.Command(program, "watch", "--json", "--journal", journal, "--sse", url)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "ASPECT") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	run(cmd, func(line string) {
		var o struct {
			Type    string `json:"type"`
			EventID string `json:"event_id"`
		}
		if json.Unmarshal([]byte(line), &o) == nil && o.Type == "event" {
			g.add(o.EventID)
		}
	}, func(line string) {
		if i := strings.Index(line, "the event stream: "); i >= 0 {
			g.mu.Lock()
			g.silent = append(g.silent, line[i+len("the event stream: "):])
			g.mu.Unlock()
		}
	})
	return g
}

func client(args ...string) *got {
	g := &got{ids: map[string]int{}}
	run(exec.Command(args[0], args[1:]...), g.add, func(string) {})
	return g
}

func main() {
	program := flag.String("aspectop", "../aspectop", "the program")
	python := flag.String("python", ".venv/bin/python", "a Python with python/requirements.txt")
	short := flag.Bool("short", false, "leave out what takes minutes")
	flag.Parse()
	defer stopAll()

	temp, err := os.MkdirTemp("", "compat")
	must(err)
	defer os.RemoveAll(temp)
	node, own := ports(12), 0
	start := time.Now().Add(12 * time.Second)
	cmd := exec.Command("node", "server.mjs")
	cmd.Dir = "node"
	cmd.Env = append(os.Environ(), "PORT="+strconv.Itoa(node), fmt.Sprintf("START=%d", start.UnixMilli()))
	run(cmd, echo, echo)
	for i, name := range []string{"fastapi", "starlette", "django", "flask"} {
		run(exec.Command(*python, "python/server.py", name, strconv.Itoa(node+4+i)), echo, echo)
	}
	conf, err := os.ReadFile("nginx.conf")
	must(err)
	must(os.WriteFile(filepath.Join(temp, "nginx.conf"), fmt.Appendf(nil, string(conf), temp, node+8, node+1, node+9), 0o600))
	run(exec.Command("nginx", "-c", filepath.Join(temp, "nginx.conf"), "-e", filepath.Join(temp, "error.log")), echo, echo)
	own = node + 10
	server := &http.Server{Addr: fmt.Sprintf("127.0.0.1:%d", own), Handler: goServer()}
	go server.ListenAndServe()
	raw := serveBytes()
	for i := range 11 {
		listens(node + i)
	}

	at := func(port int, path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", port, path) }
	rows := []row{
		{name: "Node http", url: at(node, "/"), events: 50},
		{name: "express 5, flushed", url: at(node+1, "/flush"), events: 50},
		{name: "express 5 + better-sse", url: at(node+1, "/better"), events: 50},
		{name: "fastify 5 + @fastify/sse", url: at(node+2, "/"), events: 50},
		{name: "hono streamSSE, many lines", url: at(node+3, "/"), events: 50},
		{name: "FastAPI EventSourceResponse", url: at(node+4, "/"), events: 50},
		{name: "sse-starlette, CRLF, pings", url: at(node+5, "/"), events: 50},
		{name: "Django under uvicorn", url: at(node+6, "/"), events: 50},
		{name: "Flask under waitress", url: at(node+7, "/"), events: 50},
		{name: "Go net/http", url: at(own, "/"), events: 50},
		{name: "nginx, proxy_buffering off", url: at(node+9, "/flush"), events: 50},
		{name: "raw: LF", url: raw + "/lf", events: 20},
		{name: "raw: CR", url: raw + "/cr", events: 20},
		{name: "raw: CRLF", url: raw + "/crlf", events: 20},
		{name: "raw: BOM", url: raw + "/bom", events: 20},
		{name: "raw: one byte a segment", url: raw + "/bytes", events: 8},
		{name: "raw: ends after each event", url: raw + "/each", events: 6},
		{name: "raw: cut in mid-event", url: raw + "/cut", events: 8},
		{name: "S1 gzip all the same", url: at(node, "/gzip"), events: 20, says: "Content-Encoding"},
		{name: "S2 pings as events", url: at(node+1, "/pings"), events: 10},
		{name: "S3 express, not flushed, 150 s", url: at(node+1, "/naive"), events: 15, long: true},
		{name: "S3 behind nginx's buffer", url: at(node+8, "/slow10"), events: 20, long: true},
		{name: "S4 91 s silent, 9 s of events", url: at(node+1, "/live"), events: 72, long: true},
	}
	time.Sleep(time.Until(start.Add(-4 * time.Second)))
	type result struct{ ours, eventsource, httpx *got }
	results := make([]result, len(rows))
	for i, r := range rows {
		if r.long && *short {
			continue
		}
		results[i] = result{aspectop(*program, "memory", r.url), client("node", "node/client.mjs", r.url), client(*python, "python/client.py", r.url)}
	}

	// S8: another stream, whose ids are smaller, on the journal of the first.
	journal := filepath.Join(temp, "journal.db")
	first := aspectop(*program, journal, at(own, "/"))
	wait(first, 50)
	last := children[len(children)-1]
	last.Process.Signal(os.Interrupt)
	last.Wait()
	other := aspectop(*program, journal, at(own, "/other"))
	otherES := client("node", "node/client.mjs", at(own, "/other"))
	wait(other, 15)
	wait(otherES, 15)

	began := time.Now()
	burst := aspectop(*program, filepath.Join(temp, "burst.db"), at(own, "/burst"))
	for n := 0; n < 100_000 && time.Since(began) < 2*time.Minute; time.Sleep(100 * time.Millisecond) {
		n, _ = burst.count()
	}
	took := time.Since(began)

	end := start.Add(25 * time.Second)
	if !*short {
		end = start.Add(235 * time.Second)
	}
	time.Sleep(time.Until(end))

	failed := false
	fmt.Printf("%-32s %8s %12s %12s   %s\n", "stream", "aspectop", "eventsource", "httpx-sse", "aspectop said")
	for i, r := range rows {
		if results[i].ours == nil {
			continue
		}
		a, doubled := results[i].ours.count()
		b, _ := results[i].eventsource.count()
		c, _ := results[i].httpx.count()
		said := results[i].ours.said()
		bad := a < b || doubled > 0
		if r.says != "" {
			bad = !strings.Contains(said, r.says)
		}
		failed = failed || bad
		mark := " "
		if bad {
			mark = "!"
		}
		fmt.Printf("%-32s %4d/%-3d %12d %12d %s %s\n", r.name, a, r.events, b, c, mark, said)
	}
	a, _ := other.count()
	b, _ := otherES.count()
	fmt.Printf("%-32s %4d/%-3d %12d %12s   %s\n", "S8 another stream, same journal", a, 15, b, "-", other.said())
	n, _ := burst.count()
	fmt.Printf("%-32s %d of 100000 in %.1f s, %.0f/s\n", "S7 burst into a file, printed", n, took.Seconds(), float64(n)/took.Seconds())
	if failed || a < 15 || n < 100_000 {
		stopAll()
		os.RemoveAll(temp)
		os.Exit(1)
	}
}

func wait(g *got, n int) {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if got, _ := g.count(); got >= n {
			return
		}
	}
}
