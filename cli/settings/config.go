package settings

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"aspectop/clean"
	"aspectop/cli/exit"
	"aspectop/private"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// ConfigPath is the path of the user's config file:
// $XDG_CONFIG_HOME/aspectop/config.toml, by default
// ~/.config/aspectop/config.toml, and on Windows %AppData%\aspectop\config.toml.
// It is empty if there is no such directory.
func ConfigPath() string {
	folder := os.Getenv("XDG_CONFIG_HOME") // the XDG specification says to ignore a relative path
	switch {
	case filepath.IsAbs(folder):
	case runtime.GOOS == "windows":
		folder = os.Getenv("AppData")
	default:
		folder = ""
		if home, err := os.UserHomeDir(); err == nil {
			folder = filepath.Join(home, ".config")
		}
	}
	if folder == "" {
		return ""
	}
	return filepath.Join(folder, "aspectop", "config.toml")
}

// maxConfig is the maximum size of a config file, in bytes.
const maxConfig = 1 << 20

// fromConfig sets the flags of cmd that are not set yet from the config file. A
// key at the top applies to every command with that flag, a key in a table named
// after a command to that command only.
func fromConfig(cmd *cobra.Command) error {
	path := ConfigPath()
	if path == "" {
		return nil
	}
	text, open, err := readConfig(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return exit.Usage("cannot read the config file: %w", err)
	}
	c := &config{path: path, open: open, flags: cmd.Flags()}
	for ; cmd != nil; cmd = cmd.Parent() {
		c.lineage = append(c.lineage, cmd)
	}
	if c.meta, err = toml.Decode(text, &c.keys); err == nil {
		if err = c.tables(text); err == nil {
			err = c.table(c.lineage[len(c.lineage)-1], c.keys)
		}
	}
	return c.explain(err)
}

// readConfig reads the file; open says that others can write it.
func readConfig(path string) (text string, open bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", false, err
	}
	bytes, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	text = string(bytes)
	switch {
	case err != nil:
	case len(text) > maxConfig:
		err = fmt.Errorf("%s: the config file is larger than 1 MiB", path)
	case strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff"): // TOML's decoder skips these
		err = fmt.Errorf("%s: the text is encoded as UTF-16, as PowerShell's > writes it: save it as UTF-8", path)
	}
	return text, private.WritableByOthers(info), err
}

// config is the file while it is applied to a command.
type config struct {
	path    string
	open    bool // others can write it
	meta    toml.MetaData
	keys    map[string]toml.Primitive
	flags   *pflag.FlagSet   // of the command that runs
	lineage []*cobra.Command // that command and its parents
}

// table applies the table of the command owner, and those of its subcommands. It
// checks the names in all tables, whichever command runs, so that a typo is found
// at once.
func (c *config) table(owner *cobra.Command, keys map[string]toml.Primitive) error {
	var flags []string
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		var below map[string]toml.Primitive
		if err := c.meta.PrimitiveDecode(keys[name], &below); err != nil || below == nil { // not a table
			flags = append(flags, name) // after the subcommands, because a flag is set only once
			continue
		}
		sub, rest, _ := owner.Find([]string{name})
		if len(rest) > 0 {
			return c.decode(keys[name], func(any) error { return fmt.Errorf("unknown command %q%s", name, meant(owner, name)) })
		}
		if err := c.table(sub, below); err != nil {
			return err
		}
	}
	for _, name := range flags {
		place := c.path
		if at, ok := errors.AsType[toml.ParseError](c.decode(keys[name], func(any) error { return errors.New("") })); ok {
			place += fmt.Sprintf(":%d", at.Position.Line)
		}
		if err := c.decode(keys[name], func(value any) error { return c.key(owner, name, place, value) }); err != nil {
			return err
		}
	}
	return nil
}

// key applies one key, which stands at that place.
func (c *config) key(owner *cobra.Command, name, at string, value any) error {
	texts, err := flagTexts(value)
	if isSecret(name, texts) {
		return errors.New("secrets do not belong in this file; use " + SecretVariable + ", ASPECT_API_KEY or a file with --secret-file")
	}
	switch {
	case !hasFlag(owner, name) && owner.HasParent():
		return fmt.Errorf("%s has no flag --%s%s", owner.CommandPath(), name, meant(owner, name))
	case !hasFlag(owner, name):
		return fmt.Errorf("no command has the flag --%s%s", name, meant(owner, name))
	case err != nil:
		return err
	case name == "exec" && c.open: // they would run commands as this user
		return fmt.Errorf("others can write this file, so it may not set exec; run: chmod go-w %s", clean.Lines(c.path))
	}
	f := c.flags.Lookup(name)
	alone := len(c.lineage) == 1 && owner.Name() == "watch" // aspectop runs without a command
	if f == nil || f.Changed || IsOwn(c.flags, name) && !owner.HasParent() || !slices.Contains(c.lineage, owner) && !alone {
		return nil
	}
	if _, many := f.Value.(pflag.SliceValue); !many && len(texts) != 1 {
		return fmt.Errorf("%s takes one value, not a list", name)
	}
	for _, text := range texts {
		if err := RefusePassword(name, text, "in the config file"); err != nil {
			return err
		}
		if path, is := f.Value.(*pathValue); is {
			if err := path.relative(c.path, text); err != nil {
				return err
			}
		}
		if err := c.flags.Set(name, text); err != nil {
			return ExplainValue(err)
		}
	}
	place := inFile
	if owner.HasParent() {
		place = inTable
	}
	placed(c.flags, name, "in "+at, place)
	return nil
}

// decode calls set with the value of a key. The toml package adds the line number to
// its error.
func (c *config) decode(key toml.Primitive, set func(value any) error) error {
	return c.meta.PrimitiveDecode(key, setting(set))
}

type setting func(value any) error

// UnmarshalTOML makes setting a toml.Unmarshaler.
func (s setting) UnmarshalTOML(value any) error { return s(value) }

// explain adds the file and line to an error. It does not quote the file, because
// the line may contain a secret.
func (c *config) explain(err error) error {
	if err == nil {
		return nil
	}
	at, ok := errors.AsType[toml.ParseError](err)
	if !ok {
		return exit.Usage("%s: %w", c.path, err)
	}
	message := at.Message
	for _, tail := range []string{" but got ", " but found ", ": '"} {
		message, _, _ = strings.Cut(message, tail)
	}
	message = strings.TrimSuffix(message, ",")
	if message == "expected value" {
		message += " (strings must be quoted)"
	}
	place := c.path
	if at.Position.Line > 0 { // an implicit table has none
		place += fmt.Sprintf(":%d", at.Position.Line)
	}
	return exit.Usage("%s: %s", place, message)
}

// meant asks for what a name in the table of a command most likely means.
func meant(owner *cobra.Command, name string) string {
	var tables []string
	if !owner.HasParent() {
		tables = []string{filtersTable, forwardTable}
	}
	for _, sub := range owner.Commands() {
		tables = append(tables, sub.Name())
	}
	what := Nearest(allFlags(owner), name)
	switch table := nearest(name, tables); {
	case table == forwardTable:
		what = "[[" + table + "]]"
	case table != "":
		what = "[" + table + "]"
	case what == "":
		return ""
	}
	return "; did you mean " + what + "?"
}

func hasFlag(cmd *cobra.Command, name string) bool {
	return cmd.Flags().Lookup(name) != nil ||
		slices.ContainsFunc(cmd.Commands(), func(sub *cobra.Command) bool { return hasFlag(sub, name) })
}

func isSecret(name string, values []string) bool {
	switch strings.ToLower(strings.ReplaceAll(name, "_", "-")) {
	case "secret", "secrets", "webhook-secret", "aspect-webhook-secret", "key", "api-key", "aspect-api-key", "token", "tunnel-token":
		return true
	}
	return slices.ContainsFunc(values, func(v string) bool {
		return strings.Contains(v, "whsec_") || strings.Contains(v, "whsk_") || strings.HasPrefix(v, "sk_")
	})
}

func flagTexts(value any) ([]string, error) {
	switch v := value.(type) {
	case string:
		return []string{v}, nil
	case bool, int64, float64:
		return []string{fmt.Sprint(v)}, nil
	case time.Time:
		if v.Year() == 0 { // a time of day
			return []string{v.Format(time.TimeOnly)}, nil
		}
		return []string{v.Format(time.RFC3339Nano)}, nil
	case []any:
		var texts []string
		for _, item := range v {
			t, err := flagTexts(item)
			if err != nil {
				return nil, err
			}
			texts = append(texts, t...)
		}
		return texts, nil
	}
	return nil, errors.New("not a valid value for a flag")
}
