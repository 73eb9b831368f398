package settings

import (
	"errors"
	"testing"

	"github.com/spf13/pflag"
)

func TestAnErrorSaysWhereTheValueOfAFlagComesFrom(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, name := range []string{"web", "web-cert", "theme"} {
		flags.String(name, "", "")
	}
	placed(flags, "web", "in config.toml", inFile)
	for text, want := range map[string]string{
		"--web is bad":                     "--web is bad; --web is set in config.toml",
		"--web: bad":                       "--web: bad; --web is set in config.toml",
		"--web-cert needs --web":           "--web-cert needs --web; --web is set in config.toml",
		"--web-cert is bad":                "--web-cert is bad",
		"--theme is bad":                   "--theme is bad",
		"in config.toml: --web is no good": "in config.toml: --web is no good",
	} {
		if got := WithSource(flags, errors.New(text)); got.Error() != want {
			t.Errorf("%q became %q, not %q", text, got, want)
		}
	}
	if err := WithSource(flags, nil); err != nil {
		t.Errorf("no error became %v", err)
	}
}

func TestTheNearestFlagIsASlipAway(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, name := range []string{"to", "theme", "tunnel", "retain"} {
		flags.String(name, "", "")
	}
	for name, want := range map[string]string{
		"too": "to", "theem": "theme", "tunnle": "tunnel", "retian": "retain", "retai": "retain", "foo": "", "x": "", "journal": "",
	} {
		if got := Nearest(flags, name); got != want {
			t.Errorf("--%s is taken for %q, not %q", name, got, want)
		}
	}
}
