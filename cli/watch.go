package cli

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aspectop/aspect"
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
	metrics      string

	reachFlags
	sourceFlags
	handlerFlags
	sshFlags
}

func newWatch() *cobra.Command {
	var w watchFlags
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Receive, verify, keep and show deliveries",
		Long: `watch receives Aspect's webhooks, verifies their signatures, keeps them in a
journal and shows the tasks they tell of.

The signing secret of the endpoint comes from ` + secretVariable + ` (several,
separated by spaces or commas; name=whsec_... names one) or from --secret-file.
Without a secret, but with an API key in ` + keyVariable + ` and a tunnel, watch
registers an endpoint for as long as it runs. With a key alone it polls.`,
		Args: noArguments,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return w.run(cmd.Context(), cmd.Flags()) }
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&w.listen, "listen", defaultListen, "address to receive on")
	f.StringVar(&w.path, "path", receiver.DefaultPath, "path that takes deliveries")
	f.StringVar(&w.secretFile, "secret-file", "", "file that holds the signing secrets")
	f.StringVar(&w.journal, "journal", "", "journal: a file, a PostgreSQL database (postgres://user@host/database), or \"memory\" for one that is forgotten at the end")
	f.Var(&w.retain, "retain", "forget deliveries older than this, such as 30d (default: keep all)")
	f.StringVar(&w.metrics, "metrics", "", "serve metrics for Prometheus on the `address`, such as 127.0.0.1:9464")
	w.reachFlags.flags(f)
	w.sourceFlags.flags(f)
	w.handlerFlags.flags(f)
	w.sshFlags.flags(f)
	w.output.flags(f)
	return cmd
}

func (w *watchFlags) run(ctx context.Context, flags *pflag.FlagSet) error {
	filter, err := w.output.check()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(w.path, "/") {
		return usageError("--path %q must begin with a slash", w.path)
	}
	plan, err := w.plan()
	if err != nil {
		return err
	}
	s := newSession(w.output, filter)
	s.secrets, s.path, s.try = plan.secrets, w.path, "aspectop demo"
	if s.reach, err = w.newReach(plan); err != nil {
		return err
	}
	if err := s.openJournal(ctx, w.journal, time.Duration(w.retain)); err != nil {
		return err
	}
	defer s.close()
	if plan.receive {
		// Whoever was told the address must find us there.
		next := !flags.Changed("listen") && w.publicURL == "" && len(w.forwardTo) == 0
		if err := s.listen(w.listen, next); err != nil {
			return err
		}
	}
	if len(plan.secrets) > 0 {
		s.try = "aspectop send task.progress --to " + s.url()
	}
	if err := s.serveMetrics(w.metrics); err != nil {
		return err
	}
	if err := w.addSources(s, plan); err != nil {
		return err
	}
	if err := w.addHandlers(ctx, s); err != nil {
		return err
	}
	if err := s.serveSSH(w.sshFlags); err != nil {
		return err
	}
	return s.run(ctx)
}

// plan is what watch does, worked out from what it was given.
type plan struct {
	secrets  []receiver.Secret
	client   *aspect.Client // nil without a key
	receive  bool           // take deliveries on a port
	register bool           // make an endpoint at Aspect, for its secret
	poll     time.Duration  // 0: do not
}

// plan decides between receiving with a secret, receiving with an endpoint that
// is registered for this run, and polling. A key in the environment alone never
// changes anything at Aspect.
func (w *watchFlags) plan() (p plan, err error) {
	if err := w.checkReach(); err != nil {
		return p, err
	}
	p.poll = time.Duration(w.poll)
	if p.client, err = newClient(); err != nil {
		return p, err
	}
	if w.poll > 0 && p.client == nil {
		return p, usageError("--poll reads Aspect's API, so it needs a key in %s", keyVariable)
	}
	p.secrets, err = readSecrets(w.secretFile)
	none := errors.Is(err, errNothingToWatch)
	if err != nil && !none {
		return p, err
	}
	switch {
	case !none:
		p.receive, p.register = true, w.register
	case p.client != nil && w.reachable() && !w.noRegister:
		p.receive, p.register = true, true
	case w.register:
	case p.client != nil && !w.reachable():
		p.poll = max(p.poll, defaultPoll)
	case w.sse != "" && !w.reachable():
	case p.client != nil:
		return p, usageError("--no-register leaves no secret to verify deliveries with; set %s, or leave the tunnel out to poll", secretVariable)
	default:
		return p, err
	}
	switch {
	case !w.register:
	case p.client == nil:
		return p, usageError("--register makes an endpoint at Aspect, so it needs a key in %s", keyVariable)
	case !w.reachable():
		return p, usageError("--register needs a URL that Svix can reach: add --tunnel or --public-url")
	}
	return p, nil
}
