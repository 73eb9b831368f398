package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// Every flag of a screen has a purpose, and is in the help.
func TestTheHelpGroupsFlagsByPurpose(t *testing.T) {
	root := newRoot()
	known := map[string]bool{}
	for _, name := range []string{"watch", "demo", "view"} {
		cmd, _, err := root.Find([]string{name})
		if err != nil {
			t.Fatal(err)
		}
		text := flagsByPurpose(cmd)
		if _, other, _ := strings.Cut(text, "\nOther:\n"); strings.Contains(strings.ReplaceAll(other, "--help", ""), "--") {
			t.Errorf("%s has flags without a purpose: %s", name, other)
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			known[f.Name] = true
			if !f.Hidden && strings.Count(text, "--"+f.Name+" ") == 0 {
				t.Errorf("%s: --%s is not in the help", name, f.Name)
			}
		})
	}
	var listed []string
	for _, g := range flagGroups {
		for _, name := range g.flags {
			if !known[name] || slices.Contains(listed, name) {
				t.Errorf("--%s is no flag, or in two groups", name)
			}
			listed = append(listed, name)
		}
	}
}
