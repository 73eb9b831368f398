package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/ui"
	"aspectop/ui/keys"
)

func newMan() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "man",
		Short: "Print the manual",
		Long: `man prints the whole manual as one page, for man or groff. With --dir it writes
that page and one for each command to a directory.`,
		Example: `  aspectop man | man -l -
  aspectop man --dir ~/.local/share/man/man1`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir != "" {
				return writePages(cmd.Root(), dir)
			}
			_, err := cmd.OutOrStdout().Write(manual(cmd.Root()))
			return err
		},
	}
	settings.PathVar(cmd.Flags(), &dir, "dir", "directory to write the pages to", nil)
	return cmd
}

func writePages(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	pages := map[string][]byte{"aspectop": manual(root)}
	for _, cmd := range commands(root) {
		pages[dashed(cmd)] = commandPage(cmd)
	}
	var errs []error
	for name, page := range pages {
		errs = append(errs, os.WriteFile(filepath.Join(dir, name+".1"), page, 0o644))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "aspectop: wrote %d pages to %s\n", len(pages), dir)
	return nil
}

// commands are all runnable subcommands of cmd, at any depth.
func commands(cmd *cobra.Command) []*cobra.Command {
	var list []*cobra.Command
	for _, sub := range cmd.Commands() {
		if sub.Name() == "help" || sub.Hidden {
			continue
		}
		if sub.Runnable() {
			list = append(list, sub)
		}
		list = append(list, commands(sub)...)
	}
	return list
}

func dashed(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

func heading(r *roff, name, short string) {
	b, date := readBuild(), ""
	if !b.revised.IsZero() {
		date = b.revised.Format(time.DateOnly)
	}
	r.macro("TH", strings.ToUpper(name), "1", date, "aspectop "+b.version, "User Commands")
	r.WriteString(".nh\n.ad l\n") // no hyphenation, which would break commands, and so no justification
	r.macro("SH", "NAME")
	r.line(name + " - " + short)
}

func commandPage(cmd *cobra.Command) []byte {
	r := new(roff)
	heading(r, dashed(cmd), cmd.Short)
	r.macro("SH", "SYNOPSIS")
	r.macro("B", cmd.UseLine())
	r.macro("SH", "DESCRIPTION")
	describe(r, cmd)
	if cmd.HasAvailableLocalFlags() {
		r.macro("SH", "OPTIONS")
		options(r, cmd)
	}
	if cmd.Example != "" {
		r.macro("SH", "EXAMPLES")
		r.verbatim(cmd.Example)
	}
	r.macro("SH", "SEE ALSO")
	r.macro("BR", "aspectop", "(1)")
	return r.Bytes()
}

// manual is the page of the program: all commands, keys, exit codes and files.
func manual(root *cobra.Command) []byte {
	r := new(roff)
	heading(r, "aspectop", root.Short)
	r.macro("SH", "SYNOPSIS")
	r.macro("BI", "aspectop ", "command", " [", "flags", "]")
	r.macro("SH", "DESCRIPTION")
	r.text(root.Long)
	r.macro("SH", "COMMANDS")
	for _, cmd := range commands(root) {
		r.macro("SS", cmd.UseLine())
		describe(r, cmd)
		options(r, cmd)
		if cmd.Example != "" {
			r.macro("PP")
			r.verbatim(cmd.Example)
		}
	}
	r.macro("SH", "KEYS")
	topic := keys.Topic("")
	for _, k := range ui.Bindings().Table() {
		if k.Topic != topic {
			topic = k.Topic
			r.macro("SS", string(topic))
		}
		r.term(k.Keys, "", k.Does)
	}
	r.macro("SH", "EXIT STATUS")
	for _, c := range exitCodes {
		r.term(strconv.Itoa(c.code), "", c.meaning)
	}
	r.macro("SH", "ENVIRONMENT")
	for _, v := range variables {
		r.term(v.name, "", v.meaning)
	}
	r.macro("SH", "FILES")
	r.term("~/.config/aspectop/config.toml", "", "Sets any flag by name, such as retain = \"30d\", for one command in a table such as [watch]. [filters] gives filters names, for @name in a filter; each [[forward]] is a handler of watch. Flags override the environment, which overrides this file. Secrets are refused.")
	r.term("~/.config/aspectop/authorized_keys", "", "Public keys that may connect to --ssh.")
	r.term("~/.local/state/aspectop/ssh_host_ed25519_key", "", "Host key of --ssh, created on first use.")
	r.term("~/.local/state/aspectop/journal.db", "", "The journal, an SQLite file that can be read while it is written.")
	return r.Bytes()
}

func describe(r *roff, cmd *cobra.Command) { r.text(cmp.Or(cmd.Long, cmd.Short+".")) }

func options(r *roff, cmd *cobra.Command) {
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		argument, usage := pflag.UnquoteUsage(f)
		if !slices.Contains([]string{"", "0", "false", "[]"}, f.DefValue) {
			usage += " (default " + f.DefValue + ")"
		}
		name := "--" + f.Name
		if f.NoOptDefVal != "" && argument != "" {
			name, argument = name+"[="+argument+"]", ""
		}
		r.term(name, argument, usage)
	})
}

var exitCodes = []struct {
	code    int
	meaning string
}{
	{exit.OK, "Success. watch, demo, view: also ended by q, a signal or a closed pipe."},
	{exit.Failed, "Failure. wait: a task did not complete. send: unexpected answer. replay: a delivery was not accepted. check: a fault. doctor: a check failed."},
	{exit.Misused, "Usage error: an unknown flag, no secret, an invalid filter or config file."},
	{exit.NotSetUp, "Setup failed: port, journal. wait: the watch ended."},
	{exit.TimedOut, "Timeout (--timeout)."},
	{exit.Interrupted, "Interrupted; or a second ctrl+c, or a signal a second or more after the first, ended the program at once."},
}

var variables = []struct{ name, meaning string }{
	{settings.SecretVariable, "One or more signing secrets, separated by spaces or commas; name=whsec_... gives one a name."},
	{settings.KeyVariable, "A key for Aspect's API."},
	{settings.URLVariable, "Base URL of the API (default https://api.aspect.inc)."},
	{"ASPECTOP_*", "Any flag: ASPECTOP_RETAIN=30d means --retain 30d."},
	{"XDG_CONFIG_HOME, XDG_STATE_HOME", "Directories of the config file and the journal (default ~/.config and ~/.local/state)."},
	{"NO_COLOR", "Disables colours, whatever its value."},
}

// roff writes a manual page with the macros of man(7).
type roff struct{ bytes.Buffer }

// escapeRoff makes text literal: no escape sequences, and hyphens that can be
// copied into a shell.
var escapeRoff = strings.NewReplacer(`\`, `\e`, `-`, `\-`)

// line is text on a line of its own, never a request.
func (r *roff) line(text string) {
	text = escapeRoff.Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	r.WriteString(text + "\n")
}

func (r *roff) macro(name string, args ...string) {
	r.WriteString("." + name)
	for _, a := range args {
		fmt.Fprintf(r, ` "%s"`, strings.ReplaceAll(escapeRoff.Replace(a), `"`, `\(dq`))
	}
	r.WriteByte('\n')
}

// text writes paragraphs, separated by empty lines. Indented ones are verbatim.
func (r *roff) text(text string) {
	for paragraph := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		r.macro("PP")
		if strings.HasPrefix(paragraph, "  ") {
			r.verbatim(paragraph)
			continue
		}
		for line := range strings.SplitSeq(paragraph, "\n") {
			r.line(line)
		}
	}
}

// verbatim writes lines that are neither filled nor justified.
func (r *roff) verbatim(text string) {
	r.macro("RS", "2n")
	r.macro("nf")
	for line := range strings.SplitSeq(text, "\n") {
		r.line(strings.TrimPrefix(line, "  "))
	}
	r.macro("fi")
	r.macro("RE")
}

// term writes a bold name, an optional argument, and below it the meaning.
func (r *roff) term(name, argument, meaning string) {
	r.macro("TP")
	if argument == "" {
		r.macro("B", name)
	} else {
		r.macro("BI", name+" ", argument)
	}
	r.line(meaning)
}
