package ssh

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	gossh "golang.org/x/crypto/ssh"

	"aspectop/model"
)

// patience is how long a test waits for what should come at once.
const patience = time.Minute

// rig is a server on a port of its own.
type rig struct {
	t       *testing.T
	server  *Server
	address string
	keys    string // path of the file
	signer  gossh.Signer

	mu      sync.Mutex // guards what follows
	viewers []model.Viewer
	notices []string
}

func newSigner(t *testing.T) gossh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := gossh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func line(signer gossh.Signer, comment string) string {
	return strings.TrimSpace(string(gossh.MarshalAuthorizedKey(signer.PublicKey()))) + " " + comment + "\n"
}

// newRig starts a server with a listed key. change may alter what it is given.
func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, signer: newSigner(t), keys: filepath.Join(t.TempDir(), "authorized_keys")}
	r.list(line(r.signer, "ada"))
	keys, err := OpenKeys(r.keys)
	if err != nil {
		t.Fatal(err)
	}
	config := Config{
		Keys: keys, HostKey: newSigner(t), Sessions: 4, limits: usualLimits,
		Screen: func(context.Context, Client) tea.Model { return &still{} },
		Lines: func(ctx context.Context, out io.Writer, _, _ bool) error {
			fmt.Fprintln(out, "ready")
			<-ctx.Done()
			return nil
		},
		Report: func(v model.Viewer) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.viewers = append(r.viewers, v)
		},
		Notice: func(text string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.notices = append(r.notices, text)
		},
	}
	if change != nil {
		change(&config)
	}
	if r.server, err = New(config); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.address = l.Addr().String()
	served := make(chan error, 1)
	go func() { served <- r.server.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		r.server.Shutdown(ctx)
		if ctx.Err() != nil {
			t.Error("sessions did not end with the server")
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *rig) list(lines string) {
	r.t.Helper()
	if err := os.WriteFile(r.keys+".new", []byte(lines), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(r.keys+".new", r.keys); err != nil { // in one step: a half-written list names others
		r.t.Fatal(err)
	}
}

// dial logs in over the connection; nil makes one.
func (r *rig) dial(conn net.Conn) *gossh.Client {
	r.t.Helper()
	if conn == nil {
		var err error
		if conn, err = net.Dial("tcp", r.address); err != nil {
			r.t.Fatal(err)
		}
	}
	c, chans, reqs, err := gossh.NewClientConn(conn, r.address, &gossh.ClientConfig{
		User: "anybody", Auth: []gossh.AuthMethod{gossh.PublicKeys(r.signer)}, HostKeyCallback: gossh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	client := gossh.NewClient(c, chans, reqs)
	r.t.Cleanup(func() { client.Close() })
	return client
}

// watch asks for a screen.
func (r *rig) watch(client *gossh.Client) *watching { return r.ask(client, 80, 24, "") }

// print asks for lines.
func (r *rig) print(client *gossh.Client) *watching { return r.ask(client, 0, 0, "--plain") }

// watching is a session as its client sees it.
type watching struct {
	t       *testing.T
	session *gossh.Session
	ended   chan error

	mu   sync.Mutex
	text strings.Builder // stdout and stderr
}

func (w *watching) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *watching) written() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func (r *rig) ask(client *gossh.Client, width, height int, command string) *watching {
	r.t.Helper()
	s, err := client.NewSession()
	if err != nil {
		r.t.Fatal(err)
	}
	w := &watching{t: r.t, session: s, ended: make(chan error, 1)}
	s.Stdout, s.Stderr = w, w
	if width > 0 {
		if err := s.RequestPty("xterm-256color", height, width, nil); err != nil {
			r.t.Fatal(err)
		}
	}
	if command == "" {
		err = s.Shell()
	} else {
		err = s.Start(command)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	go func() { w.ended <- s.Wait() }()
	return w
}

// shows waits until the text was written.
func (w *watching) shows(text string) {
	w.t.Helper()
	within(w.t, "the session shows "+text, func() bool { return strings.Contains(w.written(), text) })
}

// ends waits until the session has ended with the status; -1 is none.
func (w *watching) ends(status int) {
	w.t.Helper()
	select {
	case err := <-w.ended:
		got := -1
		if exit := (*gossh.ExitError)(nil); err == nil {
			got = 0
		} else if errors.As(err, &exit) {
			got = exit.ExitStatus()
		}
		if got != status {
			w.t.Errorf("the session ended with %d (%v), not %d: %q", got, err, status, w.written())
		}
	case <-time.After(patience):
		w.t.Fatalf("the session does not end: %q", w.written())
	}
}

func within(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// still is a program that shows its size and ends with q.
type still struct {
	w, h   int
	window func() (w, h int) // of which the size is said as well
}

func (s *still) Init() tea.Cmd { return nil }

func (s *still) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		s.w, s.h = msg.Width, msg.Height
	case tea.KeyPressMsg:
		switch msg.String() {
		case "q":
			return s, tea.Quit
		case "u":
			panic("in Update")
		case "c":
			return s, tea.Batch(func() tea.Msg { panic("in a command") }, nil)
		case "v":
			s.h = -1
		}
	}
	return s, nil
}

func (s *still) View() tea.View {
	if s.h < 0 {
		panic("in View")
	}
	size := fmt.Sprintf("%dx%d", s.w, s.h)
	if s.window != nil {
		w, h := s.window()
		size += fmt.Sprintf(" of %dx%d", w, h)
	}
	v := tea.NewView(size)
	v.AltScreen = true
	return v
}
