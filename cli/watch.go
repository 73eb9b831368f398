package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aspectop/journal"
	"aspectop/model"
	"aspectop/receiver"
)

// defaultListen is where watch receives if it is free.
const defaultListen = "127.0.0.1:8787"

// output says how events are shown; watch, demo and view share it.
type output struct {
	plain, json          bool
	theme                string
	ascii, reducedMotion bool
	filter               string
	since                moment
}

func (o *output) flags(f *pflag.FlagSet) {
	f.BoolVar(&o.plain, "plain", false, "print sentences instead of drawing a screen")
	f.BoolVar(&o.json, "json", false, "print one JSON object a line instead of drawing a screen")
	f.StringVar(&o.theme, "theme", "auto", "colours: auto, light, dark or mono")
	f.BoolVar(&o.ascii, "ascii", false, "draw with ASCII characters only")
	f.BoolVar(&o.reducedMotion, "reduced-motion", false, "let nothing on the screen move by itself")
	f.StringVar(&o.filter, "filter", "", "show only what matches, such as \"state:failed\"")
	f.Var(&o.since, "since", "show what came since then, such as 2h or 2026-01-02T15:04:05Z")
}

// check refuses what cannot be meant, before anything is set up.
func (o *output) check() (*model.Filter, error) {
	if o.plain && o.json {
		return nil, usageError("--plain and --json exclude each other")
	}
	if !slices.Contains(themes, o.theme) {
		return nil, usageError("--theme %q is not known; it is auto, light, dark or mono", o.theme)
	}
	filter, err := model.ParseFilter(o.filter)
	if err != nil {
		return nil, usageError("--filter: %w", err)
	}
	return filter, nil
}

// watchFlags are the flags of watch.
type watchFlags struct {
	output
	listen, path string
	secretFile   string
	journal      string
	retain       span
}

func newWatch() *cobra.Command {
	var w watchFlags
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Receive, verify, keep and show deliveries",
		Long: `watch receives Aspect's webhooks, verifies their signatures, keeps them in a
journal and shows the tasks they tell of.

The signing secret of the endpoint comes from ` + secretVariable + ` (several,
separated by spaces or commas; name=whsec_... names one) or from --secret-file.`,
		Args: noArguments,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return w.run(cmd.Context(), cmd.Flags()) }
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&w.listen, "listen", defaultListen, "address to receive on")
	f.StringVar(&w.path, "path", receiver.DefaultPath, "path that takes deliveries")
	f.StringVar(&w.secretFile, "secret-file", "", "file that holds the signing secrets")
	f.StringVar(&w.journal, "journal", "", "journal file, or \"memory\" for one that is forgotten at the end")
	f.Var(&w.retain, "retain", "forget deliveries older than this, such as 30d (default: keep all)")
	w.output.flags(f)
	return cmd
}

func (w *watchFlags) run(ctx context.Context, flags *pflag.FlagSet) error {
	filter, err := w.check()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(w.path, "/") {
		return usageError("--path %q must begin with a slash", w.path)
	}
	secrets, err := readSecrets(w.secretFile)
	if err != nil {
		return err
	}
	s := &session{output: w.output, filter: filter, secrets: secrets, path: w.path}
	if err := s.openJournal(w.journal, time.Duration(w.retain)); err != nil {
		return err
	}
	defer s.close()
	if err := s.listen(w.listen, !flags.Changed("listen")); err != nil {
		return err
	}
	s.try = "aspectop demo"
	return s.run(ctx, nil)
}

// openJournal opens the journal for writing, at the path, or where the user's
// state is kept.
func (s *session) openJournal(path string, retain time.Duration) (err error) {
	options := journal.Options{Retain: retain}
	switch path {
	case "memory":
		s.journal, err = journal.OpenMemory(options)
	case "":
		if path, err = journal.DefaultPath(); err != nil {
			return setupError(err)
		}
		fallthrough
	default:
		s.journal, err = journal.Open(path, options)
	}
	if err != nil {
		return setupError(fmt.Errorf("%w (--journal names another place)", err))
	}
	s.place = s.journal.Path()
	if s.reader, err = journal.OpenReader(s.place); err != nil {
		s.journal.Close()
		return setupError(err)
	}
	return nil
}
