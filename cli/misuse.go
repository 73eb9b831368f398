package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aspectop/cli/exit"
	"aspectop/cli/settings"
)

// noArguments rejects arguments: all input is in flags.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		cmd.SuggestionsMinimumDistance = 2
		return exit.Usage("unknown command %q%s", args[0], didYouMean(cmd.SuggestionsFor(args[0])))
	}
	// A flag with an optional value takes it only after an equals sign.
	var meant []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.NoOptDefVal != "" && f.Value.Type() == "string" {
			meant = append(meant, fmt.Sprintf("--%s=%s", f.Name, args[0]))
		}
	})
	return exit.Usage("unexpected argument %q%s", args[0], didYouMean(meant))
}

// explainFlag says which flag may be meant by an unknown one.
func explainFlag(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok && unknown.GetSpecifiedShortnames() == "" {
		var meant []string
		if name := settings.Nearest(cmd.Flags(), unknown.GetSpecifiedName()); name != "" {
			meant = []string{"--" + name}
		}
		return exit.Usage("unknown flag --%s%s", unknown.GetSpecifiedName(), didYouMean(meant))
	}
	return exit.Usage("%w", settings.ExplainValue(err))
}

// didYouMean asks for the most likely of what may be meant, if there is any.
func didYouMean(meant []string) string {
	if len(meant) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(meant, " or ") + "?"
}
