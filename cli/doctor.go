package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"aspectop/cli/exit"
	"aspectop/cli/session"
	"aspectop/cli/settings"
	"aspectop/cli/terminal"
	"aspectop/journal/sqlite"
	"aspectop/receiver"
	"aspectop/words"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// doctor checks what watch would use, so it has its flags.
type doctor struct {
	command *cobra.Command // watch
	watch   *watchFlags    // its flags, with those of doctor's command line
	given   watchFlags     // doctor's own
	json    bool

	failed int
}

type verdict string

const (
	fine    verdict = "ok"
	warning verdict = "warn" // may be a problem, or works only in part
	failure verdict = "fail"
	skipped verdict = "skip" // it could not be checked
)

type finding struct {
	verdict verdict
	found   string
	do      string // advice; "" if there is none, or found contains it
}

func newDoctor(command *cobra.Command, watch *watchFlags) *cobra.Command {
	d := doctor{command: command, watch: watch}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the setup and say how to fix it",
		Long: `doctor checks the config file, the signing secrets, the port, the journal, the API
key, the clock, endpoints left by earlier runs, cloudflared, the terminal, and
whether any setting would stop watch. With a tunnel or a public URL it also opens the receiver for a
moment and sends a test request through it. It takes all flags of watch. Each
check prints one line: ok, warn, fail or skip, what was found, and what to do
about it. It shows no secret and changes nothing.

Exit codes: 0 no check failed, 1 a check failed.`,
		Args: noArguments,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return d.run(cmd) }
	f := cmd.Flags()
	f.BoolVar(&d.json, "json", false, "print one JSON object per check")
	all := pflag.NewFlagSet("watch", pflag.ContinueOnError)
	d.given.addFlags(all)
	f.AddFlagSet(all) // without json
	f.VisitAll(func(flag *pflag.Flag) { flag.Hidden = !slices.Contains(listed, flag.Name) })
	return cmd
}

// listed are the flags in doctor's help; it takes the others of watch too.
var listed = []string{
	"listen", "path", "secret-file", "journal", "cloudflared", "tunnel", "tunnel-token-file", "tunnel-timeout", "public-url", "probe",
	"register", "no-register", "json",
}

func (d *doctor) run(cmd *cobra.Command) error {
	ctx := cmd.Context()
	ours, theirs := cmd.Flags(), d.command.Flags()
	var shared []string
	theirs.VisitAll(func(f *pflag.Flag) {
		if f.Name != "json" {
			shared = append(shared, f.Name)
		}
	})
	settings.Adopt(theirs, ours, shared)
	configured := prepare(cmd, nil) // a bad config file is a finding, not the end
	if configured == nil {
		configured = settings.Fill(d.command)
	}
	settings.Adopt(theirs, ours, shared)
	var account *account
	for _, check := range []struct {
		name string
		look func() finding
	}{
		{"config", func() finding { return d.checkConfig(configured) }},
		{"secrets", d.checkSecrets},
		{"port", func() finding { return d.checkPort(d.watch.fixed(theirs)) }},
		{"journal", func() finding { return d.checkJournal(ctx) }},
		{"api key", func() finding {
			account = askAccount(ctx)
			return account.checkKey()
		}},
		{"clock", func() finding { return account.checkClock() }},
		{"endpoints", d.checkLeases},
		{"cloudflared", func() finding { return d.checkCloudflared(ctx) }},
		{"public url", func() finding { return d.checkReach(ctx, d.watch.fixed(theirs)) }},
		{"terminal", checkTerminal},
	} {
		f := check.look()
		if ctx.Err() != nil {
			return exit.With(exit.Interrupted, errors.New("interrupted"))
		}
		if err := d.print(check.name, f); err != nil {
			return err
		}
	}
	switch d.failed {
	case 0:
		return nil
	case 1:
		return errors.New("one check failed")
	}
	return fmt.Errorf("%d checks failed", d.failed)
}

func (d *doctor) print(name string, f finding) error {
	if f.verdict == failure {
		d.failed++
	}
	o := newLine("check")
	o.Text("name", name)
	o.Text("status", string(f.verdict))
	o.Text("found", f.found)
	o.TextOrNull("do", f.do)
	text := fmt.Sprintf("%-4s  %s: %s", f.verdict, name, f.found)
	if f.do != "" {
		text += "; " + f.do
	}
	return printResult(d.json, o, text)
}

// askTime limits one question to the API, the database or cloudflared.
const askTime = 10 * time.Second

// unlessOpen is f, or a warning if other users may access the file. On Windows
// access lists decide.
func unlessOpen(what, path string, f finding) finding {
	info, err := os.Stat(path)
	if err != nil || info.Mode()&0o066 == 0 || runtime.GOOS == "windows" {
		return f
	}
	return finding{warning, fmt.Sprintf("%s %s is accessible to other users (mode %04o)", what, path, info.Mode().Perm()), "run: chmod 600 " + path}
}

// checkConfig checks the config file and all settings of watch; err says why they
// could not be applied.
func (d *doctor) checkConfig(err error) finding {
	path := settings.ConfigPath()
	if err == nil {
		err = settings.WithSource(d.command.Flags(), d.checkWatch())
	}
	switch {
	case err != nil:
		return finding{failure, err.Error(), ""}
	case path == "":
		return finding{fine, "no config file, and no config directory", ""}
	}
	if _, err := os.Stat(path); err != nil {
		return finding{fine, "no config file (it would be " + path + ")", ""}
	}
	return finding{fine, path, ""}
}

func (d *doctor) checkSecrets() finding {
	secrets, err := settings.ReadSecrets(d.watch.secretFile)
	switch {
	case errors.Is(err, settings.ErrNoSecret) && d.watch.SSE != "" && !d.watch.Reachable():
		return finding{fine, "none is set; the event stream needs none", ""}
	case errors.Is(err, settings.ErrNoSecret) && settings.APIKey().Empty():
		return finding{failure, "none is set, so watch would not start", "copy the endpoint's signing secret (whsec_...) from Aspect's dashboard into " + settings.SecretVariable + ", or set " + settings.KeyVariable}
	case errors.Is(err, settings.ErrNoSecret):
		return finding{fine, "none is set; with the API key, watch registers an endpoint (with --tunnel) or polls", ""}
	case err != nil:
		return finding{failure, err.Error(), "copy it again from the endpoint's page in Aspect's dashboard"}
	}
	names := make([]string, len(secrets))
	for i, s := range secrets {
		if short := s.Warning(); short != "" {
			return finding{warning, short, "copy it again from the endpoint's page in Aspect's dashboard"}
		}
		names[i] = s.Name
	}
	return unlessOpen("the file", d.watch.secretFile, finding{fine, fmt.Sprintf("%d valid: %s", len(secrets), strings.Join(names, ", ")), ""})
}

// checkPort opens the port for an instant. If none was given, watch would use the
// next free one. One in use is the running watch's, if there is one.
func (d *doctor) checkPort(given bool) finding {
	l, moved, err := receiver.Listen(d.watch.listen, !given || d.watchRuns())
	if err != nil {
		return finding{failure, err.Error(), ""}
	}
	next := l.Addr().String()
	l.Close()
	switch {
	case moved && d.watchRuns():
		return finding{fine, d.watch.listen + " is in use, most likely by the watch that writes the journal", ""}
	case moved:
		return finding{warning, "in use by another program: " + d.watch.listen, "watch would receive on " + next + "; if the address matters, stop that program or set --listen"}
	case receiver.Public(d.watch.listen):
		return finding{warning, d.watch.listen + " is free, but open to the network", "unless intended, listen on " + defaultListen}
	}
	return finding{fine, d.watch.listen + " is free", ""}
}

// watchRuns reports whether a process is writing the journal.
func (d *doctor) watchRuns() bool {
	h, err := settings.LocationOf(d.watch.journal)
	if err != nil || h.InMemory() {
		return false
	}
	_, alive, err := h.Writer()
	return err == nil && alive
}

func (d *doctor) checkJournal(ctx context.Context) finding {
	h, err := settings.LocationOf(d.watch.journal)
	switch {
	case err != nil:
		return finding{failure, err.Error(), ""}
	case h.InMemory():
		return finding{fine, "in memory, deleted on exit", ""}
	case h.File() == "":
		return checkDatabase(ctx, h)
	}
	found, err := sqlite.Inspect(h.File())
	none := errors.Is(err, os.ErrNotExist)
	if err != nil && !none {
		return finding{failure, err.Error(), ""}
	}
	if err := sqlite.Writable(h.File()); err != nil {
		return finding{failure, err.Error(), ""}
	}
	if none {
		return finding{fine, "none yet; watch will create " + h.File(), ""}
	}
	told := fmt.Sprintf("%s, format %d, %d KiB, %s", found.Path, found.Version, (found.Size+1023)>>10, deliveries(found.Arrivals))
	if !found.Newest.IsZero() {
		told += ", the last " + ago(found.Newest)
	}
	return unlessOpen("the journal", found.Path, checkWriter(h, told))
}

func checkDatabase(ctx context.Context, h settings.Location) finding {
	r, err := h.Reader()
	if err != nil {
		return finding{failure, err.Error(), ""}
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	_, last, err := r.Range(ctx)
	if err != nil {
		return finding{failure, err.Error(), ""}
	}
	return checkWriter(h, fmt.Sprintf("%s, %s", h, deliveries(last)))
}

func deliveries(n int64) string { return words.Count(int(n), "delivery", "deliveries") }

func checkWriter(h settings.Location, told string) finding {
	switch who, alive, err := h.Writer(); {
	case err != nil:
		return finding{failure, err.Error(), ""}
	case alive:
		return finding{fine, told + "; being written by " + who, ""}
	}
	return finding{fine, told + "; no process is writing it", ""}
}

// checkLeases counts the leases of registered endpoints. It does not open them,
// because that would take them from their owner.
func (d *doctor) checkLeases() finding {
	state, err := settings.StateDir()
	if err != nil {
		return finding{skipped, err.Error(), ""}
	}
	folder := filepath.Join(state, "endpoints")
	notes, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err == nil && len(notes) == 0 {
		return finding{fine, "none left by earlier runs", ""}
	}
	words := fmt.Sprintf("%d registered by watch, listed in %s", len(notes), folder)
	if settings.WatchRuns(state) {
		return finding{fine, words + "; a running watch may own one", ""}
	}
	return finding{warning, words, "the next watch with the same key and a tunnel reuses one and deletes the others, except those of --keep-endpoint"}
}

// checkWatch looks for what would stop watch beyond what the other checks look at:
// settings that cannot be used together, files and programs that are not there, and
// addresses in use.
func (d *doctor) checkWatch() error {
	_, secrets := settings.ReadSecrets(d.watch.secretFile)
	_, plan, err := d.watch.check()
	if err != nil && (secrets == nil || err.Error() != secrets.Error()) { // which checkSecrets tells
		return err
	}
	if err := receiver.CheckPath(d.watch.path); err != nil {
		return fmt.Errorf("--path: %w", err)
	}
	if err := d.watch.CheckRecord(); err != nil {
		return err
	}
	var open session.Listeners
	defer func() { open.Close() }()
	if d.watch.fixed(d.command.Flags()) && (plan.receive || err != nil) {
		open.Open("listen", d.watch.listen, false) // checkPort tells why it cannot be
	}
	for _, a := range d.watch.alsoListens() {
		if a[1] == "" {
			continue
		}
		_, _, err := open.Open(a[0], a[1], false)
		if exit.Code(err) == exit.Misused || err != nil && !d.watchRuns() { // which most likely uses it
			return err
		}
	}
	return nil
}

// checkTerminal reports what the screen would use, without querying the terminal.
func checkTerminal() finding {
	if !terminal.IsTerminal() {
		return finding{fine, "stdout is not a terminal, so watch would print sentences", ""}
	}
	words := []string{cmp.Or(os.Getenv("TERM"), "TERM is not set")}
	w, h, err := term.GetSize(os.Stdout.Fd())
	known, advice := err == nil && w > 0 && h > 0, ""
	if known {
		words = append(words, fmt.Sprintf("%dx%d", w, h))
	}
	if os.Getenv("NO_COLOR") != "" {
		words = append(words, "no colours (NO_COLOR)")
	} else {
		profile := colorprofile.Detect(os.Stdout, os.Environ())
		words = append(words, "colours: "+profile.String())
		if profile < colorprofile.TrueColor {
			advice = "if your terminal has true colours, COLORTERM=truecolor says so; " +
				"over SSH, SendEnv COLORTERM in your ssh configuration and AcceptEnv COLORTERM in the server's pass it on"
		}
	}
	if !saysUTF8() {
		return finding{warning, strings.Join(append(words, "no UTF-8"), ", "), "set LANG to a locale such as C.UTF-8, or use --ascii"}
	}
	words = append(words, "UTF-8")
	if known && (w < 40 || h < 10) {
		return finding{warning, strings.Join(words, ", "), "the screen needs at least 40x10"}
	}
	return finding{fine, strings.Join(words, ", "), advice}
}

// saysUTF8 reports whether the locale's encoding is UTF-8, as it always is on
// Windows.
func saysUTF8() bool {
	locale := cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_CTYPE"), os.Getenv("LANG"))
	locale = strings.ReplaceAll(strings.ToLower(locale), "-", "")
	return runtime.GOOS == "windows" || strings.Contains(locale, "utf8")
}
