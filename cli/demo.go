package cli

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aspectop/demo"
	"aspectop/receiver"
)

// demoFlags are the flags of demo.
type demoFlags struct {
	output
	sshFlags
	scenario string
	options  demo.Options
	duration span
}

func newDemo() *cobra.Command {
	var d demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the whole program with nothing configured",
		Long: `demo is watch on a free port, with a throw-away secret and a journal that is
forgotten at the end, and a stand-in for Aspect that posts signed events to it.`,
		Args: noArguments,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) }
	f := cmd.Flags()
	f.SortFlags = false
	f.IntVar(&d.options.Tasks, "tasks", 0, "number of tasks in all (default: endless)")
	f.Float64Var(&d.options.Rate, "rate", 12, "new tasks a minute")
	f.Int64Var(&d.options.Seed, "seed", 1, "the same seed gives the same tasks")
	f.StringVar(&d.scenario, "scenario", "", "what to play: "+strings.Join(demo.Scenarios(), ", ")+", or a file")
	f.Var(&d.duration, "duration", "end after this time, such as 2m (default: never)")
	d.sshFlags.flags(f)
	d.output.flags(f)
	return cmd
}

func (d *demoFlags) run(ctx context.Context) error {
	filter, err := d.check()
	if err != nil {
		return err
	}
	if d.options.Tasks < 0 || d.options.Rate <= 0 {
		return usageError("--tasks cannot be negative, and --rate must be above zero")
	}
	if d.scenario != "" {
		if d.options.Scenario, err = demo.Load(d.scenario); err != nil {
			return usageError("--scenario: %w", err)
		}
	}
	d.options.Duration = time.Duration(d.duration)

	secret := receiver.NewSecret("demo")
	s := newSession(d.output, filter)
	s.secrets, s.path = []receiver.Secret{secret}, receiver.DefaultPath
	if err := s.openJournal(ctx, memoryHome, 0); err != nil {
		return err
	}
	defer s.close()
	if err := s.listen("127.0.0.1:0", false); err != nil {
		return err
	}
	if err := s.serveSSH(d.sshFlags); err != nil {
		return err
	}
	s.beside = append(s.beside, func(ctx context.Context) error {
		err := demo.Run(ctx, &demo.Sender{URL: s.url(), Sign: secret.Sign}, d.options)
		if err == nil && d.duration == 0 && (s.mode() == onScreen || s.ssh != nil) {
			<-ctx.Done() // all has been told; it can still be looked at
		}
		return cmp.Or(err, errDone)
	})
	return s.run(ctx)
}
