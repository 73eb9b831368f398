package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aspectop/aspect"
	"aspectop/cli/settings"
	"aspectop/cli/terminal"
	"aspectop/jsonl"
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
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		return a.ask(cmd.Context(), func(ctx context.Context, c *aspect.Client) error { return a.tasks(ctx, c, ids) })
	}
	a.flags(cmd.Flags())
	return cmd
}

// taskLine is a task in JSON.
type taskLine struct {
	head
	TaskID   *string            `json:"task_id"`
	AssetID  *string            `json:"asset_id"`
	State    *string            `json:"state"`
	Features map[string]*string `json:"features"`
	Created  jsonl.Time         `json:"created"`
	Updated  jsonl.Time         `json:"updated"`
	Raw      json.RawMessage    `json:"raw"`
}

func (a *accountFlags) tasks(ctx context.Context, c *aspect.Client, ids []string) error {
	tasks, err := readTasks(ctx, c, ids)
	t := terminal.Table{Head: []string{"TASK", "STATE", "UPDATED", "FEATURES"}}
	lines := make([]any, len(tasks))
	for i, task := range tasks {
		line := taskLine{head: headOf("task"), TaskID: orNull(task.ID), Features: map[string]*string{}, Raw: task.Raw}
		told := taskOf(task)
		if told == nil { // not a task
			t.Add(unknownID, "", "", "")
			lines[i] = line
			continue
		}
		line.AssetID, line.State = orNull(told.AssetID()), orNull(string(told.State()))
		line.Created, line.Updated = jsonl.Time(told.Created()), jsonl.Time(told.Updated())
		for _, f := range told.Features() {
			line.Features[f.Name] = orNull(string(f.State))
		}
		lines[i] = line
		t.Add(told.ID(), string(told.State()), ago(told.Updated()), progress(told))
	}
	if err != nil && len(tasks) == 0 {
		return err
	}
	return errors.Join(a.show(lines, t, "no active tasks"), err)
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

// taskOf is a task that is known only from the API; nil if the format is unknown.
func taskOf(t aspect.Task) *model.Task {
	e := model.Decode(&model.Delivery{Seq: 1, Message: 1, Source: model.SourceAPI, Body: t.Raw})
	return model.NewBoard().Fold(&e)
}

// progress says how many features are done, and which are not.
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
