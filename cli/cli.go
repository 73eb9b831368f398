// Package cli is the command line, with one file for each command. Commands share
// the packages below it: session is a run that receives and shows, settings reads
// what the user configured, exit decides the exit code, and terminal knows the
// terminal. All other logic is in the package it belongs to.
package cli

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/cli/terminal"
	"aspectop/private"
	"aspectop/receiver"
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
	if err == nil {
		err = helpOfNothing(cmd)
	}
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
	root.AddCommand(watch, newDemo(), newView(), newWait(), newCheck(), newSend(), newReplay(), newExport(), newVerify(),
		newEndpoints(), newMessages(), newAttempts(), newTasks(), newJournal())
	for _, cmd := range root.Commands() {
		cmd.PersistentPreRunE = prepare // the other commands must work with any config file
	}
	root.AddCommand(newDoctor(watch, w), newCompletion(), newMan(), newVersion())
	root.CompletionOptions.DisableDefaultCmd = true
	for _, cmd := range commands(root) {
		cmd.Flags().SortFlags = false // help lists them as they are defined
	}
	setHelp(root)
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

// maxInput is the size of the largest file that a command reads, in bytes.
const maxInput = 64 << 20

// readInput reads a file, or standard input for "-".
func readInput(file string) ([]byte, error) {
	in := os.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err == nil && len(text) > maxInput {
		err = fmt.Errorf("%s is larger than %d MiB", file, maxInput>>20)
	}
	return text, err
}

// arguments refuses fewer or more arguments with a sentence.
func arguments(least, most int, otherwise string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return exit.Usage("%s", otherwise)
		}
		return nil
	}
}

// atMostOne rejects a second argument, and says why.
func atMostOne(why string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 1 {
			return exit.Usage("unexpected argument %q%s", args[1], why)
		}
		return nil
	}
}

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

// pprofFlag is hidden: it is for developers of aspectop.
const pprofFlag = "pprof"

// startDebugLog writes [slog] records to the file named by ASPECTOP_DEBUG, or
// discards them. Records contain ids, states, URLs without credentials, durations
// and errors: never a secret, a header or a body.
func startDebugLog() (stop func(), err error) {
	path := os.Getenv(settings.DebugVariable)
	if path == "" {
		slog.SetDefault(slog.New(slog.DiscardHandler))
		return func() {}, nil
	}
	var f *os.File
	path, err = settings.ExpandPath(path)
	if err == nil {
		f, err = private.Open(path, os.O_WRONLY|os.O_APPEND)
	}
	if err != nil {
		return nil, exit.Usage("%s: %w", settings.DebugVariable, err)
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(f, &slog.HandlerOptions{Level: slog.LevelDebug})))
	slog.Debug("started", "version", readBuild().version, "pid", os.Getpid())
	return func() { f.Close() }, nil
}

// servePprof serves Go's profiles on a loopback address until the process ends.
func servePprof(cmd *cobra.Command) error {
	address := cmd.Flag(pprofFlag).Value.String()
	if address == "" {
		return nil
	}
	if receiver.Public(address) {
		return exit.Usage("--%s %s: must be a loopback address, such as 127.0.0.1:6060", pprofFlag, address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return exit.Setup(err)
	}
	fmt.Fprintf(os.Stderr, "aspectop: profiles at http://%s/debug/pprof/\n", l.Addr())
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	go func() { slog.Error("pprof", "err", server.Serve(l)) }()
	return nil
}
