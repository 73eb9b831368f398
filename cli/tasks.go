package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aspectop/aspect"
	"aspectop/cli/settings"
	"aspectop/model"
)

func newTasks() *cobra.Command {
	var a accountFlags
	cmd := &cobra.Command{
		Use:   "tasks [ID...]",
		Short: "List tasks from Aspect's API",
		Long: `tasks lists the account's active tasks: those that are queued, processing or
failed. With ids it lists those tasks, whatever their state. It needs an API key
in ` + settings.KeyVariable + `.

FEATURES shows how many features are done, and which are not. A task's state is
derived from its features, because the API does not give one.`,
		Example: `  aspectop tasks
  aspectop tasks --json | jq -r 'select(.state == "failed") | .task_id'`,
		Args: func(_ *cobra.Command, ids []string) error {
			if slices.Contains(ids, "") {
				return errNoID
			}
			return nil
		},
	}
	return a.calls(cmd, func(ctx context.Context, c *aspect.Client, ids []string) error {
		tasks, err := readTasks(ctx, c, ids)
		if err != nil && len(tasks) == 0 {
			return err
		}
		l := newList("TASK", "STATE", "UPDATED", "FEATURES")
		for _, task := range tasks {
			l.addTask(task)
		}
		return errors.Join(l.show(a.json, "no active tasks"), err)
	})
}

func (l *list) addTask(task aspect.Task) {
	var (
		asset, state     string
		created, updated time.Time
		features         []model.Feature
	)
	cells := []string{unknownID, "", "", ""}
	e := model.Decode(&model.Delivery{Seq: 1, Message: 1, Source: model.SourceAPI, Body: task.Raw})
	if t := model.NewBoard().Fold(&e); t != nil { // otherwise it is not a task
		asset, state, features = t.AssetID(), string(t.State()), t.Features()
		created, updated = t.Created(), t.Updated()
		cells = []string{t.ID(), state, ago(updated), progress(t)}
	}
	o := newLine("task")
	o.TextOrNull("task_id", task.ID)
	o.TextOrNull("asset_id", asset)
	o.TextOrNull("state", state)
	o.Key("features")
	o.Begin('{')
	for _, f := range features {
		o.TextOrNull(f.Name, string(f.State))
	}
	o.End('}')
	o.Time("created", created)
	o.Time("updated", updated)
	putValue(o, "raw", task.Raw)
	l.add(o, cells...)
}

// readTasks returns the active tasks or those with the ids. With an error it also
// returns the tasks that were found.
func readTasks(ctx context.Context, c *aspect.Client, ids []string) (tasks []aspect.Task, err error) {
	if len(ids) == 0 {
		return c.ActiveTasks(ctx)
	}
	var missing []string
	for _, id := range ids {
		task, err := c.Task(ctx, id)
		switch {
		case errors.Is(err, aspect.ErrNotFound):
			missing = append(missing, id)
		case err != nil:
			return tasks, err
		default:
			tasks = append(tasks, task)
		}
	}
	if len(missing) > 0 {
		err = fmt.Errorf("this account has no task %s (404); check that the ids are complete and that %s and %s are right",
			strings.Join(missing, ", "), settings.KeyVariable, settings.URLVariable)
	}
	return tasks, err
}

func progress(t *model.Task) string {
	done, all := t.Progress()
	words := []string{fmt.Sprintf("%d/%d", done, all)}
	for _, f := range t.Features() {
		if !f.State.Success() && !model.Internal(f.Name) {
			words = append(words, f.Name+" "+string(f.State))
		}
	}
	return words[0] + " " + strings.Join(words[1:], ", ")
}

// ago says how long ago t was, in one unit; "" for the zero time.
func ago(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	switch d := time.Since(t); {
	case d < time.Second:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf("%ds ago", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", d/time.Hour)
	default:
		return fmt.Sprintf("%dd ago", d/(24*time.Hour))
	}
}
