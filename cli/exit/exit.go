// Package exit decides the exit code and reports errors.
package exit

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"aspectop/clean"
	"aspectop/jsonl"
)

// Exit codes, the same for all commands.
const (
	OK          = 0
	Failed      = 1
	Misused     = 2 // flags, environment or config file
	NotSetUp    = 3 // port, journal: the command could not start
	TimedOut    = 124
	Interrupted = 130
)

// Error is an error with an exit code. The code of other errors is Failed.
type Error struct {
	Code int
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// With gives err an exit code.
func With(code int, err error) error { return &Error{code, err} }

// Usage is an error in flags, arguments, environment or config file.
func Usage(format string, args ...any) error { return With(Misused, fmt.Errorf(format, args...)) }

// Setup marks err as the reason why a command could not start.
func Setup(err error) error { return With(NotSetUp, err) }

// Code is the exit code of a command that ended with err.
func Code(err error) int {
	if err == nil {
		return OK
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Failed
}

// Report writes err, as a message or as a JSON object, and returns the exit code.
// It writes nothing if err is nil. command is the one that failed, such as
// "aspectop send".
func Report(w io.Writer, err error, command string, asJSON bool) int {
	code := Code(err)
	switch {
	case err == nil:
	case asJSON:
		line, _ := jsonl.Line(map[string]any{"error": map[string]string{"code": reasons[code], "message": err.Error()}})
		w.Write(line)
	default:
		fmt.Fprintln(w, "aspectop: "+clean.Lines(err.Error()))
		if code == Misused && !strings.Contains(err.Error(), "\n") { // longer messages say what to do
			fmt.Fprintln(w, "see "+command+" --help")
		}
	}
	return code
}

// reasons are the codes in JSON.
var reasons = map[int]string{
	Failed: "failed", Misused: "usage", NotSetUp: "setup_failed", TimedOut: "timeout", Interrupted: "interrupted",
}
