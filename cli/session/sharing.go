package session

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/pflag"

	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/model"
	"aspectop/ui"
	"aspectop/ui/cast"
)

// Sharing configures how watch, demo and view share the screen.
type Sharing struct {
	sshFlags
	webFlags
	record string
	set    *pflag.FlagSet
}

// Flags adds the flags.
func (f *Sharing) Flags(set *pflag.FlagSet) {
	f.set = set
	f.sshFlags.flags(set)
	f.webFlags.flags(set)
	settings.PathVar(set, &f.record, "record", "record the screen to this new `file`, as asciicast v3, or v2 if it ends in .v2.cast", nil)
}

// Check validates the flags, without opening an address.
func (f *Sharing) Check() error {
	_, sshErr := f.sshFlags.check()
	_, _, webErr := f.webFlags.check()
	return cmp.Or(sshErr, webErr)
}

// CheckRecord refuses a recording in a file that is there, for those who do not start it.
func (f *Sharing) CheckRecord() error {
	if _, err := os.Lstat(f.record); f.record != "" && err == nil {
		return exit.Usage("--record: %s already exists; name a new file", f.record)
	}
	return nil
}

// Addresses are those that others may watch on, by flag; "" is none.
func (f *Sharing) Addresses() (addresses [][2]string) {
	return [][2]string{{"ssh", f.ssh}, {"web", f.web}}
}

// sharing is who else may watch, and how.
type sharing struct {
	servers    []server
	viewers    func() []model.Viewer       // over SSH; nil without --ssh
	sshPrivate bool                        // SSH viewers see no user ids and URLs
	livePage   string                      // its address, "" without --web
	sshCommand string                      // "" without --ssh
	token      string                      // the secret in the live page's address, "" if there is none
	recording  *recording                  // nil without --record
	program    atomic.Pointer[tea.Program] // of the screen; nil before and without
}

type server struct {
	name     string
	serve    func(net.Listener) error // until shutdown
	shutdown func(context.Context)
	listener net.Listener
}

// disconnectTime is how long viewers get to disconnect on exit.
const disconnectTime = 3 * time.Second

// start serves viewers until the returned function is called.
func (s *Session) start(v server) (stop func()) {
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := v.serve(v.listener); err != nil {
			s.notice(v.name + " server failed: " + err.Error())
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), disconnectTime)
		defer cancel()
		v.shutdown(ctx)
		<-served
	}
}

// Share prepares sharing according to the flags. Nothing is shown to others before
// it returns.
func (s *Session) Share(f Sharing) error {
	if err := s.serveSSH(f.sshFlags); err != nil {
		return err
	}
	if err := s.serveWeb(f.webFlags); err != nil {
		return err
	}
	if err := s.checkShown(); err != nil {
		return err
	}
	return s.record(f)
}

type recording struct {
	*cast.Recorder
	path string
}

func (s *Session) record(f Sharing) error {
	path := f.record
	if path == "" || s.mode() != onScreen && settings.Waits(f.set, "record") {
		return nil
	}
	if s.mode() != onScreen {
		return exit.Usage("--record needs a screen: stdout must be a terminal, without --plain or --json")
	}
	version := 3
	if strings.HasSuffix(path, ".v2.cast") {
		version = 2
	}
	r, err := cast.Create(path, cast.Options{
		Version: version, Redact: s.token, Command: strings.Join(append([]string{"aspectop"}, os.Args[1:2]...), " "),
		Ended: func(err error) {
			text := "the recording has ended: " + err.Error()
			s.notice(text)
			if p := s.program.Load(); p != nil {
				p.Send(ui.Say(text))
			}
		},
	})
	if err != nil {
		return exit.Usage("--record: %w", err)
	}
	s.recording = &recording{r, path}
	return nil
}

func (s *Session) recorded(screen tea.Model) tea.Model {
	if s.recording == nil {
		return screen
	}
	return s.recording.Model(screen)
}

// endRecording ends the recording, if there is one, and describes it. It may be
// called again.
func (s *Session) endRecording() string {
	r := s.recording
	if r == nil {
		return ""
	}
	s.recording = nil
	err := r.Close()
	said := fmt.Sprintf("recorded %s, %d KiB, to %s", r.Length().Round(time.Second/10), (r.Size()+1023)>>10, r.path)
	if err != nil {
		said += "; it ended early: " + err.Error()
	}
	return said + "\n"
}
