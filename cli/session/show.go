package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/atotto/clipboard"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
	"github.com/spf13/pflag"

	"aspectop/broadcast"
	"aspectop/clean"
	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/cli/terminal"
	"aspectop/forward"
	"aspectop/model"
	"aspectop/printer"
	"aspectop/tty"
	"aspectop/ui"
	"aspectop/ui/screen"
)

// Themes are the values of --theme.
var Themes = []string{"auto", "light", "dark", "mono"}

// FilterTerms ends the help of a filter.
const FilterTerms = "; terms are separated by spaces and must all match, - before one negates it, commas in a value mean any of them, became:failed picks the events that changed something to failed, @name is one of [filters] (docs/commands.md#filters)"

// Output configures how watch, demo and view show events.
type Output struct {
	plain, json          bool
	theme                string
	ascii, reducedMotion bool
	present              bool
	title                string
	filter               string
	filters              model.NamedFilters // set by Check
	since                settings.Moment
	set                  *pflag.FlagSet
}

// Flags adds the flags.
func (o *Output) Flags(f *pflag.FlagSet) {
	o.set = f
	f.BoolVar(&o.plain, "plain", false, "print sentences instead of drawing a screen")
	f.BoolVar(&o.json, "json", false, "print one JSON object per line instead of drawing a screen")
	f.StringVar(&o.theme, "theme", "auto", "colours: auto, light, dark or mono")
	f.BoolVar(&o.ascii, "ascii", false, "draw with ASCII characters only")
	f.BoolVar(&o.reducedMotion, "reduced-motion", false, "no animations")
	f.BoolVar(&o.present, "present", false, "start in presentation mode: no user ids, URLs and counts of rejected requests; P leaves it")
	f.StringVar(&o.title, "title", "", "`text` in place of the program's name on the screen and the live page")
	f.StringVar(&o.filter, "filter", "", "show only what matches this filter, such as \"state:failed\""+FilterTerms)
	f.Var(&o.since, "since", "show what was received since this time, such as 2h, 12:00, 2026-01-02 or 2026-01-02T15:04:05Z")
}

// Check validates the flags and returns the filter.
func (o *Output) Check() (filter *model.Filter, err error) {
	if o.plain && o.json && !settings.Overrides(o.set, "plain", "json") {
		return nil, exit.Usage("--plain and --json cannot be used together")
	}
	if !slices.Contains(Themes, o.theme) {
		return nil, exit.Usage("unknown --theme %q: must be auto, light, dark or mono", o.theme)
	}
	o.title = Title(o.title)
	filter, o.filters, err = settings.ParseFilter(o.filter)
	return filter, err
}

// Title is a text as a title: clean, and at most 80 cells wide.
func Title(text string) string { return ansi.Truncate(strings.TrimSpace(clean.Text(text)), 80, "…") }

// checkShown refuses --present and --title on the line of a run in which nothing shows them.
func (s *Session) checkShown() error {
	if s.mode() == onScreen {
		return nil
	}
	if s.Output.title != "" && len(s.servers) == 0 && !settings.Waits(s.Output.set, "title") {
		return exit.Usage("--title needs something that shows it: a screen, --ssh or --web")
	}
	if s.Output.present && !settings.Waits(s.Output.set, "present") {
		return exit.Usage("--present needs a screen: stdout must be a terminal, without --plain or --json")
	}
	return nil
}

type mode int

const (
	onScreen mode = iota
	asSentences
	asJSON
)

func (s *Session) mode() mode {
	switch {
	case s.Output.json:
		return asJSON
	case s.Output.plain || !terminal.IsTerminal():
		return asSentences
	}
	return onScreen
}

func (s *Session) show(ctx context.Context) error {
	for _, v := range s.servers {
		defer s.start(v)()
	}
	if s.instead == nil && s.mode() == onScreen {
		return s.screen(ctx)
	}
	for _, r := range s.remarks {
		fmt.Fprintln(os.Stderr, "aspectop: "+r)
	}
	if s.instead != nil {
		return s.instead(ctx)
	}
	return s.print(ctx)
}

// unreadTime is how often it is looked whether anybody still reads the lines.
const unreadTime = 2 * time.Second

// whileRead is ctx until nobody reads out any more.
func whileRead(ctx context.Context, out *os.File) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		for broadcast.Sleep(ctx, unreadTime) == nil {
			if terminal.Unread(out) {
				cancel()
			}
		}
	}()
	return ctx, cancel
}

// print prints lines from when deliveries are accepted.
func (s *Session) print(ctx context.Context) error {
	ctx, cancel := whileRead(ctx, os.Stdout)
	defer cancel()
	o := s.lines(ctx, false)
	o.Out, o.From, o.Dates = os.Stdout, s.Feed.Opened(), !terminal.OnTerminal()
	if s.mode() == asJSON {
		o.Format = printer.JSON
	}
	// Notices go to stderr until lines are printed, and in JSON mode also later,
	// because JSON has no line for them.
	stop := s.diagnose(ctx, 0, true)
	select {
	case <-s.receiving:
	case <-ctx.Done():
		if s.failed { // the receiver did not start, and the error says why
			stop()
			return nil
		}
	}
	if cursor := stop(); o.Format == printer.JSON { // its lines have each state, told before or not
		stop := s.diagnose(ctx, cursor, false)
		defer stop()
	} else {
		o.PrintAfter = cursor
	}
	o.Trouble, o.Temporary = s.troubled, s.temporary
	if len(s.forwarders) > 0 {
		o.Forwarding = s.forwarding
	}
	if s.command != nil {
		o.Owed = s.command.Left
	}
	return printer.Run(ctx, o)
}

// lines are the options of lines, here or over SSH, until ctx ends. Private ones
// tell no URL.
func (s *Session) lines(ctx context.Context, private bool) printer.Options {
	ready := make(chan printer.Ready, 1)
	s.background.Go(func() {
		select {
		case <-s.ready:
			if private {
				ready <- printer.Ready{PID: os.Getpid()}
			} else {
				ready <- s.readyLine()
			}
		case <-ctx.Done():
		}
	})
	o := printer.Options{Feed: s.Feed, Filter: s.Filter, Since: s.Output.since.At, Now: time.Now, Ready: ready}
	if !private { // notices and forwards contain URLs
		o.Status, o.URL, o.NotKept = s.status, s.URL(), s.notKept
	}
	return o
}

// readyLine is the content of the ready line. It is valid once s.ready is closed.
func (s *Session) readyLine() printer.Ready {
	ready := printer.Ready{URL: s.URL(), Journal: s.place, PID: os.Getpid()}
	if s.exposure != nil {
		ready.PublicURL, ready.Probe, ready.Doubt, ready.Tunnel = s.public, s.probe, s.doubt, string(s.exposure.options.Mode)
	}
	return ready
}

// diagnose writes the notices after the cursor in the status log to stderr, with
// tunnel also the tunnel's states, until the returned function is called. That
// function flushes and returns the new cursor.
func (s *Session) diagnose(ctx context.Context, cursor int64, tunnel bool) (stop func() int64) {
	ctx, cancel := context.WithCancel(ctx)
	next := make(chan int64)
	told := ""
	go func() {
		next <- s.eachStatus(ctx, cursor, func(e *model.Status) {
			text := e.Notice
			if t := e.Tunnel; t != nil && tunnel {
				text = strings.TrimRight("tunnel "+string(t.State)+": "+t.Detail, ": ")
				if text == told { // a probe's time is another, or nothing that is said here
					return
				}
				told = text
			}
			if text != "" {
				fmt.Fprintln(os.Stderr, "aspectop: "+clean.Text(text))
			}
		})
	}()
	return func() int64 {
		cancel()
		return <-next
	}
}

// troubled reports that the journal is unreadable and why, or readable again.
func (s *Session) troubled(why string) {
	if why == "" {
		s.notice("the journal is readable again")
		return
	}
	s.notice(why + "; trying again")
}

// screen draws the screen until the user quits or ctx ends.
func (s *Session) screen(ctx context.Context) error {
	theme := s.Output.theme
	options := ui.ProgramOptions()
	if os.Getenv("NO_COLOR") != "" {
		// Bubble Tea parses NO_COLOR as a boolean, but by convention any value counts.
		options = append(options, tea.WithColorProfile(colorprofile.ASCII))
		theme = "mono"
	}
	in := os.Stdin
	if !term.IsTerminal(in.Fd()) {
		var err error
		if in, _, err = tea.OpenTTY(); err != nil {
			return err
		}
	}
	t := tty.Open(in, os.Stdout)
	o := s.options()
	o.Theme, o.Exec = theme, t.Exec
	m := ui.New(ctx, o)
	p := tea.NewProgram(s.recorded(m), append(options,
		tea.WithoutSignalHandler(), tea.WithInput(t.In), tea.WithOutput(t.Out), tea.WithFilter(t.Filter))...)
	s.program.Store(p)
	defer terminal.StartGuard()()
	defer context.AfterFunc(ctx, p.Quit)()
	restore := terminal.Keep()
	_, err := p.Run()
	restore()
	if errors.Is(err, tea.ErrInterrupted) {
		err = nil
	}
	fmt.Print(m.Summary(), s.endRecording())
	if ctx.Err() == nil { // a key has ended it
		if left := s.left(); left != "" {
			fmt.Fprintln(os.Stderr, "aspectop: "+left)
		}
		exit.Interrupt()
	}
	return err
}

func (s *Session) options() screen.Options {
	o := screen.Options{
		Feed: s.Feed, Journal: s.rows, Receiver: s.URL(), JournalPath: s.place, Try: s.Try, Demo: s.Demo, Title: s.Output.title, Present: s.Output.present, Remarks: s.remarks,
		ASCII: s.Output.ascii, ReducedMotion: s.Output.reducedMotion,
		Redact: s.token, Filter: s.Filter, Filters: s.Output.filters, Since: s.Output.since.At, CanSuspend: terminal.CanSuspend, Notify: s.notify,
		Resumed: s.gap, Sources: s.states, Failing: s.failing, Export: exportTask, Picture: func(of, svg string) (string, error) { return newFile(of, "svg", []byte(svg)) },
		Viewers: s.viewers,
	}
	o.LivePage, o.SSHCommand, o.SecretSource, o.Recorded = s.livePage, s.sshCommand, s.Source, s.recording != nil
	for _, secret := range s.knownSecrets() {
		o.Secrets = append(o.Secrets, secret.Name)
	}
	if os.Getenv("SSH_CONNECTION") == "" && os.Getenv("SSH_TTY") == "" && !clipboard.Unsupported {
		o.Clipboard = clipboard.WriteAll
	}
	// An interface that contains a nil pointer is not nil.
	if s.client != nil {
		o.API = s.client
	}
	if s.names != nil {
		o.Names = s.names
	}
	if s.exposure != nil {
		o.Endpoint = s.exposure.state
	}
	if len(s.forwarders) > 0 {
		o.Queues = s.queues
		o.Editor = func(ctx context.Context, path string) (*exec.Cmd, error) { return Editor(ctx, s.env, path) }
		o.ResendTo = s.forwarders[0].To()
		o.Resend = func(ctx context.Context, d model.Delivery, body []byte) ([]string, model.Forward, error) {
			return forward.Resend(ctx, s.forwarders, d, body)
		}
	}
	return o
}
