package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"aspectop/jsonl"

	"github.com/spf13/cobra"
)

// build is how the binary was built.
type build struct {
	Type     string     `json:"type"`
	Time     time.Time  `json:"time"` // of this line
	Version  string     `json:"version"`
	Revision *string    `json:"revision"`      // nil if it was built outside a repository
	Revised  *time.Time `json:"revision_time"` // of that revision
	Modified bool       `json:"modified"`      // there were changes on top of it
	Go       string     `json:"go"`
	Platform string     `json:"platform"`
}

func newVersion() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version and what it was built from",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := readBuild()
			if !asJSON {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), "aspectop "+b.sentence())
				return err
			}
			line, err := jsonl.Line(b)
			if err == nil {
				_, err = cmd.OutOrStdout().Write(line)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// version is the module's version, "(devel)" if unknown.
func version() string { return readBuild().Version }

func readBuild() build {
	b := build{
		Type: "version", Time: time.Now().UTC().Truncate(time.Microsecond), Version: "(devel)",
		Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = &s.Value
		case "vcs.time":
			if t, err := time.Parse(time.RFC3339, s.Value); err == nil {
				b.Revised = &t
			}
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func (b build) sentence() string {
	s := b.Version
	if b.Revision != nil {
		s += " (" + *b.Revision
		if b.Revised != nil {
			s += " of " + b.Revised.Format(time.RFC3339)
		}
		if b.Modified {
			s += ", modified"
		}
		s += ")"
	}
	return s + ", " + b.Go + ", " + b.Platform
}
