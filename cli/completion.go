package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aspectop/cli/exit"
	"aspectop/cli/session"
	"aspectop/demo"
	"aspectop/model"
	"aspectop/printer"
	"aspectop/tunnel"
	"aspectop/ui"
)

var shells = []string{"bash", "zsh", "fish", "powershell"}

func newCompletion() *cobra.Command {
	return &cobra.Command{
		Use:   "completion " + strings.Join(shells, "|"),
		Short: "Print a completion script for a shell",
		Long: `completion prints a script that completes commands, flags and their values.

  bash        source <(aspectop completion bash)
  zsh         aspectop completion zsh > "${fpath[1]}/_aspectop"
  fish        aspectop completion fish > ~/.config/fish/completions/aspectop.fish
  powershell  aspectop completion powershell | Out-String | Invoke-Expression`,
		ValidArgs: shells,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shells, args[0]) {
				return exit.Usage("unknown shell: the argument must be one of %s", strings.Join(shells, ", "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), cmd.OutOrStdout()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			}
			return root.GenPowerShellCompletionWithDesc(out)
		},
	}
}

// completeFlags registers the values of flags that have a fixed set, for all
// subcommands of root.
func completeFlags(root *cobra.Command) {
	values := map[string][]string{
		"break":    stringsOf(demo.Breaks),
		"format":   exportFormats(),
		"lang":     printer.Languages(),
		"probe":    tunnel.Probings(),
		"scenario": demo.Scenarios(),
		"theme":    session.Themes,
		"tunnel":   tunnel.Modes(),
		"view":     ui.Views(),
	}
	for _, cmd := range commands(root) {
		values["feature"] = features(cmd.Name() == "send")
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			directive := cobra.ShellCompDirectiveNoFileComp
			if f.Name == "scenario" { // or a file
				directive = cobra.ShellCompDirectiveDefault
			}
			if values[f.Name] != nil {
				cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(values[f.Name], directive))
			}
		})
	}
}

func stringsOf[S ~string](names []S) []string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return texts
}

// features are the documented features, if wanted with each state.
func features(withState bool) []string {
	if !withState {
		return model.DocumentedFeatures()
	}
	var values []string
	for _, f := range model.DocumentedFeatures() {
		for _, s := range model.StateNames() {
			values = append(values, f+"="+string(s))
		}
	}
	return values
}
