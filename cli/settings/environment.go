// Package settings reads what the user configured: types of flags, environment,
// config file, secrets, and the location of the journal and other state.
package settings

import (
	"os"
	"strings"

	"aspectop/cli/exit"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Apply sets the flags that were not given, from the environment and then from
// the config file.
func Apply(cmd *cobra.Command) error {
	if f := cmd.Flags().Lookup(JournalFlag); f != nil && f.Changed {
		if err := RefusePassword(f.Name, f.Value.String(), "on the command line"); err != nil {
			return err
		}
	}
	warnOfUnknown(cmd.Root())
	return Fill(cmd)
}

// Fill is Apply without warnings about variables.
func Fill(cmd *cobra.Command) error {
	if err := fromEnvironment(cmd.Flags()); err != nil {
		return err
	}
	return fromConfig(cmd)
}

// fromEnvironment sets each flag that was not given from its variable, such as
// --retain from ASPECTOP_RETAIN.
func fromEnvironment(flags *pflag.FlagSet) (err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		name := VariableOf(f.Name)
		value, set := os.LookupEnv(name)
		if !set || f.Changed || err != nil || IsOwn(flags, f.Name) {
			return
		}
		if e := flags.Set(f.Name, value); e != nil {
			err = exit.Usage("the environment variable %s: %w", name, ExplainValue(e))
			return
		}
		placed(flags, f.Name, "by the environment variable "+name, inEnvironment)
	})
	return err
}

// VariableOf is the environment variable of a flag.
func VariableOf(flag string) string {
	return "ASPECTOP_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}
