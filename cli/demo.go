package cli

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aspectop/cli/exit"
	"aspectop/cli/session"
	"aspectop/cli/settings"
	"aspectop/demo"
	"aspectop/receiver"
)

type demoFlags struct {
	session.Output
	session.Sharing
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
and a stand-in for Aspect that posts signed events to it.`,
		Args: noArguments,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) }
	f := cmd.Flags()
	f.IntVar(&d.options.Tasks, "tasks", 0, "total number of tasks (default: endless)")
	f.Float64Var(&d.options.Rate, "rate", 12, "new tasks per minute")
	f.Int64Var(&d.options.Seed, "seed", 1, "the same seed gives the same tasks")
	settings.PathVar(f, &d.scenario, "scenario", "scenario to play: "+strings.Join(demo.Scenarios(), ", ")+", or a file", isScenario)
	f.Var(&d.duration, "duration", "exit after this time, such as 2m (default: never)")
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

	secret := receiver.NewSecret("demo")
	store, err := session.OpenStore(ctx, settings.MemoryLocation, 0)
	if err != nil {
		return err
	}
	defer store.Close()
	s := session.New(session.Options{Output: d.Output, Filter: filter, Secrets: []receiver.Secret{secret}, Path: receiver.DefaultPath}, store)
	defer s.Close()
	if err := s.Listen("127.0.0.1:0", false); err != nil {
		return err
	}
	if err := s.Share(d.Sharing); err != nil {
		return err
	}
	s.Beside(func(ctx context.Context) error {
		err := demo.Run(ctx, &demo.Sender{URL: s.URL(), Sign: secret.Sign}, d.options)
		if err == nil && d.duration == 0 && s.Watched() {
			<-ctx.Done() // the scenario is over, but somebody is still watching
		}
		return cmp.Or(err, session.ErrDone)
	})
	return s.Run(ctx)
}
