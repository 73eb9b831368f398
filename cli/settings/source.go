package settings

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"aspectop/clean"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// source is the annotation of a flag that says where its value comes from, if it was
// not given on the command line; see placed.
const source = "source"

// own is the annotation of a flag that has its value from the command line or from its
// command's table in the config file, and from nowhere else.
const own = "own"

// Own makes a flag one of the command alone, whatever it is set to for others.
func Own(flags *pflag.FlagSet, name string) { flags.SetAnnotation(name, own, []string{""}) }

// IsOwn reports whether [Own] was called for the flag.
func IsOwn(flags *pflag.FlagSet, name string) bool {
	return len(flags.Lookup(name).Annotations[own]) > 0
}

// WithSource adds to an error that names flags where their values come from, unless
// they were given on the command line or the error says so itself.
func WithSource(flags *pflag.FlagSet, err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	flags.VisitAll(func(f *pflag.Flag) {
		from := f.Annotations[source]
		if len(from) > 0 && regexp.MustCompile("--"+f.Name+`([^a-z-]|$)`).MatchString(text) && !strings.Contains(text, from[0]) {
			err = fmt.Errorf("%w; --%s is set %s", err, f.Name, from[0])
		}
	})
	return err
}

// Nearest is the name of the flag that a misspelt name most likely means, "" if none
// is like it.
func Nearest(flags *pflag.FlagSet, name string) string {
	var names []string
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return nearest(name, names)
}

func nearest(name string, names []string) (nearest string) {
	best := 3 // more letters than two, or half of them, are no slip
	for _, n := range names {
		if d := distance(name, n); d < best && 2*d < len(name) {
			nearest, best = n, d
		}
	}
	return nearest
}

// allFlags are those of a command and of all below it.
func allFlags(cmd *cobra.Command) *pflag.FlagSet {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	all.AddFlagSet(cmd.Flags())
	all.AddFlagSet(cmd.PersistentFlags())
	for _, sub := range cmd.Commands() {
		all.AddFlagSet(allFlags(sub))
	}
	return all
}

// distance is the number of letters to insert, delete or replace to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0]++
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func warnOfUnknown(root *cobra.Command) {
	all := allFlags(root)
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		rest, ours := strings.CutPrefix(name, VariableOf(""))
		flag := strings.ToLower(strings.ReplaceAll(rest, "_", "-"))
		if !ours || name == DebugVariable || all.Lookup(flag) != nil && VariableOf(flag) == name {
			continue
		}
		warning := fmt.Sprintf("the environment variable %s has no effect: no command has a flag of that name", name)
		if nearest := Nearest(all, flag); nearest != "" {
			warning += "; did you mean " + VariableOf(nearest) + "?"
		}
		fmt.Fprintln(os.Stderr, "aspectop: "+clean.Text(warning))
	}
}

// ExplainValue says what is wrong with a flag's value without the words of package
// strconv. Other errors stay as they are.
func ExplainValue(err error) error {
	bad, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return err
	}
	name := bad.GetFlag().Name
	if !errors.As(err, new(*strconv.NumError)) {
		return fmt.Errorf("--%s: %w", name, errors.Unwrap(bad))
	}
	kind := "a number"
	switch bad.GetFlag().Value.Type() {
	case "bool":
		kind = "true or false"
	case "int", "int64":
		kind = "a whole number"
	}
	return fmt.Errorf("--%s: %q is not %s", name, bad.GetValue(), kind)
}
