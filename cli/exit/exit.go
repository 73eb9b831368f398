// Package exit decides the program's exit code, and how an error is told.
package exit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"aspectop/printer"
)

// Exit codes, the same for all commands.
const (
	OK          = 0
	Failed      = 1
	Misused     = 2 // flags, environment or config file
	NotSetUp    = 3 // port, journal: the command never got under way
	TimedOut    = 124
	Interrupted = 130
)

// Error ends the program with a code. Errors of other types are failures.
type Error struct {
	Code int
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// With makes err end the program with the code.
func With(code int, err error) error { return &Error{code, err} }

// Usage is an error of whoever wrote the command line.
func Usage(format string, args ...any) error { return With(Misused, fmt.Errorf(format, args...)) }

// Setup makes err say that the command could not get under way.
func Setup(err error) error { return With(NotSetUp, err) }

// Code is the exit code of a command that ended with err.
func Code(err error) int {
	var e *Error
	switch {
	case err == nil:
		return OK
	case errors.As(err, &e):
		return e.Code
	}
	return Failed
}

// Report writes err for people, or for programs as one JSON object, and returns
// the exit code. Without an error it writes nothing.
func Report(w io.Writer, err error, asJSON bool) int {
	code := Code(err)
	switch {
	case err == nil:
	case asJSON:
		reportJSON(w, err, code)
	default:
		fmt.Fprintln(w, "aspectop: "+printer.CleanLines(err.Error()))
		if code == Misused && !strings.Contains(err.Error(), "\n") { // else it says more itself
			fmt.Fprintln(w, "see aspectop --help")
		}
	}
	return code
}

// reasons are the codes by name, for programs.
var reasons = map[int]string{
	Failed: "failed", Misused: "usage", NotSetUp: "setup_failed", TimedOut: "timeout", Interrupted: "interrupted",
}

func reportJSON(w io.Writer, err error, code int) {
	var line struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	line.Error.Code, line.Error.Message = reasons[code], err.Error()
	b, _ := json.Marshal(line)
	fmt.Fprintf(w, "%s\n", printer.SafeJSON(b))
}
