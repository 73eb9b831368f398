package settings

import (
	"testing"

	"github.com/spf13/cobra"
)

// placedFlags has flags set in the file, in the command's table, in the environment and
// on the line, and one that is not set.
func placedFlags(t *testing.T) *cobra.Command {
	t.Helper()
	configured(t, "low = \"x\"\nlow2 = true\nmany = [\"a\", \"b\"]\nwhen = \"1h\"\nhigh = \"ignored\"\n[watch]\ntable = \"x\"\n")
	t.Setenv("ASPECTOP_MID", "x")
	root := &cobra.Command{Use: "aspectop", SilenceErrors: true, SilenceUsage: true}
	cmd := &cobra.Command{Use: "watch", PreRunE: apply, RunE: func(*cobra.Command, []string) error { return nil }}
	for _, name := range []string{"low", "table", "mid", "high", "none"} {
		cmd.Flags().String(name, "default", "")
	}
	cmd.Flags().Bool("low2", false, "")
	cmd.Flags().StringArray("many", nil, "")
	cmd.Flags().Var(new(Moment), "when", "")
	root.AddCommand(cmd)
	root.SetArgs([]string{"watch", "--high", "x"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func TestTheNearerOfTwoFlagsOverridesTheOther(t *testing.T) {
	for _, c := range []struct{ near, far string }{
		{"high", "mid"}, {"high", "table"}, {"high", "low"}, {"mid", "table"}, {"mid", "low"}, {"table", "low"}, {"table", "low2"},
		{"mid", "many"}, {"mid", "when"}, {"low", "none"},
	} {
		for _, order := range [][2]string{{c.near, c.far}, {c.far, c.near}} {
			set := placedFlags(t).Flags()
			far := set.Lookup(c.far)
			if !Overrides(set, order[0], order[1]) || far.Changed || far.Value.String() != far.DefValue || len(far.Annotations[source]) > 0 {
				t.Errorf("%s against %s: %s is %q, changed %t", order[0], order[1], c.far, far.Value, far.Changed)
			}
			if near := set.Lookup(c.near); !near.Changed || near.Value.String() != "x" {
				t.Errorf("%s is %q", c.near, near.Value)
			}
		}
	}
	if set := placedFlags(t).Flags(); Overrides(set, "low", "low2") || !set.Changed("low") || !set.Changed("low2") {
		t.Error("one of two from the same place was chosen")
	}
}

func TestOnlyWhatIsOnTheLineDoesNotWait(t *testing.T) {
	set := placedFlags(t).Flags()
	if !Waits(set, "low", "mid", "none") || set.Changed("low") || set.Changed("mid") {
		t.Error("settings do not wait")
	}
	if Waits(set, "table", "high") || !set.Changed("table") || !set.Changed("high") {
		t.Error("a flag on the line waits")
	}
}
