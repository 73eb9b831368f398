package cli

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aspectop/aspect"
	"aspectop/cli/exit"
	"aspectop/cli/session"
	"aspectop/cli/settings"
	"aspectop/demo"
	"aspectop/receiver"
)

type demoFlags struct {
	session.Output
	session.Sharing
	session.HandlerFlags
	scenario string
	options  demo.Options
	duration settings.Duration
}

func newDemo() *cobra.Command {
	var d demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run the whole program without any setup",
		Long: `demo runs watch on a free port with a throw-away secret and a temporary journal,
and a stand-in for Aspect that posts signed events to it and answers for its API.
On a screen, what arrives is forwarded to a handler that fails now and then.
--forward-to, here or in [demo] of the config file, puts yours in its place; if it
verifies signatures, add --forward-secret-env ASPECT_WEBHOOK_SECRET, or the name of
whichever variable has its secret.`,
		Args: noArguments,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) }
	f := cmd.Flags()
	f.IntVar(&d.options.Tasks, "tasks", 0, "total number of tasks (default: endless)")
	f.Float64Var(&d.options.Rate, "rate", 12, "new tasks per minute")
	f.Int64Var(&d.options.Seed, "seed", 1, "the same seed gives the same tasks")
	settings.PathVar(f, &d.scenario, "scenario", "scenario to play: "+strings.Join(demo.Scenarios(), ", ")+", or a file", isScenario)
	f.Var(&d.duration, "duration", "exit after this time, such as 2m (default: never)")
	d.Forwards(f)
	settings.Own(f, "forward-to")
	settings.Own(f, "forward-secret-env")
	d.Sharing.Flags(f)
	d.Output.Flags(f)
	return cmd
}

func isScenario(text string) bool { return slices.Contains(demo.Scenarios(), text) }

func (d *demoFlags) run(ctx context.Context) error {
	filter, err := d.Output.Check()
	if err != nil {
		return err
	}
	if d.options.Tasks < 0 || d.options.Rate <= 0 {
		return exit.Usage("--tasks cannot be negative, and --rate must be above zero")
	}
	if d.scenario != "" {
		if d.options.Scenario, err = demo.Load(d.scenario); err != nil {
			return exit.Usage("--scenario: %w", err)
		}
	}
	d.options.Duration = time.Duration(d.duration)

	switch own, err := d.HandlerFlags.Check(); {
	case err != nil:
		return err
	case own != nil && !d.Forwarding():
		return exit.Usage("--forward-secret-env is for a handler of yours; add --forward-to")
	}

	secret := receiver.NewSecret("demo")
	store, err := session.OpenStore(ctx, settings.MemoryLocation, 0)
	if err != nil {
		return err
	}
	defer store.Close()
	s := session.New(session.Options{Output: d.Output, Filter: filter, Secrets: []receiver.Secret{secret}, Path: receiver.DefaultPath, Demo: true, Try: "ASPECT_API_KEY=sk_… aspectop watch --tunnel"}, store)
	defer s.Close()
	if err := s.Listen("127.0.0.1:0", false); err != nil {
		return err
	}
	account := new(demo.Account)
	around, err := standIn(account, &demo.Handler{Sign: secret.Sign})
	if err != nil {
		return exit.Setup(err)
	}
	defer around.Close()
	client, err := aspect.New(aspect.Config{BaseURL: around.url, Key: aspect.NewCredential("demo")})
	if err != nil {
		return err
	}
	s.Name(client)
	if s.OnScreen() && !d.Forwarding() {
		d.HandlerFlags.Forward(around.url + handlerPath)
	}
	if err := s.AddHandlers(ctx, d.HandlerFlags); err != nil {
		return err
	}
	if err := s.Share(d.Sharing); err != nil {
		return err
	}
	s.Beside(func(ctx context.Context) error {
		err := demo.Run(ctx, &demo.Sender{URL: s.URL(), Sign: secret.Sign, Observe: account.Observe}, d.options)
		if err == nil && d.duration == 0 && s.Watched() {
			<-ctx.Done() // the scenario is over, but somebody is still watching
		}
		return cmp.Or(err, session.ErrDone)
	})
	return s.Run(ctx)
}

// handlerPath is where the demo's own handler is.
const handlerPath = "/your-handler"

// around is what the demo has instead of Aspect's API and the user's handler.
type around struct {
	*http.Server
	url string
}

func standIn(account *demo.Account, handler *demo.Handler) (*around, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", account)
	mux.Handle(handlerPath, handler)
	a := &around{&http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}, "http://" + l.Addr().String()}
	go a.Serve(l) // until Close
	return a, nil
}
