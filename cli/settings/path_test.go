package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestAPathBeginsAtTheHomeDirectoryOrIsTakenAsItIs(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	for text, want := range map[string]string{
		"~/a.db": "/home/me/a.db", "~": "/home/me", "~/": "/home/me", "~/../b": "/home/b", "~//a": "/home/me/a",
		"a.db": "a.db", "/x/~/a": "/x/~/a", "a~": "a~", "./~a": "./~a", "": "", "memory": "memory", "a$": "a$", "cost$5": "cost$5", "-a": "-a",
	} {
		if got, err := ExpandPath(text); err != nil || got != want {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"~you/a.db": "only ~/", "~.db": "./~.db", "~+/a": "only ~/", "$HOME/a.db": "not expanded", "/x/${A}/b": "not expanded", "$(pwd)/a": "not expanded",
		":memory:": `"memory"`, "-": "/dev/stdin", "file:a.db": "not the name of a file", `"~/a.db"`: "quotation marks", "'a.db'": "quotation marks",
	} {
		if got, err := ExpandPath(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
}

// withPath has the flags of watch that name files.
func withPath() (cmd *cobra.Command, journal, file *string) {
	cmd, journal, file = &cobra.Command{Use: "watch", PreRunE: apply, RunE: func(*cobra.Command, []string) error { return nil }}, new(string), new(string)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	JournalVar(cmd.Flags(), journal, "")
	PathVar(cmd.Flags(), file, "secret-file", "", nil)
	return cmd, journal, file
}

func TestAPathIsExpandedWhereverItStands(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	for _, c := range []struct{ config, variable, flag, want, refused string }{
		{flag: "~/c.db", want: home + "/c.db"},
		{flag: "c.db", want: "c.db"},
		{flag: ":memory:", refused: "--journal: "},
		{variable: "~/b.db", want: home + "/b.db"},
		{variable: "b.db", want: "b.db"}, // of the current directory, as on the line
		{variable: "$HOME/b.db", refused: "ASPECTOP_JOURNAL"},
		{config: "~/a.db", want: home + "/a.db"},
		{config: "/x/a.db", want: "/x/a.db"},
		{config: "memory", want: "memory"},
		{config: "postgres://me@db/a", want: "postgres://me@db/a"},
		{config: "", want: ""},
		{config: "a.db", refused: "did you mean " + home + "/a.db?"},
		{config: "./sub/../a.db", refused: "did you mean " + home + "/a.db?"},
		{config: "~you/a.db", refused: "config.toml:1"},
	} {
		configured(t, "journal = \""+c.config+"\"\n")
		cmd, journal, _ := withPath()
		if c.variable != "" {
			t.Setenv("ASPECTOP_JOURNAL", c.variable)
		} else {
			os.Unsetenv("ASPECTOP_JOURNAL")
		}
		if c.flag != "" {
			cmd.SetArgs([]string{"--journal=" + c.flag})
		} else {
			cmd.SetArgs(nil)
		}
		err := cmd.Execute()
		if c.refused != "" {
			if err == nil || !strings.Contains(ExplainValue(err).Error(), c.refused) {
				t.Errorf("%+v: %v", c, err)
			}
		} else if err != nil || *journal != c.want {
			t.Errorf("%+v: %q, %v", c, *journal, err)
		}
	}
}

func TestARelativePathInTheFileIsLookedForBesideIt(t *testing.T) {
	configured(t, "secret-file = \"s.txt\"\n")
	beside := filepath.Join(filepath.Dir(ConfigPath()), "s.txt")
	if err := os.WriteFile(beside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd, _, _ := withPath()
	cmd.SetArgs(nil)
	if err := cmd.Execute(); err == nil || !strings.Contains(err.Error(), "did you mean "+beside+"?") || !strings.Contains(err.Error(), ":1") {
		t.Error(err)
	}
}

func TestAnArgumentIsTakenAsTheFlagWouldBe(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	if got, err := JournalArgument("~/a.db"); err != nil || got != "/home/me/a.db" {
		t.Errorf("%q, %v", got, err)
	}
	for _, text := range []string{"~you/a.db", "-", "postgres://me:hush@db/a"} {
		if got, err := JournalArgument(text); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
}
