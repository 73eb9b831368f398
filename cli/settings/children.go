package settings

import (
	"net/url"
	"os"
	"strings"

	"github.com/BurntSushi/toml"

	"aspectop/journal/postgres"
)

// ChildEnvironment is the environment for commands and editors of the user's: that
// of this process without the secrets of aspectop. These are ASPECT_*, TUNNEL_TOKEN,
// the variables that a flag such as --secret-env names (on the line, in the
// environment or in the config file) and those in named, URLs with credentials in
// ASPECTOP_*, and PGPASSWORD if the journal is opened with it.
func ChildEnvironment(journal Location, named ...string) []string {
	secret := map[string]bool{"TUNNEL_TOKEN": true, "PGPASSWORD": journal.needsPassword}
	hide := func(value string) {
		for _, name := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune("=:, ", r) }) {
			secret[strings.ToUpper(name)] = true
		}
	}
	for _, name := range named {
		hide(name)
	}
	var file map[string]any
	if text, err := os.ReadFile(ConfigPath()); err == nil {
		toml.Decode(string(text), &file) // a bad file has been refused before
	}
	namedIn(file, false, hide)
	split := func(variable string) (name, value string) {
		name, value, _ = strings.Cut(variable, "=")
		return strings.ToUpper(name), value // Windows does not tell cases apart
	}
	for _, variable := range os.Environ() {
		if name, value := split(variable); strings.HasPrefix(name, VariableOf("")) && strings.HasSuffix(name, "_ENV") {
			hide(value)
		}
	}
	env := []string{} // not nil, which would mean everything
	for _, variable := range os.Environ() {
		name, value := split(variable)
		if !secret[name] && !strings.HasPrefix(name, "ASPECT_") && !(strings.HasPrefix(name, VariableOf("")) && hasCredentials(value)) {
			env = append(env, variable)
		}
	}
	return env
}

// namedIn calls hide with the texts in the settings of a config file whose names
// end in -env.
func namedIn(value any, named bool, hide func(string)) {
	switch v := value.(type) {
	case map[string]any:
		for key, below := range v {
			namedIn(below, named || strings.HasSuffix(strings.ReplaceAll(key, "_", "-"), "-env"), hide)
		}
	case []map[string]any:
		for _, below := range v {
			namedIn(below, named, hide)
		}
	case []any:
		for _, below := range v {
			namedIn(below, named, hide)
		}
	case string:
		if named {
			hide(v)
		}
	}
}

// hasCredentials reports whether a text is a URL that lets its reader in. What
// cannot be read is taken for one if it may be.
func hasCredentials(text string) bool {
	switch u, err := url.Parse(text); {
	case !strings.Contains(text, "://"):
		return false
	case postgres.IsURL(text):
		return postgres.HasPassword(text)
	case err != nil:
		return strings.Contains(text, "@")
	default:
		return u.User != nil
	}
}
