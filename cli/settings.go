package cli

import (
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// settle fills in the flags that were not given: from the environment, then
// from the user's config file. It runs before a command does.
func settle(cmd *cobra.Command, _ []string) error {
	if f := cmd.Flags().Lookup(journalFlag); f != nil && f.Changed {
		if err := refusePassword(f.Name, f.Value.String(), "on the command line"); err != nil {
			return err
		}
	}
	if err := fromEnvironment(cmd.Flags()); err != nil {
		return err
	}
	if err := fromConfig(cmd); err != nil {
		return err
	}
	return servePprof(cmd)
}

// fromEnvironment sets each flag that was not given from the variable named
// after it: --retain from ASPECTOP_RETAIN.
func fromEnvironment(flags *pflag.FlagSet) (err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		name := variableOf(f.Name)
		value, set := os.LookupEnv(name)
		if !set || f.Changed || err != nil {
			return
		}
		if e := flags.Set(f.Name, value); e != nil {
			err = usageError("the environment variable %s: %w", name, e)
		}
	})
	return err
}

// variableOf is the environment variable that stands for a flag.
func variableOf(flag string) string {
	return "ASPECTOP_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}
