package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/pflag"

	"aspectop/cli/exit"
	"aspectop/cli/session"
	"aspectop/cli/settings"
	"aspectop/cli/terminal"
	"aspectop/demo"
	"aspectop/model"
	"aspectop/ui/edit"
)

// bodyFlags say what is sent, beyond the event that the type makes.
type bodyFlags struct {
	file, asset, user, name string
	set                     []string
	edit                    bool
}

func (b *bodyFlags) flags(f *pflag.FlagSet) {
	settings.PathVar(f, &b.file, "body", "send this `file` as it is instead of an event of TYPE; - is standard input", func(text string) bool { return text == "-" })
	f.StringArrayVar(&b.set, "set", nil, "`path=value` to change in the body, such as data.task.asset_id=7 or data.tags.0=new; JSON, or else a string; repeatable")
	f.StringVar(&b.asset, "asset", "", "`id` of the asset (data.task.asset_id)")
	f.StringVar(&b.user, "user", "", "`id` of the user (user_id, and that of the task)")
	f.StringVar(&b.name, "name", "", "`name` of the asset (data.task.name, which Aspect's documented events do not have)")
	f.BoolVar(&b.edit, "edit", false, "open the body in your editor before it is sent; empty it to cancel")
}

// change is a part of the body to set.
type change struct {
	flag  string
	path  []string
	value []byte // JSON
}

// changes are those that the flags ask for, --set last. Task and features are set in a body
// of the user's own only: an event has been made with them.
func (s *sendFlags) changes(hasTask bool, features []model.Feature) (all []change, err error) {
	add := func(flag, text string, path ...string) {
		if text != "" {
			all = append(all, change{flag, path, demo.Quoted(text)})
		}
	}
	if s.body.file != "" {
		add("--task", s.task, "data", "task", "id")
		for _, f := range features {
			add("--feature", string(f.State), "data", "task", "features", f.Name, "state")
		}
	}
	add("--asset", s.body.asset, "data", "task", "asset_id")
	add("--user", s.body.user, "user_id")
	if hasTask {
		add("--user", s.body.user, "data", "task", "user_id")
	}
	add("--name", s.body.name, "data", "task", "name")
	for _, text := range s.body.set {
		path, value, ok := strings.Cut(text, "=")
		names := strings.Split(path, ".")
		if !ok || slices.Contains(names, "") {
			return nil, exit.Usage("--set %q: must look like data.task.asset_id=7", text)
		}
		all = append(all, change{"--set " + path, names, demo.Value(value)})
	}
	return all, nil
}

func (s *sendFlags) apply(ctx context.Context, body []byte, features []model.Feature) ([]byte, error) {
	e := model.Decode(&model.Delivery{Body: body})
	changes, err := s.changes(e.Task != nil, features)
	if err != nil {
		return nil, err
	}
	for _, c := range changes {
		if !json.Valid(body) {
			return nil, exit.Usage("%s: the body is not JSON: %s", c.flag, flawOf(body))
		}
		if body, err = demo.Set(body, c.path, c.value); err != nil {
			return nil, exit.Usage("%s: %w", c.flag, err)
		}
	}
	if s.body.edit {
		if body, err = s.edited(ctx, body); err != nil {
			return nil, err
		}
	}
	if flaw := flawOf(body); flaw != "" {
		fmt.Fprintf(os.Stderr, "aspectop: the body is not JSON (%s); it is sent as it is\n", flaw)
	}
	if len(body) > 1<<20 {
		fmt.Fprintf(os.Stderr, "aspectop: the body has %d bytes; many receivers, including aspectop's, refuse more than 1 MiB\n", len(body))
	}
	return body, nil
}

// flawOf says why a body is not JSON, "" if it is.
func flawOf(body []byte) (flaw string) {
	if !json.Valid(body) {
		_, flaw = edit.Compacted(body)
	}
	return flaw
}

// edited is the body as it is after the user's editor. One that is unchanged keeps its bytes.
func (s *sendFlags) edited(ctx context.Context, body []byte) ([]byte, error) {
	draft, err := edit.New("body", body)
	if err != nil {
		return nil, exit.Setup(err)
	}
	defer draft.Close()
	cmd, err := session.Editor(ctx, settings.ChildEnvironment(settings.Location{}, s.secretEnv), draft.Path())
	if err != nil {
		return nil, exit.Setup(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stderr, os.Stderr
	if terminal.IsTerminal() {
		cmd.Stdout = os.Stdout
	} else if in, out, err := tea.OpenTTY(); err == nil {
		defer in.Close()
		defer out.Close()
		cmd.Stdin, cmd.Stdout = in, out
	}
	text, err := draft.Edited(cmd.Run())
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w; nothing was sent", err)
	case string(text) == draft.Before:
		return body, nil
	}
	body, _ = edit.Compacted(text)
	return body, nil
}

// conflict says which flags do not go together with one that decides what is sent.
func (s *sendFlags) conflict(flags *pflag.FlagSet, args []string) error {
	if s.body.file != "" && s.scenario != "" && !settings.Overrides(flags, "body", "scenario") {
		return exit.Usage("--body cannot be used with --scenario: each decides what is sent")
	}
	for name, value := range map[string]*string{"scenario": &s.scenario, "body": &s.body.file} {
		if *value != "" && len(args) > 0 && !settings.Waits(flags, name) {
			return exit.Usage("--%s decides what is sent; omit %q", name, args[0])
		}
	}
	for _, name := range []string{"task", "feature", "id", "timestamp", "break", "asset", "user", "name", "set", "edit"} {
		if s.scenario != "" && flags.Changed(name) && !settings.Overrides(flags, "scenario", name) {
			return exit.Usage("--%s cannot be used with --scenario, which decides what is sent", name)
		}
	}
	return nil
}
