// Package demo is a stand-in for Aspect: it simulates tasks, signs their events as Svix
// does, and posts them over HTTP to any receiver, with the troubles of real delivery
// (repeats, late and swapped events, forgeries).
//
// It decides what is sent and when. It neither receives nor verifies, and knows only
// the status of the receiver's answers.
//
// Everything depends on the seed: the same seed gives the same tasks, ids, states and
// times relative to the start.
//
// A [Scenario] says which tasks there are and what happens to them: the built-in mix,
// which is random and may be endless, or a file in the format of scenarios/README.md.
package demo

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"aspectop/model"
)

// Scenario says which tasks there are, what happens to them, and what goes wrong during
// delivery.
type Scenario struct {
	Name  string // the built-in name, or the path it was read from
	Title string // one line; "" if its file does not begin with a comment

	steps []step // nil: the mix
}

// step is one line of a scenario.
type step struct {
	at time.Duration
	do action

	// Of a task.
	task      string
	kind      kind // only for a new task
	changes   []model.Feature
	eventType string // "": derived
	hold      time.Duration
	repeats   []time.Duration
	wrong     Break

	// Of uploads, which have a kind too.
	count int
	over  time.Duration
	fate  fate
}

type action string

const (
	tellTask action = "task"
	upload   action = "upload"
	ping     action = "ping"
)

//go:embed scenarios/*.scenario
var files embed.FS

// The built-in scenarios, the default first. All but the mix are files.
var builtin = []string{"mix", "upload", "failure", "rotten", "burst"}

// Scenarios lists the names of the built-in scenarios, the default one first.
func Scenarios() []string { return slices.Clone(builtin) }

// maxFile is the maximum size of a scenario file, in bytes.
const maxFile = 1 << 20

// Load returns the built-in scenario with the name, or else reads the file. Errors in
// the file have a line and column.
func Load(name string) (*Scenario, error) {
	if name == "mix" {
		return &Scenario{Name: name, Title: "Uploads of all kinds for as long as you like, with the troubles of real delivery."}, nil
	}
	var (
		f   fs.File
		err error
	)
	if slices.Contains(builtin, name) {
		f, err = files.Open("scenarios/" + name + ".scenario")
	} else {
		f, err = os.Open(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%q is neither a file nor a built-in scenario (%s)", name, strings.Join(builtin, ", "))
	} else if err != nil {
		return nil, fmt.Errorf("cannot read the scenario: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the scenario: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s: the scenario is larger than 1 MiB", name)
	}
	return parse(name, string(text))
}
