package aspect

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aspectop/clean"
	"aspectop/model"
)

// maxPages limits how many pages one call reads.
const maxPages = 100

// Messages returns the recent messages in Aspect's order, at most limit.
func (c *Client) Messages(ctx context.Context, limit int) ([]model.SentMessage, error) {
	return list(ctx, c, "/webhooks/messages", url.Values{}, "messages", limit, messageOf)
}

// AttemptsByMessage returns the attempts to deliver a message, in Aspect's order, at
// most limit.
func (c *Client) AttemptsByMessage(ctx context.Context, messageID string, limit int) ([]model.SentAttempt, error) {
	return c.attempts(ctx, "message_id", messageID, limit)
}

// AttemptsByEndpoint is AttemptsByMessage for an endpoint.
func (c *Client) AttemptsByEndpoint(ctx context.Context, endpointID string, limit int) ([]model.SentAttempt, error) {
	return c.attempts(ctx, "endpoint_id", endpointID, limit)
}

func (c *Client) attempts(ctx context.Context, by, id string, limit int) ([]model.SentAttempt, error) {
	return list(ctx, c, "/webhooks/delivery-attempts", url.Values{by: {id}}, "attempts", limit, attemptOf)
}

// list follows the pages of a list until it has limit items. It asks for the first page
// exactly as documented, and for more only if the answer has an iterator.
func list[T any](ctx context.Context, c *Client, path string, query url.Values, name string, limit int, read func(object, json.RawMessage) T) ([]T, error) {
	var all []T
	for range maxPages {
		items, next, err := c.page(ctx, path, query, name)
		if err != nil {
			return nil, err
		}
		for _, raw := range items[:min(len(items), limit-len(all))] {
			o, _ := objectOf(raw)
			all = append(all, read(o, raw))
		}
		if len(all) >= limit || len(items) == 0 || next == "" || next == query.Get("iterator") {
			break
		}
		query.Set("iterator", next)
	}
	return all, nil
}

// page returns the items of one page of a list, and the iterator of the next.
func (c *Client) page(ctx context.Context, path string, query url.Values, name string) (items []json.RawMessage, next string, err error) {
	answer, err := c.do(ctx, call{method: http.MethodGet, path: path, query: query})
	if err != nil {
		return nil, "", err
	}
	if items, next, err = listOf(answer, name); err != nil {
		err = fmt.Errorf("GET %s: %w", path, err)
	}
	return items, next, err
}

func messageOf(o object, raw json.RawMessage) model.SentMessage {
	return model.SentMessage{
		ID:        o.text("id", "message_id", "msg_id"),
		EventType: o.text("event_type", "type"),
		EventID:   o.text("event_id"),
		TaskID:    taskOf(o),
		Status:    statusOf(o),
		Time:      timeOf(o),
		Raw:       noLogin(raw),
	}
}

// taskOf is the id of the task that a message's payload tells.
func taskOf(o object) string {
	for _, name := range []string{"payload", "data", "task"} {
		o, _ = o.object(name)
	}
	return o.text("id")
}

func noLogin(raw json.RawMessage) json.RawMessage {
	return json.RawMessage(clean.NoLogin(string(raw)))
}

func attemptOf(o object, raw json.RawMessage) model.SentAttempt {
	message, _ := o.object("msg")
	a := model.SentAttempt{
		ID:           o.text("id", "attempt_id"),
		MessageID:    cmp.Or(o.text("msg_id", "message_id"), message.text("id")),
		EndpointID:   o.text("endpoint_id"),
		EventType:    cmp.Or(o.text("event_type"), message.text("event_type")),
		URL:          clean.NoLogin(o.text("url")),
		Status:       statusOf(o),
		ResponseCode: cmp.Or(o.number("response_status_code"), o.number("status_code")),
		Trigger:      triggers[o.text("trigger_type")],
		Took:         time.Duration(o.number("response_duration_ms")) * time.Millisecond,
		Time:         timeOf(o),
		Raw:          noLogin(raw),
	}
	if strings.HasPrefix(a.Status, "fail") {
		a.Reason = strings.TrimPrefix(clean.Line(clean.NoLogin(o.text("response"))), "{}") // {}: left out
	}
	if a.MessageID == "" && strings.HasPrefix(a.ID, "msg_") { // a list of messages, seen from an endpoint
		a.MessageID = a.ID
	}
	return a
}

func timeOf(o object) time.Time { return o.time("timestamp", "created_at", "created") }

// triggers are Svix's words for the numbers of triggerType.
var triggers = map[string]string{"0": "scheduled", "1": "manual"}

// statuses are Svix's words for its status numbers.
var statuses = map[string]string{"0": "success", "1": "pending", "2": "fail", "3": "sending", "4": "canceled"}

func statusOf(o object) string {
	status := o.text("status")
	return cmp.Or(o.text("status_text"), statuses[status], status)
}

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
	items, _, err := c.page(ctx, "/tasks/active", nil, "tasks")
	if err != nil {
		return nil, err
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
	return Task{ID: o.text("id"), Raw: raw}, err
}

// Asset returns one asset. If there is none the error matches [ErrNotFound].
func (c *Client) Asset(ctx context.Context, id string) (Asset, error) {
	o, _, err := c.get(ctx, "/assets/", id, "asset")
	return Asset{ID: o.text("id"), Name: o.text("name")}, err
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
