package settings

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"aspectop/cli/exit"
	"aspectop/feed"
	"aspectop/forward"
	"aspectop/model"
)

// Tables of the config file that are not a command's.
const (
	filtersTable = "filters"
	forwardTable = "forward"
)

// maxName is the length of a handler's name, in characters.
const maxName = 40

// Filters are the named filters of the config file.
func Filters() (named model.NamedFilters, err error) {
	err = inConfig(func(c *config, _ string) (err error) {
		named, err = c.filters()
		return err
	})
	return named, err
}

// Forwards are the handlers of [[forward]] in the config file, with what the variables
// hold that they name.
func Forwards() (targets []forward.Target, err error) {
	err = inConfig(func(c *config, text string) error {
		named, err := c.filters()
		if err == nil {
			targets, err = c.forwards(text, named, os.LookupEnv)
		}
		return err
	})
	return targets, err
}

// inConfig has the config file read, if there is one.
func inConfig(read func(c *config, text string) error) error {
	text, _, err := readConfig(ConfigPath())
	if err != nil { // if there is one that cannot be read, that has been said
		return nil
	}
	c := &config{path: ConfigPath()}
	if c.meta, err = toml.Decode(text, &c.keys); err == nil {
		err = read(c, text)
	}
	return c.explain(err)
}

// tables checks the tables that are not a command's, and takes them out.
func (c *config) tables(text string) error {
	named, err := c.filters()
	if err == nil {
		_, err = c.forwards(text, named, func(string) (string, bool) { return "x", true })
	}
	delete(c.keys, filtersTable)
	delete(c.keys, forwardTable)
	return err
}

func (c *config) filters() (model.NamedFilters, error) {
	table, ok := c.keys[filtersTable]
	if !ok {
		return nil, nil
	}
	var keys map[string]toml.Primitive
	if err := c.meta.PrimitiveDecode(table, &keys); err != nil || keys == nil {
		return nil, c.decode(table, func(any) error { return errors.New("[filters] is a table of filters with names") })
	}
	named := model.NamedFilters{}
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		err := c.decode(keys[name], func(value any) error {
			text, err := textOf(value)
			if named[name] = text; err == nil {
				err = named.Check(name)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return named, nil
}

var forwardHeader = regexp.MustCompile(`(?m)^[ \t]*\[\[[ \t]*["']?forward["']?[ \t]*\]\]`)

// forwards reads [[forward]]; variable looks up what its header-env names. The toml package
// knows the lines of the last entry only, so each is read from the text up to its end.
func (c *config) forwards(text string, named model.NamedFilters, variable func(string) (string, bool)) (targets []forward.Target, err error) {
	array, ok := c.keys[forwardTable]
	if !ok {
		return nil, nil
	}
	var entries []map[string]toml.Primitive
	if err := c.meta.PrimitiveDecode(array, &entries); err != nil || entries == nil {
		return nil, c.decode(array, func(any) error { return errors.New("handlers are entries that each begin with a line [[forward]]") })
	}
	begins := forwardHeader.FindAllStringIndex(text, -1)
	seen := map[string]bool{}
	for i := range entries {
		e := &config{meta: c.meta, keys: c.keys}
		entry := entries[i]
		if len(begins) == len(entries) && i < len(entries)-1 {
			var up []map[string]toml.Primitive
			e.keys = nil
			if e.meta, err = toml.Decode(text[:begins[i+1][0]], &e.keys); err != nil {
				return nil, err
			}
			if err := e.meta.PrimitiveDecode(e.keys[forwardTable], &up); err != nil {
				return nil, err
			}
			entry = up[i]
		}
		t := forward.Target{Headers: http.Header{}}
		if _, ok := entry["to"]; !ok {
			return nil, e.decode(e.keys[forwardTable], func(any) error { return errors.New("this [[forward]] lacks the key to, the URL of the handler") })
		}
		for _, key := range slices.Sorted(maps.Keys(entry)) {
			err := e.decode(entry[key], func(value any) error {
				err := setTarget(&t, key, value, named, variable)
				if err == nil && key == "to" {
					if seen[t.Key()] {
						err = errors.New("the same handler is given twice")
					}
					seen[t.Key()] = true
				}
				return err
			})
			if err != nil {
				return nil, err
			}
		}
		targets = append(targets, t)
	}
	return targets, nil
}

func setTarget(t *forward.Target, key string, value any, named model.NamedFilters, variable func(string) (string, bool)) (err error) {
	var text string
	if slices.Contains([]string{"to", "name", "filter"}, key) {
		if text, err = textOf(value); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	switch key {
	case "to":
		u, err := forward.ParseURL(text)
		if err == nil {
			t.URL = u.String()
		}
		return err
	case "name":
		if text == "" || utf8.RuneCountInString(text) > maxName || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return fmt.Errorf("name: it has to be text of 1 to %d characters", maxName)
		}
		t.Name = text
	case "filter":
		f, err := named.ParseOfMessage(text)
		if err != nil {
			return err
		}
		t.Filter = func(a *feed.Arrival) bool { return f.MatchEvent(&a.Event, nil, "", time.Time{}) }
	case "headers":
		return eachPair(value, func(name, value string) error {
			name, value, err := forward.ParseHeader(name + ":" + value)
			if err == nil {
				t.Headers.Set(name, value)
			}
			return err
		})
	case "header-env":
		return eachPair(value, func(name, of string) error {
			name, err := forward.HeaderName(name)
			if err != nil {
				return err
			}
			value, _ := variable(of)
			if value = strings.TrimSpace(value); value == "" || strings.ContainsFunc(value, unicode.IsControl) {
				return fmt.Errorf("header-env: the environment variable %s, for the header %s, is not set or cannot be a header", of, name)
			}
			t.Headers.Set(name, value)
			return nil
		})
	case "insecure":
		insecure, ok := value.(bool)
		if t.Insecure = insecure; !ok {
			return errors.New("insecure: it is true or false")
		}
	default:
		return fmt.Errorf("[[forward]] has no key %q; its keys are to, name, filter, headers, header-env and insecure", key)
	}
	return nil
}

// eachPair calls f with the names and values of a table.
func eachPair(value any, f func(name, value string) error) error {
	pairs, ok := value.(map[string]any)
	if !ok {
		return errors.New("this has to be a table, such as { X-Team = \"media\" }")
	}
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		text, err := textOf(pairs[name])
		if err == nil {
			err = f(name, text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// textOf is a value that has to be a text, and no secret.
func textOf(value any) (string, error) {
	text, ok := value.(string)
	switch {
	case !ok:
		return "", errors.New("it has to be text in quotes")
	case isSecret("", []string{text}):
		return "", errors.New("secrets do not belong in this file; name a variable with header-env")
	}
	return text, nil
}

// ParseFilter reads the value of --filter, with the named filters of the config file.
func ParseFilter(text string) (*model.Filter, model.NamedFilters, error) {
	named, err := Filters()
	if err != nil {
		return nil, nil, err
	}
	filter, err := named.Parse(text)
	if err != nil {
		return nil, nil, exit.Usage("--filter: %w", err)
	}
	return filter, named, nil
}
