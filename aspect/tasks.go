package aspect

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Task is a task. Package model knows what is in it.
type Task struct {
	ID  string
	Raw json.RawMessage // as received, without surrounding white space
}

// Asset is the media that a task processes.
type Asset struct{ ID, Name string }

// ActiveTasks returns the account's tasks that are queued, processing or failed.
// Completed ones are not among them.
func (c *Client) ActiveTasks(ctx context.Context) ([]Task, error) {
	const path = "/tasks/active"
	answer, err := c.do(ctx, call{method: http.MethodGet, path: path})
	if err != nil {
		return nil, err
	}
	items, _, err := listOf(answer, "tasks")
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", path, err)
	}
	tasks := make([]Task, len(items))
	for i, raw := range items {
		o, _ := objectOf(raw)
		tasks[i] = Task{ID: o.text("id"), Raw: raw}
	}
	return tasks, nil
}

// Task returns one task, whatever its state. If there is none the error matches
// [ErrNotFound].
func (c *Client) Task(ctx context.Context, id string) (Task, error) {
	o, raw, err := c.get(ctx, "/tasks/", id, "task")
	if err != nil {
		return Task{}, err
	}
	return Task{ID: o.text("id"), Raw: raw}, nil
}

// Asset returns one asset. If there is none the error matches [ErrNotFound].
func (c *Client) Asset(ctx context.Context, id string) (Asset, error) {
	o, _, err := c.get(ctx, "/assets/", id, "asset")
	if err != nil {
		return Asset{}, err
	}
	return Asset{ID: o.text("id"), Name: o.text("name")}, nil
}

// get reads an object by id, which may be wrapped in a member called name.
func (c *Client) get(ctx context.Context, before, id, name string) (object, json.RawMessage, error) {
	path, err := pathOf(before, id)
	if err != nil {
		return nil, nil, err
	}
	answer, err := c.do(ctx, call{method: http.MethodGet, path: path})
	if err != nil {
		return nil, nil, err
	}
	o, _ := objectOf(answer)
	raw := json.RawMessage(bytes.TrimSpace(answer))
	if inner, ok := o.object(name); ok && o["id"] == nil {
		o, raw = inner, o[name]
	}
	if o.text("id") == "" {
		return nil, nil, fmt.Errorf("GET %s: the answer is not a %s that aspectop understands: is ASPECT_URL right?", path, name)
	}
	return o, raw, nil
}
