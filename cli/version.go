package cli

import (
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
)

type build struct {
	version  string    // of the module, "(devel)" if unknown
	revision string    // "" if it was built outside a repository
	revised  time.Time // when the revision was made; zero if unknown
	modified bool      // there were changes on top of it
}

const platform = runtime.GOOS + "/" + runtime.GOARCH

func newVersion() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version and what it was built from",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			b := readBuild()
			o := newLine("version")
			o.Text("version", b.version)
			o.TextOrNull("revision", b.revision)
			o.Time("revision_time", b.revised)
			o.Bool("modified", b.modified)
			o.Text("go", runtime.Version())
			o.Text("platform", platform)
			return printResult(asJSON, o, "aspectop "+b.String())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func readBuild() build {
	b := build{version: "(devel)"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.revision = s.Value
		case "vcs.time":
			b.revised, _ = time.Parse(time.RFC3339, s.Value)
		case "vcs.modified":
			b.modified = s.Value == "true"
		}
	}
	return b
}

func (b build) String() string {
	s := b.version
	if b.revision != "" {
		s += " (" + b.revision
		if !b.revised.IsZero() {
			s += " of " + b.revised.Format(time.RFC3339)
		}
		if b.modified {
			s += ", modified"
		}
		s += ")"
	}
	return s + ", " + runtime.Version() + ", " + platform
}
