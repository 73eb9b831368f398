//go:build unix

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestNoDirectoryIsNamedTilde(t *testing.T) {
	home, here := t.TempDir(), t.TempDir()
	config := filepath.Join(t.TempDir(), "aspectop")
	if err := os.Mkdir(config, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, config, variable string
		args                   []string
		file                   string // that is made in the home directory; "": exit 2
	}{
		{"config", `journal = "~/a.db"`, "", []string{"watch"}, "a.db"},
		{"environment", "", "ASPECTOP_JOURNAL=~/b.db", []string{"watch"}, "b.db"},
		{"flag", "", "", []string{"watch", "--journal=~/deep/c.db"}, "deep/c.db"},
		{"manual", "", "", []string{"man", "--dir=~/man1"}, "man1/aspectop.1"},
		{"debug", "", "ASPECTOP_DEBUG=~/debug.log", []string{"version"}, "debug.log"},
		{"argument", "", "", []string{"journal", "migrate", "~/d.db"}, "d.db"},
		{"relative in config", `journal = "a.db"`, "", []string{"watch"}, ""},
		{"another user's", "", "", []string{"watch", "--journal=~you/a.db"}, ""},
		{"variable", "", "ASPECTOP_JOURNAL=$HOME/a.db", []string{"watch"}, ""},
		{"SQLite's memory", "", "", []string{"watch", "--journal", ":memory:"}, ""},
		{"dash", "", "", []string{"watch", "--journal", "-"}, ""},
		{"debug of a variable", "", "ASPECTOP_DEBUG=$HOME/debug.log", []string{"version"}, ""},
		{"secret out", "", "", []string{"endpoints", "create", "--url", "https://x.example.com", "--secret-out=~you/s"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(config, "config.toml"), []byte(c.config), 0o600); err != nil {
				t.Fatal(err)
			}
			if c.args[0] == "watch" {
				c.args = append(c.args, "--listen", "127.0.0.1:0", "--json")
			}
			cmd := with(program(t, c.args...), "HOME="+home, "XDG_CONFIG_HOME="+filepath.Dir(config), "ASPECT_WEBHOOK_SECRET="+secret, c.variable)
			cmd.Dir = here
			p := inPipe(t, cmd)
			if c.args[0] == "watch" && c.file != "" {
				p.next("ready")
				p.signal(syscall.SIGINT)
			}
			want := 0
			if c.file == "" {
				want = 2
			}
			if code := p.ends(); code != want {
				t.Errorf("ended with %d, not %d: %s", code, want, p.errors())
			}
			if _, err := os.Stat(filepath.Join(home, c.file)); err != nil {
				t.Error(err)
			}
		})
	}
	if made, _ := filepath.Glob(filepath.Join(here, "*")); len(made) > 0 {
		t.Errorf("in the current directory there are %q", made)
	}
}

func TestAdviceNamesTheHomeDirectoryAndNoTilde(t *testing.T) {
	home := t.TempDir()
	for _, args := range [][]string{
		{"demo", "--json", "--ssh", "127.0.0.1:0", "--ssh-keys=~/none/authorized_keys"},
		{"demo", "--json", "--ssh", "127.0.0.1:0"},
	} {
		_, said, code := finished(t, with(program(t, args...), "HOME="+home))
		if code != 3 || strings.Contains(said, "'~") {
			t.Errorf("ended with %d and said %s", code, said)
		}
		says(t, said, "install -d -m 700 '"+home+"/")
	}
}
