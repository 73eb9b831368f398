package ssh

import (
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

func TestASessionEndsBehindTheAnswersOfItsTerminal(t *testing.T) {
	for name, leave := range map[string]func(r *rig, in io.Writer){
		"q":            func(_ *rig, in io.Writer) { io.WriteString(in, "q") },
		"the host end": func(r *rig, _ io.Writer) { r.server.end(errClosing) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			s, err := r.dial(nil).NewSession()
			if err != nil {
				t.Fatal(err)
			}
			in, err := s.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			w := &watching{t: t, session: s, ended: make(chan error, 1)}
			s.Stdout = w
			if err := s.RequestPty("xterm-256color", 24, 80, gossh.TerminalModes{}); err != nil {
				t.Fatal(err)
			}
			if err := s.Shell(); err != nil {
				t.Fatal(err)
			}
			go func() { w.ended <- s.Wait() }()
			within(t, "the terminal is asked", func() bool {
				return strings.Contains(w.written(), "\x1b[?2027$p") && strings.Contains(w.written(), "\x1b[?u")
			})
			var sent atomic.Bool
			time.AfterFunc(50*time.Millisecond, func() { // the end waits for 300 ms at most
				sent.Store(true)
				io.WriteString(in, "\x1b[?2026;2$y\x1b[?2027;0$y\x1b[?0u")
			})
			leave(r, in)
			w.ends(0)
			if !sent.Load() {
				t.Error("it ended before the answers")
			}
		})
	}
}
