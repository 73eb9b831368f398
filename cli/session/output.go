package session

import (
	"slices"

	"github.com/spf13/pflag"

	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/model"
)

// Themes are the values of --theme.
var Themes = []string{"auto", "light", "dark", "mono"}

// FilterTerms ends the help of a filter.
const FilterTerms = "; terms are separated by spaces and must all match, - before one negates it (docs/commands.md#filters)"

// Output configures how watch, demo and view show events.
type Output struct {
	plain, json          bool
	theme                string
	ascii, reducedMotion bool
	filter               string
	since                settings.Moment
}

// Flags adds the flags.
func (o *Output) Flags(f *pflag.FlagSet) {
	f.BoolVar(&o.plain, "plain", false, "print sentences instead of drawing a screen")
	f.BoolVar(&o.json, "json", false, "print one JSON object per line instead of drawing a screen")
	f.StringVar(&o.theme, "theme", "auto", "colours: auto, light, dark or mono")
	f.BoolVar(&o.ascii, "ascii", false, "draw with ASCII characters only")
	f.BoolVar(&o.reducedMotion, "reduced-motion", false, "no animations")
	f.StringVar(&o.filter, "filter", "", "show only what matches this filter, such as \"state:failed\""+FilterTerms)
	f.Var(&o.since, "since", "show what was received since this time, such as 2h or 2026-01-02T15:04:05Z")
}

// Check validates the flags and returns the filter.
func (o *Output) Check() (*model.Filter, error) {
	if o.plain && o.json {
		return nil, exit.Usage("--plain and --json cannot be used together")
	}
	if !slices.Contains(Themes, o.theme) {
		return nil, exit.Usage("unknown --theme %q: must be auto, light, dark or mono", o.theme)
	}
	filter, err := model.ParseFilter(o.filter)
	if err != nil {
		return nil, exit.Usage("--filter: %w", err)
	}
	return filter, nil
}
