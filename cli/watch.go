package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aspectop/aspect"
	"aspectop/cli/exit"
	"aspectop/cli/session"
	"aspectop/cli/settings"
	"aspectop/model"
	"aspectop/receiver"
)

const defaultListen = "127.0.0.1:8787"

const defaultPoll = 5 * time.Second

type watchFlags struct {
	session.Output
	listen, path string
	secretFile   string
	journal      string
	retain       settings.Duration
	metrics      string

	session.ExposureFlags
	session.SourceFlags
	session.HandlerFlags
	session.Sharing
}

func newWatch() (*cobra.Command, *watchFlags) {
	w := new(watchFlags)
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Receive, verify, store and show deliveries",
		Long: `watch receives Aspect's webhooks, verifies their signatures, stores them in a
journal and shows their tasks.

The endpoint's signing secret comes from ` + settings.SecretVariable + ` (one or more,
separated by spaces or commas; name=whsec_... gives one a name) or from
--secret-file. With a tunnel and an API key in ` + settings.KeyVariable + ` but no secret,
watch registers an endpoint while it runs. With only a key it polls the API.`,
		Args: noArguments,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return w.run(cmd.Context(), cmd.Flags()) }
	w.addFlags(cmd.Flags())
	return cmd, w
}

func (w *watchFlags) addFlags(f *pflag.FlagSet) {
	f.StringVar(&w.listen, "listen", defaultListen, "address to listen on")
	f.StringVar(&w.path, "path", receiver.DefaultPath, "path that receives deliveries")
	settings.PathVar(f, &w.secretFile, "secret-file", "file with the signing secrets", nil)
	settings.JournalVar(f, &w.journal, "journal: a file, a PostgreSQL database (postgres://user@host/database), or \"memory\" for one that is deleted on exit")
	f.Var(&w.retain, "retain", "delete deliveries older than this, such as 30d (default: keep all)")
	f.StringVar(&w.metrics, "metrics", "", "serve metrics for Prometheus on the `address`, such as 127.0.0.1:9464")
	w.ExposureFlags.Flags(f)
	w.SourceFlags.Flags(f)
	w.HandlerFlags.Flags(f)
	w.Sharing.Flags(f)
	w.Output.Flags(f)
}

// check validates all flags before anything is opened.
func (w *watchFlags) check() (filter *model.Filter, p plan, err error) {
	if filter, err = w.Output.Check(); err != nil {
		return nil, p, err
	}
	if !strings.HasPrefix(w.path, "/") {
		return nil, p, exit.Usage("--path %q must begin with a slash", w.path)
	}
	if _, err = w.HandlerFlags.Check(); err != nil {
		return nil, p, err
	}
	if err = w.Sharing.Check(); err != nil {
		return nil, p, err
	}
	if p, err = w.plan(); err == nil && p.receive {
		p.exposure, err = w.Exposure(p.registrar)
	}
	return filter, p, err
}

// fixed reports whether others know the address, so that the port must not change.
func (w *watchFlags) fixed(flags *pflag.FlagSet) bool {
	return flags.Changed("listen") || w.PublicURL != "" || w.Forwarding()
}

// alsoListens are the addresses besides the receiver's, by flag, in the order in which they
// are opened; "" is none.
func (w *watchFlags) alsoListens() [][2]string {
	return append([][2]string{{"metrics", w.metrics}}, w.Addresses()...)
}

func (w *watchFlags) run(ctx context.Context, flags *pflag.FlagSet) error {
	filter, plan, err := w.check()
	if err != nil {
		return err
	}
	o := session.Options{Output: w.Output, Filter: filter, Secrets: plan.secrets, Path: w.path, Exposure: plan.exposure, Try: "aspectop demo"}
	if len(plan.secrets) > 0 {
		o.Source = settings.SecretSource(w.secretFile)
	}
	store, err := session.OpenStore(ctx, w.journal, time.Duration(w.retain))
	if err != nil {
		return err
	}
	defer store.Close()
	s := session.New(o, store)
	defer s.Close()
	if plan.receive {
		if err := s.Listen(w.listen, !w.fixed(flags), w.alsoListens()...); err != nil {
			return err
		}
	}
	if len(plan.secrets) > 0 {
		s.Try = "aspectop send task.progress --to " + s.URL()
	}
	if err := s.ServeMetrics(w.metrics); err != nil {
		return err
	}
	if err := s.AddSources(plan.client, plan.poll, w.SSE); err != nil {
		return err
	}
	if err := s.AddHandlers(ctx, w.HandlerFlags); err != nil {
		return err
	}
	if err := s.Share(w.Sharing); err != nil {
		return err
	}
	return s.Run(ctx)
}

type plan struct {
	secrets   []receiver.Secret
	client    *aspect.Client // nil without a key
	receive   bool           // listen for deliveries
	registrar *aspect.Client // registers an endpoint, to use its secret; nil: do not
	poll      time.Duration  // 0: do not poll
	exposure  *session.Exposure
}

// plan decides between receiving with a secret, receiving with a registered
// endpoint, and polling. A key alone never changes anything at Aspect.
func (w *watchFlags) plan() (p plan, err error) {
	if err := w.ExposureFlags.Check(); err != nil {
		return p, err
	}
	if p.client, err = newClient(nil); err != nil {
		return p, err
	}
	p.secrets, err = settings.ReadSecrets(w.secretFile)
	none := errors.Is(err, settings.ErrNoSecret)
	if err != nil && !none {
		return p, err
	}
	if p.client == nil || !w.Reachable() {
		w.RegisterWaits()
	}
	if w.Poll > 0 && p.client == nil && (none && w.SSE == "" || !w.PollWaits()) {
		return p, exit.Usage("--poll needs an API key in %s", settings.KeyVariable)
	}
	p.poll = time.Duration(w.Poll)
	switch {
	case !none:
		p.receive = true
		if w.Register {
			p.registrar = p.client
		}
	case p.client != nil && w.Reachable() && !w.NoRegister:
		p.receive, p.registrar = true, p.client
	case w.Register:
	case p.client != nil && !w.Reachable():
		p.poll = max(p.poll, defaultPoll)
	case w.SSE != "" && !w.Reachable():
	case p.client != nil:
		return p, exit.Usage("with --no-register there is no secret to verify deliveries; set %s, or omit the tunnel to poll", settings.SecretVariable)
	default:
		return p, err
	}
	switch {
	case !w.Register:
	case p.client == nil:
		return p, exit.Usage("--register needs an API key in %s", settings.KeyVariable)
	case !w.Reachable():
		return p, exit.Usage("--register needs a URL that Svix can reach: add --tunnel or --public-url")
	}
	return p, w.CheckSecretOut(p.registrar != nil)
}
