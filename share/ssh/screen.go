package ssh

import (
	"context"
	"errors"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"
	"charm.land/ssh"
	"github.com/charmbracelet/colorprofile"

	"aspectop/tty"
)

// framesPerSecond is a fifth of the host's own screen: the latency of keys hides more.
const framesPerSecond = 15

func (s *Server) screen(ctx context.Context, end context.CancelCauseFunc, sess ssh.Session, sizes <-chan ssh.Window) error {
	c, env := clientOf(sess)
	profile := colorprofile.Env(env)
	if c.NoColor {
		profile = min(profile, colorprofile.ASCII)
	}
	pty, _, _ := sess.Pty()
	var window atomic.Pointer[ssh.Window]
	window.Store(&pty.Window)
	c.Window = func() (width, height int) { w := window.Load(); return w.Width, w.Height }
	width, height := drawn(pty.Window)
	in := s.input(end, sess)
	defer in.stop()
	guarded := &guardedModel{Model: s.config.Screen(ctx, c), turns: s.turns}
	t := tty.New(sess.Context(), in, &output{sess, s.config.limits.stall, connOf(sess.Context())})
	neverSuspended := func(m tea.Model, msg tea.Msg) tea.Msg {
		if _, ok := msg.(tea.SuspendMsg); ok { // it would stop the whole process
			return nil
		}
		return t.Filter(m, msg)
	}
	p := tea.NewProgram(guarded,
		tea.WithInput(t.In), tea.WithOutput(t.Out),
		tea.WithEnvironment(env), tea.WithColorProfile(profile), tea.WithWindowSize(width, height),
		tea.WithFPS(framesPerSecond), tea.WithoutSignalHandler(), tea.WithFilter(neverSuspended),
	)
	guarded.quit = p.Quit
	over := make(chan struct{})
	defer close(over)
	go func() {
		for {
			select {
			case w := <-sizes:
				before := width * height
				window.Store(&w)
				width, height = drawn(w)
				p.Send(tea.WindowSizeMsg{Width: width, Height: height})
				if before-width*height >= largeShrink {
					s.released.soon()
				}
			case <-ctx.Done():
				p.Quit()
				return
			case <-over:
				return
			}
		}
	}()
	_, err := p.Run()
	if what := guarded.panicked.Load(); what != nil {
		s.crashed(sess, *what)
		return errLeft
	}
	if errors.Is(err, tea.ErrInterrupted) {
		return nil
	}
	return err
}

// newest receives all sizes and holds the newest one, so that the sender never blocks.
func newest(in <-chan ssh.Window) <-chan ssh.Window {
	out := make(chan ssh.Window, 1)
	if in == nil {
		return out
	}
	go func() {
		for w := range in {
			select {
			case <-out:
			default:
			}
			out <- w
		}
	}()
	return out
}

// guardedModel ends the session on a panic, instead of printing a stack on the host's
// terminal. And it takes turns with the other sessions, which draw at the same moments,
// so that processors are left for receiving.
type guardedModel struct {
	tea.Model
	turns    chan struct{} // has room for those whose turn it is
	panicked atomic.Pointer[any]
	quit     func() // ends the program
}

func (g *guardedModel) recover() {
	if r := recover(); r != nil && g.panicked.CompareAndSwap(nil, &r) {
		go g.quit() // it needs the loop that has panicked
	}
}

func (g *guardedModel) turn() (done func()) {
	g.turns <- struct{}{}
	return func() { <-g.turns }
}

func (g *guardedModel) Init() (cmd tea.Cmd) {
	defer g.recover()
	return g.guard(g.Model.Init())
}

func (g *guardedModel) Update(msg tea.Msg) (m tea.Model, cmd tea.Cmd) {
	m = g
	defer g.turn()()
	defer g.recover()
	if g.panicked.Load() != nil {
		return g, nil
	}
	next, c := g.Model.Update(msg)
	g.Model = next
	return g, g.guard(c)
}

func (g *guardedModel) View() (v tea.View) {
	defer g.turn()()
	defer g.recover()
	if g.panicked.Load() != nil {
		return v
	}
	return g.Model.View()
}

func (g *guardedModel) guard(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		defer g.recover()
		msg = cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			for i := range batch {
				batch[i] = g.guard(batch[i])
			}
		}
		return msg
	}
}
