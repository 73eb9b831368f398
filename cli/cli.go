// Package cli is the command line: flags, environment, wiring and exit codes.
// What a command decides beyond that lives in the package it belongs to.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aspectop/printer"
)

// Exit codes, the same for all commands.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitSetup       = 3 // port, journal: the command never got under way
	exitTimeout     = 124
	exitInterrupted = 130
)

// exitError ends the program with a code. Errors of other types are failures.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func setupError(err error) error { return &exitError{exitSetup, err} }

// Main runs the program with the arguments and the environment of the process,
// and returns its exit code.
func Main() int {
	if guardName != "" && os.Args[0] == guardName {
		return guard()
	}
	// A reader of stdout that goes away ends a command cleanly, by the error of
	// the next write.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := untilSignal()
	defer stop()
	root := newRoot()
	closeLog, err := startDebugLog()
	if err != nil {
		return report(os.Stderr, root, err)
	}
	defer closeLog()
	cmd, err := root.ExecuteContextC(ctx)
	slog.Debug("ended", "err", err)
	return report(os.Stderr, cmd, err)
}

// untilSignal returns a context that the first signal ends. A later one that
// [insists] ends the process at once, without cleaning up.
func untilSignal() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		first := <-signals
		start := time.Now()
		cancel()
		for next := range signals {
			if insists(first, next, time.Since(start)) {
				os.Exit(exitInterrupted)
			}
		}
	}()
	return ctx, cancel
}

// insists reports whether a signal that comes some time after the first one asks
// for an end at once. One request to end often comes as two signals: timeout(1)
// signals its child and then the child's group, a terminal that closes sends
// SIGHUP and then SIGTERM. A person who presses ctrl+c again is slower than
// that.
func insists(first, next os.Signal, after time.Duration) bool {
	if first == os.Interrupt && next == os.Interrupt {
		return after >= 20*time.Millisecond
	}
	return after >= time.Second
}

func newRoot() *cobra.Command {
	watch := newWatch()
	root := &cobra.Command{
		Use:   "aspectop",
		Short: "top for Aspect media tasks",
		Long: `aspectop receives Aspect's Svix-signed webhooks, verifies them, keeps them
durably, and draws them live in the terminal. Alone it is "aspectop watch".`,
		Version:       readBuild().sentence(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		PreRunE:       settle,
		RunE:          watch.RunE,
	}
	root.Flags().AddFlagSet(watch.Flags())
	root.PersistentFlags().String(pprofFlag, "", "serve profiles on this loopback address")
	root.PersistentFlags().MarkHidden(pprofFlag)
	root.SetVersionTemplate("aspectop {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitError{exitUsage, err} })
	root.AddCommand(watch, newDemo(), newView(), newWait(), newSend(), newReplay(), newExport(),
		newEndpoints(), newMessages(), newAttempts(), newTasks(), newJournal())
	for _, cmd := range root.Commands() {
		cmd.PersistentPreRunE = settle // not for what follows: it must work with any config file
	}
	root.AddCommand(newDoctor(), newCompletion(), newMan(), newVersion())
	root.CompletionOptions.DisableDefaultCmd = true
	completeFlags(root)
	return root
}

// noArguments refuses stray arguments: every input has a flag.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	// A flag that may stand alone takes its value only with an equals sign.
	var meant string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.NoOptDefVal != "" && f.Value.Type() == "string" {
			meant = fmt.Sprintf("; did you mean --%s=%s?", f.Name, args[0])
		}
	})
	return usageError("unexpected argument %q%s", args[0], meant)
}

// report writes err for people, or for programs if they asked for JSON, and
// returns the exit code.
func report(w io.Writer, cmd *cobra.Command, err error) int {
	if err == nil {
		return exitOK
	}
	code := exitFailed
	if e := (*exitError)(nil); errors.As(err, &e) {
		code = e.code
	}
	if wantsJSON(cmd, os.Args[1:]) {
		names := map[int]string{exitUsage: "usage", exitSetup: "setup_failed", exitTimeout: "timeout", exitInterrupted: "interrupted"}
		name, ok := names[code]
		if !ok {
			name = "failed"
		}
		var line struct {
			Error struct {
				Code    string `json:"code"`
				Message string `json:"message"`
			} `json:"error"`
		}
		line.Error.Code, line.Error.Message = name, err.Error()
		b, _ := json.Marshal(line)
		fmt.Fprintf(w, "%s\n", printer.SafeJSON(b))
		return code
	}
	fmt.Fprintln(w, "aspectop: "+cleanLines(err.Error()))
	if code == exitUsage && !errors.Is(err, errNothingToWatch) {
		fmt.Fprintln(w, "see aspectop --help")
	}
	return code
}

// wantsJSON looks for --json itself as well, because an error can come before
// the flags are read.
func wantsJSON(cmd *cobra.Command, args []string) bool {
	if f := cmd.Flags().Lookup("json"); f != nil && f.Value.String() == "true" {
		return true
	}
	for _, a := range args {
		if a == "--json" || a == "--json=true" {
			return true
		}
	}
	return false
}
