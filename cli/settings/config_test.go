package settings

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"aspectop/cli/exit"

	"github.com/spf13/cobra"
)

// program is a small one whose commands share flags, as those of aspectop do.
type program struct {
	root                *cobra.Command
	theme, path, exec   string
	retain              Duration
	forward             []string
	tasks               int
	rate                float64
	seen                string // the command that ran
	jsonWatch, jsonDemo bool
}

func apply(cmd *cobra.Command, _ []string) error { return Apply(cmd) }

func newProgram() *program {
	p := new(program)
	watch := &cobra.Command{Use: "watch", RunE: func(cmd *cobra.Command, _ []string) error { p.seen = cmd.Name(); return nil }}
	watch.Flags().StringVar(&p.theme, "theme", "auto", "")
	watch.Flags().StringVar(&p.path, "path", "/", "")
	watch.Flags().StringVar(&p.exec, "exec", "", "")
	watch.Flags().Var(&p.retain, "retain", "")
	watch.Flags().StringArrayVar(&p.forward, "forward-to", nil, "")
	watch.Flags().BoolVar(&p.jsonWatch, "json", false, "")
	demo := &cobra.Command{Use: "demo", RunE: watch.RunE}
	demo.Flags().StringVar(&p.theme, "theme", "auto", "")
	demo.Flags().IntVar(&p.tasks, "tasks", 0, "")
	demo.Flags().Float64Var(&p.rate, "rate", 1, "")
	demo.Flags().BoolVar(&p.jsonDemo, "json", false, "")
	endpoints := &cobra.Command{Use: "endpoints"}
	create := &cobra.Command{Use: "create", RunE: watch.RunE}
	create.Flags().StringVar(&p.path, "path", "/", "")
	endpoints.AddCommand(create)
	p.root = &cobra.Command{Use: "aspectop", RunE: watch.RunE, PreRunE: apply, SilenceErrors: true, SilenceUsage: true}
	p.root.Flags().AddFlagSet(watch.Flags())
	p.root.AddCommand(watch, demo, endpoints)
	for _, cmd := range p.root.Commands() {
		cmd.PersistentPreRunE = apply
	}
	return p
}

// configured writes the config file of the test.
func configured(t *testing.T, text string) {
	t.Helper()
	folder := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", folder)
	if err := os.Mkdir(filepath.Join(folder, "aspectop"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "aspectop", "config.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// runs runs the program with the arguments.
func runs(t *testing.T, args ...string) (*program, error) {
	t.Helper()
	p := newProgram()
	p.root.SetArgs(args)
	return p, p.root.Execute()
}

func TestAConfigFileSetsAnyFlagByItsName(t *testing.T) {
	configured(t, `
theme = "dark"            # for all that have it
retain = "30d"
json = true
forward-to = ["http://a", "http://b"]

[demo]
tasks = 7
rate = 2.5
theme = "light"           # goes before the one above
json = false

[watch]
path = "/hooks"

[endpoints.create]
path = "/other"
`)
	p, err := runs(t, "watch")
	if err != nil || p.theme != "dark" || time.Duration(p.retain) != 30*24*time.Hour || !p.jsonWatch || p.path != "/hooks" ||
		strings.Join(p.forward, " ") != "http://a http://b" {
		t.Errorf("watch: %+v, %v", p, err)
	}
	if p, err := runs(t, "demo"); err != nil || p.tasks != 7 || p.rate != 2.5 || p.theme != "light" || p.jsonDemo {
		t.Errorf("demo: %+v, %v", p, err)
	}
	if p, err := runs(t); err != nil || p.path != "/hooks" || p.theme != "dark" {
		t.Errorf("aspectop alone is not watch: %+v, %v", p, err)
	}
	if p, err := runs(t, "endpoints", "create"); err != nil || p.path != "/other" {
		t.Errorf("endpoints create: %+v, %v", p, err)
	}
}

func TestAFlagGoesBeforeTheEnvironmentAndThatBeforeTheFile(t *testing.T) {
	configured(t, "theme = \"dark\"\npath = \"/file\"\nretain = \"1h\"\n[watch]\ntheme = \"light\"\n")
	t.Setenv("ASPECTOP_THEME", "mono")
	t.Setenv("ASPECTOP_PATH", "/environment")
	p, err := runs(t, "watch", "--path", "/flag")
	if err != nil || p.path != "/flag" || p.theme != "mono" || time.Duration(p.retain) != time.Hour {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestABadConfigFileIsRefusedWithItsLine(t *testing.T) {
	for text, wants := range map[string][]string{
		"theme = \"dark\"\nthem = 1":                    {":2: ", "--them"},
		"[watch]\n\ntasks = 1":                          {":3: ", "aspectop watch has no flag --tasks"},
		"\n[whatch]\npath = \"/\"":                      {":2: ", `"whatch"`},
		"theme = dark":                                  {":1: ", "quoted"},
		"theme = [\"dark\", \"light\"]":                 {":1: ", "one value"},
		"\n\nretain = \"soon\"":                         {":3: ", "soon"},
		"theme = {a = 1}":                               {":1: ", `"theme"`},
		"secret = \"hush\"":                             {":1: ", "ASPECT_WEBHOOK_SECRET"},
		"\npath = \"whsec_hush\"":                       {":2: ", "ASPECT_WEBHOOK_SECRET"},
		"path = whsec_hush":                             {":1: "},
		"[watch]\nASPECT_API_KEY = \"hush\"":            {":2: ", "ASPECT_API_KEY"},
		"forward-to = [\"http://x\", \"sk_live_hush\"]": {":1: ", "secrets do not belong"},
		"[[watch]]\npath = \"/\"":                       {":1: ", "did you mean [watch]?"},
		"[[forwards]]\nto = \":1\"":                     {":1: ", "did you mean [[forward]]?"},
		"[filter]\nmine = \"x\"":                        {":1: ", "did you mean [filters]?"},
		"[wacth]\npath = \"/\"":                         {":1: ", "did you mean [watch]?"},
		"[watch]\nforward_to = [\"http://x\"]":          {":2: ", "did you mean forward-to?"},
		"retian = \"3d\"":                               {":1: ", "did you mean retain?"},
		"a\x00b":                                        {"NULL"},
		"\xff\xfe":                                      {"UTF-16"},
		"\xfe\xff\x00a":                                 {"UTF-16"},
	} {
		configured(t, text)
		p, err := runs(t, "watch")
		if err == nil || p.seen != "" {
			t.Errorf("%q was accepted", text)
			continue
		}
		for _, want := range append(wants, "config.toml") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %q does not say %q", text, err, want)
			}
		}
		if e, ok := err.(*exit.Error); !ok || e.Code != exit.Misused {
			t.Errorf("%q: %v is no usage error", text, err)
		}
		if strings.Contains(err.Error(), "hush") {
			t.Errorf("a secret is told: %v", err)
		}
	}
}

func TestAFileThatOthersCanWriteSetsNoCommand(t *testing.T) {
	configured(t, "theme = \"dark\"\nexec = \"true\"\n")
	if p, err := runs(t, "watch"); err != nil || p.exec != "true" {
		t.Fatalf("exec is %q: %v", p.exec, err)
	}
	if err := os.Chmod(ConfigPath(), 0o620); err != nil {
		t.Fatal(err)
	}
	p, err := runs(t, "watch")
	if e, ok := errors.AsType[*exit.Error](err); !ok || e.Code != exit.Misused || p.seen != "" || !strings.Contains(err.Error(), ":2: others can write this file") {
		t.Errorf("it ran with %q: %v", p.exec, err)
	}
	configured(t, "theme = \"dark\"\n")
	os.Chmod(ConfigPath(), 0o666)
	if p, err := runs(t, "watch"); err != nil || p.theme != "dark" {
		t.Errorf("theme is %q: %v", p.theme, err)
	}
}

func TestNoConfigFileIsFine(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	if p, err := runs(t, "watch"); err != nil || p.seen != "watch" {
		t.Errorf("%+v, %v", p, err)
	}
}

// FuzzConfig checks that no config file makes the program panic, that what is
// refused is told with the file, and that no text of the file that looks like a
// secret reaches the message or a flag.
func FuzzConfig(f *testing.F) {
	for _, text := range []string{
		"theme = \"light\"\n[watch]\nforward-to = [\"http://localhost\"]\n[endpoints.create]\npath = \"/x\"", "retain = \"30d\"", "[demo]\ntasks = 3\nrate = 1.5\njson = true",
		"secret = \"whsec_AAAA\"", "theme = whsec_AAAA", "[[watch]]", "theme = 2026-01-02T03:04:05Z", "[watch", "theme = { a = 1 }", "\x00", "tasks = \"sk_live_1\"",
	} {
		f.Add(text)
	}
	folder := f.TempDir()
	f.Setenv("XDG_CONFIG_HOME", folder)
	if err := os.Mkdir(filepath.Join(folder, "aspectop"), 0o700); err != nil {
		f.Fatal(err)
	}
	path := ConfigPath()
	looks := regexp.MustCompile(`whsec_\w+|whsk_\w+`)
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, command := range [][]string{{}, {"watch"}, {"demo"}, {"endpoints", "create"}} {
			p := newProgram()
			p.root.SetArgs(command)
			said := ""
			if err := p.root.Execute(); err != nil {
				said = err.Error()
				if !strings.Contains(said, path) {
					t.Errorf("%q is refused without the file's name: %s", text, said)
				}
			}
			if found := looks.FindString(said + p.theme + p.path + strings.Join(p.forward, " ")); found != "" {
				t.Errorf("%q came out of the file: %s", found, said)
			}
		}
	})
}
