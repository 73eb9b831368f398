package tunnel

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// standIn names, in the environment of this test binary, the folder of a
// program that it is to play instead of running tests. A launcher sets it, as
// the environment that the package gives its child must not carry it.
const standIn = "STAND_IN_FOR_CLOUDFLARED"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(standIn) != "":
		os.Exit(play(os.Getenv(standIn), os.Args[1:]))
	case os.Getenv(hostJob) != "":
		hostUntilKilled()
	}
	os.Exit(m.Run())
}

// script is what a stand-in does. It reads it again for every request, so a
// test can change it while the stand-in runs.
type script struct {
	Connections int
	Hosts       []string        // of a quick tunnel, by run; the last one stays
	Config      json.RawMessage // the answer of /config
	Refused     int             // the counter of registrations refused with an error
	Doubled     int             // and of those refused as the edge has such a connection
	Stdout      []string        // printed at the start
	Stderr      []string        // printed at the start
	Plain       bool            // log lines as before 2025.6
	Flood       int             // bytes of log before anything else happens
	Mute        bool            // the metrics server takes requests and does not answer
	Unmetered   bool            // there is none
	Stubborn    bool            // it ignores SIGTERM
	Offspring   bool            // it starts a process that holds its pipe open
	Ends        bool            // it ends, at once or as soon as this is set,
	Code        int             // with this exit code
	LastWords   []string        // having printed this
}

// played is what a stand-in notes about a run of itself.
type played struct {
	Pid       int
	Offspring int
	Args      []string
	Env       []string
	Config    string // the text of the config file
	Modes     [2]fs.FileMode
}

// play behaves like cloudflared, as far as it is documented.
func play(dir string, args []string) int {
	run := 0
	for ; ; run++ {
		f, err := os.OpenFile(runFile(dir, run), os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			f.Close()
			break
		}
	}
	s := readScript(dir)
	p := played{Pid: os.Getpid(), Args: args, Env: os.Environ()}
	code, done := p.understand()
	if s.Offspring {
		c := exec.Command("sleep", "600")
		c.Stderr = os.Stderr
		if c.Start() == nil {
			p.Offspring = c.Process.Pid
		}
	}
	p.write(runFile(dir, run))
	if done {
		return code
	}

	for _, line := range s.Stdout {
		fmt.Println(line)
	}
	for _, line := range s.Stderr {
		fmt.Fprintln(os.Stderr, line)
	}
	say(s, "info", strings.Repeat("flood ", s.Flood/6), "")
	ended := make(chan os.Signal, 2)
	signal.Notify(ended, syscall.SIGTERM)
	for metered := false; ; {
		if !metered && !s.Unmetered && !s.Ends { // it may have been told to go on since it began
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return 1
			}
			metered = true
			go http.Serve(l, metrics(dir, run))
			say(s, "info", "Starting metrics server on "+l.Addr().String()+"/metrics", "")
		}
		select {
		case <-ended:
			if s.Stubborn {
				continue
			}
			say(s, "error", "no more connections active and exiting", "")
			return 0
		case <-time.After(5 * time.Millisecond):
		}
		if s = readScript(dir); s.Ends {
			for _, line := range s.LastWords {
				fmt.Fprintln(os.Stderr, line)
			}
			return s.Code
		}
	}
}

// understand reads the command line as a version of 2022 would.
func (p *played) understand() (code int, done bool) {
	values := map[string]string{}
	known := []string{"--config", "--metrics", "--url", "--no-autoupdate"}
	for i := 0; i < len(p.Args); i++ {
		switch arg := p.Args[i]; {
		case arg == "tunnel" || arg == "run":
		case arg == "--no-autoupdate":
		case slices.Contains(known, arg) && i+1 < len(p.Args):
			i++
			values[arg] = p.Args[i]
		default:
			fmt.Printf("Incorrect Usage: flag provided but not defined: %s\n\n%s", arg, strings.Repeat("help\n", 200))
			return 0, true
		}
	}
	if !slices.Contains(p.Args, "run") && values["--url"] == "" {
		return 255, true
	}
	text, err := os.ReadFile(values["--config"])
	if err != nil {
		return 1, true
	}
	p.Config = string(text)
	for i, name := range []string{values["--config"], filepath.Dir(values["--config"])} {
		info, err := os.Stat(name)
		if err != nil {
			return 1, true
		}
		p.Modes[i] = info.Mode().Perm()
	}
	return 0, false
}

func metrics(dir string, run int) http.Handler {
	mux := http.NewServeMux()
	handle := func(path string, answer func(http.ResponseWriter, script)) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			s := readScript(dir)
			for s.Mute && r.Context().Err() == nil {
				time.Sleep(5 * time.Millisecond)
				s = readScript(dir)
			}
			answer(w, s)
		})
	}
	handle("/ready", func(w http.ResponseWriter, s script) {
		status := http.StatusOK
		if s.Connections == 0 {
			status = http.StatusServiceUnavailable
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"status":%d,"readyConnections":%d,"connectorId":"1b2c"}`, status, s.Connections)
	})
	handle("/quicktunnel", func(w http.ResponseWriter, s script) {
		host := ""
		if len(s.Hosts) > 0 {
			host = s.Hosts[min(run, len(s.Hosts)-1)]
		}
		json.NewEncoder(w).Encode(map[string]string{"hostname": host})
	})
	handle("/config", func(w http.ResponseWriter, s script) { w.Write(s.Config) })
	handle("/metrics", func(w http.ResponseWriter, s script) {
		fmt.Fprintf(w, "# TYPE cloudflared_tunnel_tunnel_register_fail counter\n")
		for label, n := range map[string]int{"server_error": s.Refused, "dup_edge_conn": s.Doubled} {
			if n > 0 {
				fmt.Fprintf(w, "cloudflared_tunnel_tunnel_register_fail{error=%q,rpcName=\"registerConnection\"} %d\n", label, n)
			}
		}
		fmt.Fprintf(w, "cloudflared_tunnel_tunnel_register_success{rpcName=\"registerConnection\"} 7\n")
	})
	return mux
}

func say(s script, level, message, err string) {
	if s.Plain {
		fmt.Fprintf(os.Stderr, "2024-05-01T10:00:00Z %s %s error=%q\n", map[string]string{"info": "INF", "error": "ERR"}[level], message, err)
		return
	}
	line, _ := json.Marshal(map[string]string{"level": level, "message": message, "error": err, "time": "2026-01-01T00:00:00Z"})
	fmt.Fprintf(os.Stderr, "%s\n", line)
}

func runFile(dir string, run int) string { return filepath.Join(dir, fmt.Sprintf("run-%03d", run)) }

func (p *played) write(file string) {
	text, _ := json.Marshal(p)
	os.WriteFile(file+".new", text, 0o600)
	os.Rename(file+".new", file)
}

func readScript(dir string) (s script) {
	text, err := os.ReadFile(filepath.Join(dir, "script"))
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil { // the test is over and its folder gone
		os.Exit(99)
	}
	return s
}

// program is a stand-in as a test sees it.
type program struct {
	t   *testing.T
	dir string
}

// install puts a cloudflared that plays s first on PATH.
func install(t *testing.T, s script) *program {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the launcher is a shell script")
	}
	p := &program{t: t, dir: t.TempDir()}
	p.now(s)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// GORACE: with the race detector the program would take a second to end.
	// GOCOVERDIR: without it, go test -cover makes the program print a warning,
	// which the tunnel takes for cloudflared's.
	launcher := fmt.Sprintf("#!/bin/sh\nGORACE=atexit_sleep_ms=0 GOCOVERDIR='%s' %s='%s' exec '%s' \"$@\"\n", p.dir, standIn, p.dir, self)
	if err := os.WriteFile(filepath.Join(p.dir, "cloudflared"), []byte(launcher), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", p.dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return p
}

// now changes what the stand-in does.
func (p *program) now(s script) {
	p.t.Helper()
	text, err := json.Marshal(s)
	file := filepath.Join(p.dir, "script")
	if err == nil {
		err = os.WriteFile(file+".new", text, 0o600)
	}
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// runs returns what the stand-in noted, run by run.
func (p *program) runs() (runs []played) {
	for i := 0; ; i++ {
		text, err := os.ReadFile(runFile(p.dir, i))
		var run played
		if err != nil || json.Unmarshal(text, &run) != nil {
			return runs
		}
		runs = append(runs, run)
	}
}
