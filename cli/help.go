package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagGroups are the flags of those commands that have many, by purpose.
var flagGroups = []struct {
	title string
	flags []string
}{
	{"Demo", []string{"tasks", "rate", "seed", "scenario", "duration"}},
	{"Receive and keep", []string{"listen", "path", "secret-file", "journal", "retain", "poll", "sse", "metrics"}},
	{"Tunnel and endpoint", []string{"tunnel", "cloudflared", "tunnel-token-file", "tunnel-timeout", "public-url", "probe", "register", "no-register", "keep-endpoint", "secret-out"}},
	{"Forward and act", []string{"forward-to", "forward-secret-env", "exec", "notify"}},
	{"Share", []string{"ssh", "ssh-keys", "ssh-private", "ssh-sessions", "web", "web-cert", "web-key", "web-proxy", "record", "present", "title"}},
	{"Picture", []string{"picture", "size", "view", "task"}},
	{"Look", []string{"filter", "since", "plain", "json", "theme", "ascii", "reduced-motion"}},
}

// setHelp has the help of all commands list their flags by purpose, and none for a command
// that does not exist.
func setHelp(root *cobra.Command) {
	const flat = "Flags:\n{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}"
	cobra.AddTemplateFunc("flagsByPurpose", flagsByPurpose)
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), flat, "{{flagsByPurpose . | trimTrailingWhitespaces}}", 1))
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if helpOfNothing(cmd) == nil {
			help(cmd, args)
		}
	})
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		if run := cmd.Run; cmd.Name() == "help" {
			cmd.Run, cmd.RunE = nil, func(cmd *cobra.Command, args []string) error {
				if of, rest, _ := root.Find(args); of.HasSubCommands() && len(rest) > 0 {
					return noArguments(of, rest)
				}
				run(cmd, args)
				return nil
			}
		}
	}
}

// helpOfNothing is the error of --help with the name of a command that does not exist.
func helpOfNothing(cmd *cobra.Command) error {
	if f := cmd.Flags().Lookup("help"); f == nil || !f.Changed || !cmd.HasSubCommands() {
		return nil
	}
	return noArguments(cmd, cmd.Flags().Args())
}

func flagsByPurpose(cmd *cobra.Command) string {
	flags := cmd.LocalFlags()
	if flags.Lookup("theme") == nil {
		return "Flags:\n" + flags.FlagUsages() // few
	}
	var text strings.Builder
	grouped := map[string]bool{}
	write := func(title string, in func(name string) bool) {
		set := pflag.NewFlagSet(title, pflag.ContinueOnError)
		set.SortFlags = false
		flags.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !grouped[f.Name] && in(f.Name) {
				grouped[f.Name] = true
				set.AddFlag(f)
			}
		})
		if set.HasFlags() {
			text.WriteString(title + ":\n" + set.FlagUsages() + "\n")
		}
	}
	for _, g := range flagGroups {
		write(g.title, func(name string) bool { return slices.Contains(g.flags, name) })
	}
	write("Other", func(string) bool { return true })
	return text.String()
}
