//go:build unix

package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aspectop/ui"
	"aspectop/ui/keys"
)

// guest is somebody with OpenSSH's client and a key.
type guest struct {
	t      *testing.T
	folder string
	key    string // path of the private one
	public string // line for a file of keys
}

// sshProgram is OpenSSH's client. Where it is missing the test is skipped, unless
// ASPECTOP_REQUIRE_SSH is set.
func sshProgram(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("ssh")
	if err == nil {
		_, err = exec.LookPath("ssh-keygen")
	}
	if err != nil {
		if os.Getenv("ASPECTOP_REQUIRE_SSH") != "" {
			t.Fatal("OpenSSH's client is missing: ", err)
		}
		t.Skip("runs where OpenSSH's client is, as in the gate")
	}
	return path
}

func newGuest(t *testing.T, name string) *guest {
	t.Helper()
	sshProgram(t)
	g := &guest{t: t, folder: t.TempDir()}
	g.key = filepath.Join(g.folder, "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", g.key).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	public, err := os.ReadFile(g.key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	g.public = string(public)
	return g
}

// listOf is a file that lists the guests.
func listOf(t *testing.T, guests ...*guest) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "authorized_keys")
	list(t, path, guests...)
	return path
}

func list(t *testing.T, path string, guests ...*guest) {
	t.Helper()
	var lines string
	for _, g := range guests {
		lines += g.public
	}
	if err := os.WriteFile(path+".new", []byte("# who may watch\n"+lines), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil { // in one step: a half-written list names others
		t.Fatal(err)
	}
}

// ssh is the guest's client, on its way to the address.
func (g *guest) ssh(address string, args ...string) *exec.Cmd {
	g.t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		g.t.Fatal(err)
	}
	args = append([]string{
		"-F", "none", "-p", port, "-i", g.key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
		"-o", "UserKnownHostsFile=" + filepath.Join(g.folder, "known_hosts"), "-o", "LogLevel=ERROR",
	}, args...)
	for i, a := range args { // options, host, command
		if a == "HOST" {
			args[i] = host
		}
	}
	cmd := exec.Command(sshProgram(g.t), args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + g.folder, "TERM=xterm-256color", "LANG=C.UTF-8"}
	return cmd
}

// shared is a watch that prints JSON and serves screens.
func shared(t *testing.T, keys string, args ...string) (p *piped, url, address string) {
	t.Helper()
	args = append([]string{"--json", "--ssh", "127.0.0.1:0", "--ssh-keys", keys}, args...)
	p = inPipe(t, watching(t, args...))
	url = p.next("ready")["url"].(string)
	return p, url, "127.0.0.1:" + p.says(`ssh -p (\d+) 127\.0\.0\.1`)
}

func TestOthersWatchOverSSH(t *testing.T) {
	ada, bob := newGuest(t, "ada@laptop"), newGuest(t, "bob")
	watch, url, address := shared(t, listOf(t, ada, bob))

	wide := inTerminal(t, 120, 30, ada.ssh(address, "HOST"))
	wide.shows("Waiting for the first event")
	if v := watch.next("viewer"); v["state"] != "joined" || v["name"] != "ada@laptop" || v["address"] != "127.0.0.1" || v["watching"] != 1.0 {
		t.Errorf("a viewer is told as %v", v)
	}
	small := inTerminal(t, 60, 16, bob.ssh(address, "HOST"))
	small.shows("Waiting for the first event")
	watch.next("viewer")

	keeps(t, url, delivery{id: "msg_1", body: tells(upload, "task.progress", time.Now(), feature("visual", "processing"))})
	wide.shows("1 task", "2e1c7e42", "PROGRESS")
	small.shows("1 task", "2e1c7e42")

	// Each screen is one person's own.
	wide.press("3")
	wide.shows("visual processing", "ada@laptop")
	small.shows("TASK")
	small.resize(140, 40)
	small.shows("PROGRESS")
	small.until("the screen has its new size", func(screen string) bool {
		return len(strings.Split(screen, "\n")) == 40
	})

	// What is copied goes to the viewer's terminal.
	wide.press("1g")
	wide.press("y")
	wide.until("the id is copied", func(string) bool {
		return strings.Contains(wide.written(), "\x1b]52;c;"+base64.StdEncoding.EncodeToString([]byte(upload)))
	})
	wide.press("q")
	wide.ends(0)
	if v := watch.next("viewer"); v["state"] != "left" || v["name"] != "ada@laptop" || v["watching"] != 1.0 {
		t.Errorf("a viewer who leaves is told as %v", v)
	}
	small.press("m")
	small.shows("mouse on")
	watch.signal(syscall.SIGTERM)
	small.ends(0)
	if code := watch.ends(); code != 0 {
		t.Errorf("the watch ended with %d: %s", code, watch.errors())
	}
}

func TestLinesOverSSH(t *testing.T) {
	ada := newGuest(t, "ada")
	watch, url, address := shared(t, listOf(t, ada))
	json := inPipe(t, ada.ssh(address, "HOST", "--", "--json"))
	if ready := json.next("ready"); ready["url"] != url {
		t.Errorf("the ready line is %v", ready)
	}
	plain := inPipe(t, ada.ssh(address, "HOST", "--", "--plain"))
	if line := <-plain.lines; !strings.Contains(line, "receiving on "+url) {
		t.Errorf("the first sentence is %q", line)
	}
	keeps(t, url, delivery{id: "msg_1", body: tells(upload, "task.progress", time.Now(), feature("visual", "processing"))})
	if e := json.next("event"); e["id"] != "msg_1" {
		t.Errorf("the event is %v", e)
	}
	watch.signal(syscall.SIGTERM)
	if end := json.next("end"); end["verified"] != 1.0 {
		t.Errorf("the end line is %v", end)
	}
	if code := json.ends(); code != 0 {
		t.Errorf("ssh ended with %d", code)
	}
	if code := plain.ends(); code != 0 {
		t.Errorf("ssh ended with %d", code)
	}
	watch.ends()
}

func TestNothingButTheScreenIsToBeHadOverSSH(t *testing.T) {
	ada, eve := newGuest(t, "ada"), newGuest(t, "eve")
	_, _, address := shared(t, listOf(t, ada))
	for _, c := range []struct {
		name string
		cmd  *exec.Cmd
		code int
		says string
	}{
		{"a command", ada.ssh(address, "HOST", "id"), 2, "no commands here"},
		{"a shell without a terminal", ada.ssh(address, "-T", "HOST"), 2, "no terminal to draw on"},
		{"a subsystem", ada.ssh(address, "-s", "HOST", "sftp"), 255, ""},
		{"a key that is not listed", eve.ssh(address, "HOST", "--", "--plain"), 255, "Permission denied (publickey)"},
		{"a password", ada.ssh(address, "-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=password,keyboard-interactive", "HOST"), 255, "Permission denied (publickey)"},
		{"a connection onwards", ada.ssh(address, "-W", address, "HOST"), 255, ""},
		{"a port that is forwarded back", ada.ssh(address, "-o", "ExitOnForwardFailure=yes", "-N", "-R", "0:127.0.0.1:1", "HOST"), 255, "remote port forwarding failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var said bytes.Buffer
			c.cmd.Stdout, c.cmd.Stderr = &said, &said
			if err := c.cmd.Start(); err != nil {
				t.Fatal(err)
			}
			timer := time.AfterFunc(patience, func() { c.cmd.Process.Kill() })
			defer timer.Stop()
			if code := exitCode(c.cmd.Wait()); code != c.code || !strings.Contains(said.String(), c.says) {
				t.Errorf("ssh ended with %d and said %q", code, &said)
			}
		})
	}
}

func TestARemovedKeyEndsItsSessionsAndAnAddedOneIsLetIn(t *testing.T) {
	ada, bob := newGuest(t, "ada"), newGuest(t, "bob")
	keys := listOf(t, ada)
	watch, _, address := shared(t, keys)
	first := inTerminal(t, 100, 24, ada.ssh(address, "HOST"))
	first.shows("Waiting for the first event")
	list(t, keys, ada, bob)
	second := inTerminal(t, 100, 24, bob.ssh(address, "HOST"))
	second.shows("Waiting for the first event")
	list(t, keys, bob)
	first.ends(1)
	if !strings.Contains(first.written(), "your key is no longer listed") {
		t.Errorf("the session does not say why it ended: %q", last(first.written(), 200))
	}
	gone := inTerminal(t, 100, 24, ada.ssh(address, "HOST"))
	gone.ends(255)

	// A file that cannot be read lists nobody.
	if err := os.Remove(keys); err != nil {
		t.Fatal(err)
	}
	second.ends(1)
	watch.signal(syscall.SIGINT)
	watch.ends()
}

func last(s string, n int) string { return s[max(0, len(s)-n):] }

func TestTheColoursAreThoseOfTheViewersTerminal(t *testing.T) {
	ada := newGuest(t, "ada")
	_, url, address := shared(t, listOf(t, ada))
	keeps(t, url, delivery{id: "msg_1", body: tells(upload, "task.failed", time.Now(), feature("visual", "failed"))})
	colour := func(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }
	all := colour(`\x1b\[[0-9;]*[34]8;2;`)
	indexed := colour(`\x1b\[[0-9;]*[34]8;5;`)
	basic := colour(`\x1b\[(?:[0-9]+;)*(?:3[0-7]|9[0-7])[;m]`)
	for _, c := range []struct {
		name       string
		variables  []string
		send       []string
		has, hasnt []*regexp.Regexp
	}{
		{"true colour", []string{"TERM=xterm-256color", "COLORTERM=truecolor"}, []string{"COLORTERM"}, []*regexp.Regexp{all}, nil},
		{"256 colours", []string{"TERM=xterm-256color"}, nil, []*regexp.Regexp{indexed, colour(`48;5;124[;m]`)}, []*regexp.Regexp{all}},
		{"16 colours", []string{"TERM=xterm-16color"}, nil, []*regexp.Regexp{basic, colour(`;41[;m]`)}, []*regexp.Regexp{all, indexed}},
		{"NO_COLOR", []string{"TERM=xterm-256color", "NO_COLOR=yes"}, []string{"NO_COLOR"}, nil, []*regexp.Regexp{all, indexed, basic}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var args []string
			for _, name := range c.send {
				args = append(args, "-o", "SendEnv="+name)
			}
			cmd := ada.ssh(address, append(args, "HOST")...)
			cmd.Env = append(cmd.Env, c.variables...)
			screen := inTerminal(t, 100, 24, cmd)
			screen.shows("1 task", "2e1c7e42", "failed")
			screen.press("q")
			screen.ends(0)
			for _, re := range c.has {
				if !re.MatchString(screen.written()) {
					t.Errorf("nothing matches %s", re)
				}
			}
			for _, re := range c.hasnt {
				if found := re.FindString(screen.written()); found != "" {
					t.Errorf("the screen has %q", found)
				}
			}
		})
	}
	t.Run("TERM=dumb", func(t *testing.T) {
		cmd := ada.ssh(address, "HOST")
		cmd.Env = append(cmd.Env, "TERM=dumb")
		screen := inTerminal(t, 120, 24, cmd)
		screen.shows("receiving on http://")
		screen.press("\x03")
		screen.ends(0)
		if strings.Contains(screen.written(), "\x1b") {
			t.Errorf("an escape sequence went to a dumb terminal: %q", screen.written())
		}
	})
}

// Every key of the table is pressed, in the lists and in a task. Nothing is sent,
// written or started on the host.
func TestNoKeyOverSSHActsOnTheHost(t *testing.T) {
	ada := newGuest(t, "ada")
	handler := newHandler(t, nil)
	cmd := watching(t, "--json", "--ssh", "127.0.0.1:0", "--ssh-keys", listOf(t, ada), "--forward-to", handler.URL)
	cmd.Dir = t.TempDir()
	cmd = with(cmd, "EDITOR=touch edited; false", "VISUAL=")
	watch := inPipe(t, cmd)
	keeps(t, watch.next("ready")["url"].(string), delivery{id: "msg_1", body: tells(upload, "task.progress", time.Now(), feature("visual", "failed"))})
	watch.next("forward")
	screen := inTerminal(t, 160, 50, ada.ssh("127.0.0.1:"+watch.says(`ssh -p (\d+)`), "HOST"))
	screen.shows("2e1c7e42")
	special := map[string]string{"up": "\x1b[A", "down": "\x1b[B", "left": "\x1b[D", "right": "\x1b[C", "pgup": "\x1b[5~", "pgdown": "\x1b[6~",
		"home": "\x1b[H", "end": "\x1b[F", "tab": "\t", "shift+tab": "\x1b[Z", "enter": "\r", "esc": "\x1b", "space": " ",
		"ctrl+u": "\x15", "ctrl+d": "\x04", "ctrl+z": "\x1a"}
	for _, view := range []string{"1", "3"} {
		for _, b := range ui.Bindings() {
			for _, key := range b.Keys {
				if b.Do == keys.Quit || b.Do == keys.Interrupt {
					continue
				}
				typed, ok := special[key]
				if !ok && len(key) > 1 {
					t.Errorf("the test does not know how %s is typed", key)
				} else if !ok {
					typed = key
				}
				screen.press(view + typed)
				screen.press("\x1b[27u\x1b[27u\x1b[27u" + view + "\r" + typed)
				screen.press("\x1b[27u\x1b[27u\x1b[27u")
			}
		}
	}
	screen.press("?")
	screen.shows("quit from anywhere")
	for _, text := range []string{"replay", "export", "edit the message", "suspend;"} {
		if strings.Contains(screen.screen(), text) {
			t.Errorf("the help of a remote screen has %s", text)
		}
	}
	screen.press("\x03")
	screen.ends(0)
	watch.signal(syscall.SIGINT)
	if code := watch.ends(); code != 0 {
		t.Errorf("the watch ended with %d: %s", code, watch.errors())
	}
	if ids := handler.ids(); len(ids) != 1 {
		t.Errorf("the handler got %q", ids)
	}
	if files, _ := os.ReadDir(cmd.Dir); len(files) != 0 {
		t.Errorf("files were written: %v", files)
	}
}

func TestAPrivateScreenStaysPrivate(t *testing.T) {
	ada := newGuest(t, "ada")
	_, url, address := shared(t, listOf(t, ada), "--ssh-private")
	keeps(t, url, delivery{id: "msg_1", body: tells(upload, "task.progress", time.Now(), feature("visual", "processing"))})
	screen := inTerminal(t, 120, 40, ada.ssh(address, "HOST"))
	screen.shows("2e1c7e42")
	for _, keys := range []string{"P", "Y", "c", "u", "\r", "\t", "\t", "\t", "?", "q", "q", "3", "\r", "\t", "\t"} {
		screen.press(keys)
	}
	lines := inPipe(t, ada.ssh(address, "HOST", "--", "--json"))
	if ready := lines.next("ready"); ready["url"] != nil || ready["journal"] != nil {
		t.Errorf("the ready line of a private share is %v", ready)
	}
	screen.press("\x03")
	screen.ends(0)
	for _, secret := range []string{"3f5d7e38", strings.TrimPrefix(url, "http://"), base64.StdEncoding.EncodeToString([]byte("3f5d7e38"))} {
		if strings.Contains(screen.written(), secret) {
			t.Errorf("the screen shows %s", secret)
		}
	}
}

func TestCredentialsInHeadersAreNotShownToViewers(t *testing.T) {
	ada := newGuest(t, "ada")
	_, url, address := shared(t, listOf(t, ada))
	keeps(t, url, delivery{id: "msg_1", authorization: "Basic aHVudGVyMg", body: tells(upload, "task.progress", time.Now(), feature("visual", "failed"))})
	screen := inTerminal(t, 120, 50, ada.ssh(address, "HOST"))
	screen.shows("2e1c7e42")
	screen.press("3")
	screen.shows("ada (127.0.0.1)")
	screen.press("/visual\r")
	screen.showsNot("ada (127.0.0.1)")
	screen.press("g\r")
	screen.shows("Headers")
	screen.press("\t")
	screen.shows("Svix-Signature", "[redacted]")
	screen.press("c\x03")
	screen.ends(0)
	for _, secret := range []string{"aHVudGVyMg", base64.StdEncoding.EncodeToString([]byte("aHVudGVyMg"))} {
		if strings.Contains(screen.written(), secret) {
			t.Errorf("the screen shows a credential: %s", secret)
		}
	}
}

func TestTheHostSeesHowToBeReachedAndWhoWatches(t *testing.T) {
	ada := newGuest(t, "ada@laptop")
	keys := listOf(t, ada)
	host := inTerminal(t, 160, 30, watching(t, "--ssh", "127.0.0.1:0", "--ssh-keys", keys))
	port := host.find(`ssh -p (\d+) 127\.0\.0\.1 \(1 key authorized, host key SHA256:`)
	viewer := inTerminal(t, 80, 24, ada.ssh("127.0.0.1:"+port, "HOST"))
	viewer.shows("Waiting for the first event")
	host.press("3")
	host.shows("ada@laptop (127.0.0.1) watches; 1 watching", "aspectop  1 watching")
	host.press("?G")
	host.shows("Watching over SSH", "ada@laptop from 127.0.0.1")
	host.press("?")
	viewer.cmd.Process.Kill()
	host.shows("ada@laptop (127.0.0.1) has left")
	host.showsNot("aspectop  1 watching")
	host.press("q")
	host.ends(0)
}

func TestASuspendedClientHoldsUpNeitherTheReceiverNorOthers(t *testing.T) {
	ada, bob := newGuest(t, "ada"), newGuest(t, "bob")
	watch, url, address := shared(t, listOf(t, ada, bob))
	stopped := inTerminal(t, 160, 50, ada.ssh(address, "HOST"))
	stopped.shows("Waiting for the first event")
	live := inTerminal(t, 100, 24, bob.ssh(address, "HOST"))
	live.shows("Waiting for the first event")
	stopped.signal(syscall.SIGSTOP)
	for i := range 500 {
		task := fmt.Sprintf("%08d-4f8d-4e10-8d7a-0a6c0d3b1234", i)
		keeps(t, url, delivery{id: fmt.Sprint("msg_", i), body: tells(task, "task.progress", time.Now(), feature("visual", "processing"))})
	}
	live.shows("500 tasks", "00000499")
	stopped.signal(syscall.SIGCONT)
	stopped.shows("500 tasks", "00000499")
	stopped.signal(syscall.SIGSTOP)
	watch.signal(syscall.SIGTERM)
	live.ends(0)
	if code := watch.ends(); code != 0 { // it waits for nobody who is suspended
		t.Errorf("the watch ended with %d: %s", code, watch.errors())
	}
}

func TestADemoAndAViewAreShared(t *testing.T) {
	ada := newGuest(t, "ada")
	journal, _, _ := journalOf(t, some()...)
	for name, args := range map[string][]string{
		"demo": {"demo", "--seed", "7"}, "view": {"view", "--journal", journal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args = append(args, "--json", "--ssh", "127.0.0.1:0", "--ssh-keys", listOf(t, ada))
			p := inPipe(t, program(t, args...))
			p.next("ready")
			port := p.says(`ssh -p (\d+)`)
			screen := inTerminal(t, 100, 24, ada.ssh("127.0.0.1:"+port, "HOST"))
			screen.shows("2 tasks")
			p.next("viewer")
			screen.press("q")
			screen.ends(0)
			p.next("viewer")
		})
	}
}

func TestWithoutKeysNothingIsServed(t *testing.T) {
	eve := newGuest(t, "eve")
	folder := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		os.Chmod(path, mode)
		return path
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		says []string
	}{
		{"no file", []string{"--ssh-keys", filepath.Join(folder, "none")}, 3, []string{"ssh-keygen -t ed25519", "(umask 077; cat ~/.ssh/aspectop.pub >>", "none'", "ssh -i ~/.ssh/aspectop -p PORT HOST", "send you the .pub file"}},
		{"no default", nil, 3, []string{"ssh-keygen -t ed25519", "(umask 077; install -d -m 700 '", "aspectop/authorized_keys'"}},
		{"an empty file", []string{"--ssh-keys", write("empty", "# nobody\n\n", 0o600)}, 3, []string{"ssh-keygen -t ed25519"}},
		{"no keys", []string{"--ssh-keys", write("broken", "ssh-ed25519 AAAA eve\n", 0o600)}, 3, []string{"line 1 is not a public key"}},
		{"an option", []string{"--ssh-keys", write("option", `command="id" `+eve.public, 0o600)}, 3, []string{`line 1 has the option "command"`}},
		{"a host name", []string{"--ssh-keys", write("host", `from="*.example.com" `+eve.public, 0o600)}, 3, []string{"names of hosts are not"}},
		{"open to others", []string{"--ssh-keys", write("open", eve.public, 0o666)}, 3, []string{"can be written by other users"}},
		{"without --ssh", []string{"--ssh="}, 2, []string{"need --ssh"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"demo", "--plain", "--ssh", "127.0.0.1:0"}, c.args...)
			if c.code == 2 {
				args = append(args, "--ssh-private")
			}
			p := inPipe(t, program(t, args...))
			if code := p.ends(); code != c.code {
				t.Errorf("it ended with %d", code)
			}
			for _, says := range c.says {
				if !strings.Contains(p.errors(), says) {
					t.Errorf("it says %q, not %q", p.errors(), says)
				}
			}
		})
	}
}

func TestTheHostKeyIsMadeOnceAndClosed(t *testing.T) {
	ada := newGuest(t, "ada")
	keys := listOf(t, ada)
	state := t.TempDir()
	var prints []string
	for range 2 {
		p := inPipe(t, with(program(t, "demo", "--json", "--ssh", "127.0.0.1:0", "--ssh-keys", keys), "XDG_STATE_HOME="+state))
		p.next("ready")
		prints = append(prints, p.says(`(SHA256:[^)\s]+)`))
		p.signal(syscall.SIGINT)
		p.ends()
	}
	if prints[0] != prints[1] {
		t.Errorf("the host key changes: %q", prints)
	}
	path := filepath.Join(state, "aspectop", "ssh_host_ed25519_key")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the host key: %v, %v", info, err)
	}
	out, err := exec.Command("ssh-keygen", "-l", "-f", path).Output()
	if err != nil || !strings.Contains(string(out), prints[0]) {
		t.Errorf("ssh-keygen says %s, %v", out, err)
	}
	os.Chmod(path, 0o644)
	p := inPipe(t, with(program(t, "demo", "--json", "--ssh", "127.0.0.1:0", "--ssh-keys", keys), "XDG_STATE_HOME="+state))
	if code := p.ends(); code != 3 || !strings.Contains(p.errors(), "can be read by other users") {
		t.Errorf("a host key that others can read: %d, %s", code, p.errors())
	}
}

func TestMoreThanAllowedAreTurnedAwayWithAWord(t *testing.T) {
	ada := newGuest(t, "ada")
	watch, _, address := shared(t, listOf(t, ada), "--ssh-sessions", "2")
	for range 2 {
		inTerminal(t, 80, 24, ada.ssh(address, "HOST")).shows("Waiting for the first event")
		watch.next("viewer")
	}
	third := inTerminal(t, 80, 24, ada.ssh(address, "HOST"))
	third.ends(1)
	if !strings.Contains(third.written(), "2 watch already") {
		t.Errorf("it says %q", third.written())
	}
}

// A flood of connections that never log in neither stops the receiver nor keeps
// anybody out.
func TestHalfOpenLoginsKeepNobodyOut(t *testing.T) {
	ada := newGuest(t, "ada")
	_, url, address := shared(t, listOf(t, ada))
	var open []net.Conn
	for i := range 200 {
		c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i/10))}}).Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		open = append(open, c)
	}
	screen := inTerminal(t, 80, 24, ada.ssh(address, "HOST"))
	screen.shows("Waiting for the first event")
	keeps(t, url, delivery{id: "msg_1", body: tells(upload, "task.progress", time.Now(), feature("visual", "processing"))})
	screen.shows("2e1c7e42")
	// Of those 200 no more than 64 are held for long.
	held := len(open)
	for deadline := time.Now().Add(15 * time.Second); held > 64 && time.Now().Before(deadline); {
		open = slices.DeleteFunc(open, func(c net.Conn) bool {
			c.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, err := io.Copy(io.Discard, c) // what the server says at first
			return !os.IsTimeout(err)
		})
		held = len(open)
	}
	if held == 0 || held > 64 {
		t.Errorf("%d half-open connections are held", held)
	}
	screen.press("q")
	screen.ends(0)
}
