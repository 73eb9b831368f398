// Package cli is the command line, with one file for each command. Commands share
// the packages below it: session is a run that receives and shows, settings reads
// what the user configured, exit decides the exit code, and terminal knows the
// terminal. All other logic is in the package it belongs to.
package cli

import (
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/cli/terminal"

	"github.com/spf13/cobra"
)

// Main runs the program with the arguments and the environment of the process,
// and returns its exit code.
func Main() int {
	if terminal.Guard() {
		return exit.OK
	}
	// A closed pipe ends a command cleanly, by the error of the next write.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := exit.OnSignal()
	defer stop()
	root := newRoot()
	closeLog, err := startDebugLog()
	if err != nil {
		return exit.Report(os.Stderr, err, root.CommandPath(), wantsJSON(root, os.Args[1:]))
	}
	defer closeLog()
	cmd, err := root.ExecuteContextC(ctx)
	slog.Debug("ended", "err", err)
	err = settings.WithSource(cmd.Flags(), err)
	return exit.Report(os.Stderr, err, cmd.CommandPath(), wantsJSON(cmd, os.Args[1:]))
}

func newRoot() *cobra.Command {
	watch, w := newWatch()
	root := &cobra.Command{
		Use:   "aspectop",
		Short: "top for Aspect media tasks",
		Long: `aspectop receives Aspect's Svix-signed webhooks, verifies them, stores them
durably, and shows them live in the terminal. Without a command it runs
"aspectop watch".`,
		Version:       readBuild().String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		PreRunE:       prepare,
		RunE:          watch.RunE,
	}
	root.Flags().AddFlagSet(watch.Flags())
	root.PersistentFlags().String(pprofFlag, "", "serve profiles on this loopback address")
	root.PersistentFlags().MarkHidden(pprofFlag)
	root.SetVersionTemplate("aspectop {{.Version}}\n")
	root.SetFlagErrorFunc(explainFlag)
	root.AddCommand(watch, newDemo(), newView(), newWait(), newSend(), newReplay(), newExport(),
		newEndpoints(), newMessages(), newAttempts(), newTasks(), newJournal())
	for _, cmd := range root.Commands() {
		cmd.PersistentPreRunE = prepare // the other commands must work with any config file
	}
	root.AddCommand(newDoctor(watch, w), newCompletion(), newMan(), newVersion())
	root.CompletionOptions.DisableDefaultCmd = true
	for _, cmd := range commands(root) {
		cmd.Flags().SortFlags = false // help lists them as they are defined
	}
	completeFlags(root)
	return root
}

// prepare runs before a command. It sets the flags that were not given.
func prepare(cmd *cobra.Command, _ []string) error {
	if err := settings.Apply(cmd); err != nil {
		return err
	}
	return servePprof(cmd)
}

// wantsJSON also looks for --json itself, because an error can occur before the
// flags are parsed.
func wantsJSON(cmd *cobra.Command, args []string) bool {
	f := cmd.Flags().Lookup("json")
	return f != nil && f.Value.String() == "true" || slices.Contains(args, "--json") || slices.Contains(args, "--json=true")
}
