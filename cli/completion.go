package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

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
// subcommands of cmd.
func completeFlags(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		complete(sub, "theme", session.Themes, cobra.ShellCompDirectiveNoFileComp)
		complete(sub, "tunnel", tunnel.Modes(), cobra.ShellCompDirectiveNoFileComp)
		complete(sub, "format", exportFormats(), cobra.ShellCompDirectiveNoFileComp)
		complete(sub, "view", ui.Views(), cobra.ShellCompDirectiveNoFileComp)
		complete(sub, "lang", printer.Languages(), cobra.ShellCompDirectiveNoFileComp)
		complete(sub, "break", breaks(), cobra.ShellCompDirectiveNoFileComp)
		complete(sub, "scenario", demo.Scenarios(), cobra.ShellCompDirectiveDefault) // or a file
		complete(sub, "feature", features(sub.Name() == "send"), cobra.ShellCompDirectiveNoFileComp)
		completeFlags(sub)
	}
}

func complete(cmd *cobra.Command, flag string, values []string, directive cobra.ShellCompDirective) {
	if cmd.Flags().Lookup(flag) == nil {
		return
	}
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, directive))
	if err != nil {
		panic(fmt.Sprintf("--%s is completed twice: %v", flag, err))
	}
}

func breaks() []string {
	names := make([]string, len(demo.Breaks))
	for i, b := range demo.Breaks {
		names[i] = string(b)
	}
	return names
}

// features are the documented features, if wanted with each state.
func features(withState bool) []string {
	var values []string
	for _, f := range model.DocumentedFeatures() {
		if !withState {
			values = append(values, f)
			continue
		}
		for _, s := range model.StateNames() {
			values = append(values, f+"="+string(s))
		}
	}
	return values
}
