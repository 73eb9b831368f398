//go:build unix

package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	upload  = "2e1c7e42-4f8d-4e10-8d7a-0a6c0d3b1234"
	another = "7b00c1de-4f8d-4e10-8d7a-0a6c0d3b1234"
)

func TestSomebodyWatchesAnUploadLive(t *testing.T) {
	screen := inTerminal(t, 100, 24, watching(t, "--reduced-motion"))
	screen.shows("Waiting for the first event", "aspectop send task.progress --to http://")
	url := screen.find(`receiving on (http://\S+)`)
	start := time.Now()

	keeps(t, url, delivery{id: "msg_1", body: tells(upload, "task.progress", start, feature("proxy", "queued")+","+feature("visual", "queued"))})
	screen.shows("1 task", "queued", "2e1c7e42")

	keeps(t, url, delivery{id: "msg_2", body: tells(upload, "task.progress", start.Add(time.Second), feature("proxy", "completed")+","+feature("visual", "processing"))})
	screen.shows("processing", "1/2")

	keeps(t, url, delivery{id: "msg_3", body: tells(another, "task.failed", start.Add(2*time.Second), feature("proxy", "failed"))})
	screen.shows("2 tasks", "failed", "7b00c1de")

	screen.press("!") // failures only
	screen.showsNot("2e1c7e42")
	screen.press("!/visual:processing\r")
	screen.shows("2e1c7e42", "1 shown")
	screen.showsNot("7b00c1de")
	screen.press("\x1b") // esc clears the filter
	screen.shows("7b00c1de")

	keeps(t, url, delivery{id: "msg_4", body: tells(upload, "task.completed", start.Add(3*time.Second), feature("proxy", "completed")+","+feature("visual", "completed"))})
	screen.shows("completed", "2/2")

	screen.press("g\r") // open the newest
	screen.shows(upload)
	screen.press("q") // back, not out
	screen.shows("7b00c1de")
	screen.press("q")
	screen.ends(0)
	for _, told := range []string{"4 verified", "1 completed", "1 failed"} {
		if !strings.Contains(screen.written()[strings.LastIndex(screen.written(), "\x1b[?1049l"):], told) {
			t.Errorf("the summary does not tell %q", told)
		}
	}
}

func TestSomebodyDevelopsAHandlerAndSeesWhyDeliveriesAreRefused(t *testing.T) {
	screen := inTerminal(t, 120, 24, watching(t))
	url := screen.find(`receiving on (http://\S+)`)
	body := tells(upload, "task.progress", time.Now(), feature("visual", "queued"))

	if got := (delivery{id: "msg_forged", body: body, key: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}).post(t, url); got != http.StatusBadRequest {
		t.Errorf("a forged delivery was answered %d", got)
	}
	if got := (delivery{id: "msg_old", body: body, at: time.Now().Add(-7 * time.Minute)}).post(t, url); got != http.StatusBadRequest {
		t.Errorf("an old delivery was answered %d", got)
	}
	keeps(t, url, delivery{id: "msg_1", body: body})
	keeps(t, url, delivery{id: "msg_1", body: body})
	keeps(t, url, delivery{id: "msg_ping", body: `{"success": true}`})
	screen.press("3")
	screen.shows("no secret matches", "too old by", "visual queued", "duplicate", "ping", "2 rejected")
	screen.press("1")
	screen.shows("1 task")
	screen.press("q")
	screen.ends(0)
}

func TestSomebodyShowsADemo(t *testing.T) {
	screen := inTerminal(t, 120, 30, program(t, "demo", "--seed", "7"))
	screen.shows("processing", "PROXY", "3 tasks")
	screen.press("2")
	screen.press("3")
	screen.shows("task.progress", "no verdict: verified")
	screen.press("6")
	screen.shows("TASK", "now", "usual end")
	screen.press("?")
	screen.shows("freeze; count what arrives", "quit from anywhere")
	screen.press("G")
	screen.shows("expected within a second")
	screen.press("\x1b")
	screen.showsNot("expected within a second")
	screen.resize(60, 20)
	screen.press("1")
	screen.shows("TASK")
	screen.resize(220, 40)
	screen.shows("PROGRESS")
	screen.press(" ")
	screen.shows("frozen")
	screen.press(" ")
	screen.showsNot("frozen")
	screen.press("q")
	screen.ends(0)
}

func TestEveryWayOutRestoresTheTerminal(t *testing.T) {
	for name, leave := range map[string]func(*terminal){
		"q":       func(s *terminal) { s.press("q") },
		"ctrl+c":  func(s *terminal) { s.press("\x03") },
		"SIGINT":  func(s *terminal) { s.signal(syscall.SIGINT) },
		"SIGTERM": func(s *terminal) { s.signal(syscall.SIGTERM) },
		"SIGHUP":  func(s *terminal) { s.signal(syscall.SIGHUP) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			screen := inTerminal(t, 80, 24, watching(t))
			screen.shows("Waiting for the first event")
			screen.press("m")
			screen.shows("mouse on")
			leave(screen)
			screen.ends(0)
		})
	}
}

func TestSuspendAndResumeUnderAShell(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("runs where bash is, for its job control, as in the gate")
	}
	watch := watching(t)
	shell := exec.Command(bash, "--norc", "--noprofile", "-i")
	shell.Env = append(watch.Env, "PS1=shell$ ")
	screen := inTerminal(t, 100, 24, shell)
	screen.shows("shell$")
	screen.press(binary + " watch --listen 127.0.0.1:0\r")
	screen.shows("Waiting for the first event")
	screen.press("\x1a")
	screen.shows("suspending also stops receiving")
	screen.press("\x1a")
	screen.shows("Stopped")
	screen.press("fg\r")
	screen.shows("back after", "Waiting for the first event")
	screen.press("q")
	screen.showsNot("Waiting for the first event")
	screen.press("exit\r")
	screen.ends(0)
}

func TestSuspendIsRefusedWhereNothingCouldContinue(t *testing.T) {
	screen := inTerminal(t, 80, 24, watching(t)) // the leader of its session
	screen.shows("Waiting for the first event")
	screen.press("\x1a")
	screen.shows("cannot suspend")
	screen.press("q")
	screen.ends(0)
}

func TestNoColorMeansNoColor(t *testing.T) {
	screen := inTerminal(t, 80, 24, with(watching(t), "NO_COLOR=yes", "COLORTERM=truecolor"))
	screen.shows("Waiting for the first event")
	screen.press("q")
	screen.ends(0)
	for _, code := range []string{"[38;", "[48;", "[31m", "[32m", "[34m"} {
		if strings.Contains(screen.written(), code) {
			t.Errorf("the program wrote the colour %q", code)
		}
	}
}

// A tool for the system's clipboard is used by whoever sits at this machine only.
func TestTheClipboardOfThisMachineIsUsedByWhoSitsAtIt(t *testing.T) {
	tools := t.TempDir()
	took := filepath.Join(tools, "took")
	tool := "#!/bin/sh\ncat > " + took + ".new && mv " + took + ".new " + took + "\n"
	if err := os.WriteFile(filepath.Join(tools, "xclip"), []byte(tool), 0o755); err != nil {
		t.Fatal(err)
	}
	path := "PATH=" + tools + ":/usr/bin:/bin"
	for _, c := range []struct {
		variables []string
		says      string
	}{
		{[]string{path, "SSH_TTY=/dev/pts/1"}, "sent to the terminal: the receiver's URL"},
		{[]string{path, "SSH_CONNECTION=192.0.2.1 5 192.0.2.2 22"}, "sent to the terminal: the receiver's URL"},
		{[]string{path}, "copied the receiver's URL"},
	} {
		screen := inTerminal(t, 100, 24, with(watching(t), c.variables...))
		screen.shows("Waiting for the first event")
		screen.press("u")
		screen.shows(c.says)
		text, err := os.ReadFile(took)
		if wanted := strings.HasPrefix(c.says, "copied"); wanted != (err == nil) || wanted && !strings.HasPrefix(string(text), "http://127.0.0.1:") {
			t.Errorf("%v: the clipboard holds %q, %v", c.variables, text, err)
		}
		until(t, "the terminal is asked too", func() bool { return strings.Contains(screen.written(), "\x1b]52;c;") })
		screen.press("q")
		screen.ends(0)
	}
}

func TestADumbTerminalGetsSentences(t *testing.T) {
	cmd := watching(t)
	cmd.Env = append(cmd.Env, "TERM=dumb")
	screen := inTerminal(t, 120, 24, cmd)
	screen.shows("receiving on http://")
	screen.signal(syscall.SIGINT)
	screen.ends(0)
	if strings.Contains(screen.written(), "\x1b") {
		t.Errorf("an escape sequence went to a dumb terminal: %q", screen.written())
	}
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	screen := inTerminal(t, 80, 24, watching(t))
	screen.shows("Waiting for the first event")
	// A terminal that does not read keeps the program from ending cleanly.
	screen.signal(syscall.SIGSTOP)
	screen.signal(syscall.SIGTERM)
	screen.signal(syscall.SIGINT)
	screen.signal(syscall.SIGCONT)
	screen.ends(130, 0) // 0 if it was quicker than the second signal
}

func TestACrashLeavesTheTerminalAsItWas(t *testing.T) {
	for name, s := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "aborted": syscall.SIGABRT} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			screen := inTerminal(t, 80, 24, watching(t))
			screen.shows("Waiting for the first event")
			screen.press("m")
			screen.shows("mouse on")
			screen.signal(s)
			screen.ends(-1, 2)
			if said := screen.screen(); s == syscall.SIGABRT && !strings.Contains(screen.written(), "SIGABRT") {
				t.Errorf("the crash said nothing:\n%s", said)
			}
		})
	}
}
