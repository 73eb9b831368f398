package settings

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"aspectop/cli/exit"

	"github.com/spf13/pflag"
)

// pathValue is a flag for a file or directory. No shell expands what stands in the
// environment, in the config file or after an equals sign, so its Set does.
type pathValue struct {
	path *string
	word func(text string) bool // reports whether a text means something else than a path
}

// PathVar adds a flag for a file or directory to set. A text for which word is true is
// left as it is; nil means none.
func PathVar(set *pflag.FlagSet, path *string, name, usage string, word func(text string) bool) {
	if word == nil {
		word = func(string) bool { return false }
	}
	set.Var(&pathValue{path, word}, name, usage)
}

// JournalVar adds the flag --journal.
func JournalVar(set *pflag.FlagSet, path *string, usage string) {
	PathVar(set, path, JournalFlag, usage, isNoFile)
}

func isNoFile(text string) bool { return text == MemoryLocation || strings.Contains(text, "://") }

// IsProgram reports whether a text is the name of a program to look for on PATH.
func IsProgram(text string) bool { return text == filepath.Base(text) && text[0] != '~' }

func (p *pathValue) Type() string   { return "string" }
func (p *pathValue) String() string { return *p.path }

func (p *pathValue) Set(text string) (err error) {
	if !p.word(text) {
		text, err = ExpandPath(text)
	}
	if err == nil {
		*p.path = text
	}
	return err
}

// relative returns an error if a text from the file config is a relative path: from
// which directory aspectop is started there is chance.
func (p *pathValue) relative(config, text string) error {
	path, err := ExpandPath(text)
	if text == "" || p.word(text) || err != nil || filepath.IsAbs(path) {
		return nil // Set says what is wrong
	}
	home, _ := os.UserHomeDir()
	meant := filepath.Join(home, path)
	here, _ := os.Getwd()
	for _, folder := range []string{filepath.Dir(config), here} {
		if _, err := os.Stat(filepath.Join(folder, path)); err == nil && folder != "" {
			meant = filepath.Join(folder, path)
			break
		}
	}
	return fmt.Errorf("a path in the config file must be absolute or begin with ~/; did you mean %s?", meant)
}

var shellVariable = regexp.MustCompile(`\$[A-Za-z_{(]`)

// ExpandPath replaces a ~ at the start of a path by the home directory. It refuses
// what other programs understand and would be an odd name of a file here.
func ExpandPath(text string) (string, error) {
	rest, tilde := strings.CutPrefix(text, "~")
	switch {
	case tilde && (rest == "" || os.IsPathSeparator(rest[0])):
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("there is no home directory for the ~ in %s: %w", text, err)
		}
		return filepath.Join(home, rest), nil
	case tilde:
		return "", fmt.Errorf("%q: only ~/, your home directory, is expanded; for another user's write the absolute path, for a file of that name ./%s", text, text)
	case shellVariable.MatchString(text):
		return "", fmt.Errorf("%q: variables are not expanded here; write the path, which may begin with ~/", text)
	case slices.Contains([]string{":memory:", "-"}, text) || strings.HasPrefix(text, "file:"):
		return "", fmt.Errorf("%q is not the name of a file (for a journal in memory use %q, for standard input or output /dev/stdin or /dev/stdout)", text, MemoryLocation)
	case len(text) > 1 && strings.ContainsAny(text[:1], `"'`) && text[0] == text[len(text)-1]:
		return "", errors.New("the quotation marks are part of the path; take them away")
	}
	return text, nil
}

// JournalArgument is a journal that is given as an argument, as --journal would take it.
func JournalArgument(text string) (path string, err error) {
	if err := RefusePassword(JournalFlag, text, "on the command line"); err != nil {
		return "", err
	}
	if err := (&pathValue{&path, isNoFile}).Set(text); err != nil {
		return "", exit.Usage("%w", err)
	}
	return path, nil
}
