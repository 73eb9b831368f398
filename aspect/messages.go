package aspect

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aspectop/model"
)

// maxPages limits how many pages one call reads.
const maxPages = 100

// Messages returns the recent messages in Aspect's order, at most limit.
func (c *Client) Messages(ctx context.Context, limit int) ([]model.SentMessage, error) {
	r := call{method: http.MethodGet, path: "/webhooks/messages"}
	return list(ctx, c, r, "messages", limit, messageOf)
}

// AttemptsByMessage returns the attempts to deliver a message, in Aspect's
// order, at most limit.
func (c *Client) AttemptsByMessage(ctx context.Context, messageID string, limit int) ([]model.SentAttempt, error) {
	return c.attempts(ctx, "message_id", messageID, limit)
}

// AttemptsByEndpoint returns the attempts to deliver to an endpoint, in Aspect's
// order, at most limit.
func (c *Client) AttemptsByEndpoint(ctx context.Context, endpointID string, limit int) ([]model.SentAttempt, error) {
	return c.attempts(ctx, "endpoint_id", endpointID, limit)
}

func (c *Client) attempts(ctx context.Context, by, id string, limit int) ([]model.SentAttempt, error) {
	r := call{method: http.MethodGet, path: "/webhooks/delivery-attempts", query: url.Values{by: {id}}}
	return list(ctx, c, r, "attempts", limit, attemptOf)
}

// list follows the pages of a list until it has limit items. It asks for the
// first page exactly as documented; only an answer that gives an iterator is
// asked for more.
func list[T any](ctx context.Context, c *Client, r call, name string, limit int, read func(object, json.RawMessage) T) ([]T, error) {
	var all []T
	last := ""
	for range maxPages {
		answer, err := c.do(ctx, r)
		if err != nil {
			return nil, err
		}
		items, next, err := listOf(answer, name)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", r.method, r.path, err)
		}
		for _, raw := range items {
			if len(all) >= limit {
				break
			}
			o, _ := objectOf(raw)
			all = append(all, read(o, raw))
		}
		if len(all) >= limit || len(items) == 0 || next == "" || next == last {
			break
		}
		query := url.Values{"iterator": {next}}
		for name, values := range r.query {
			if name != "iterator" {
				query[name] = values
			}
		}
		r.query, last = query, next
	}
	return all, nil
}

func messageOf(o object, raw json.RawMessage) model.SentMessage {
	return model.SentMessage{
		ID:        o.text("id", "message_id", "msg_id"),
		EventType: o.text("event_type", "type"),
		EventID:   o.text("event_id"),
		Status:    statusOf(o),
		Time:      timeOf(o),
		Raw:       raw,
	}
}

func attemptOf(o object, raw json.RawMessage) model.SentAttempt {
	a := model.SentAttempt{
		ID:           o.text("id", "attempt_id"),
		MessageID:    o.text("msg_id", "message_id"),
		EndpointID:   o.text("endpoint_id"),
		EventType:    o.text("event_type"),
		URL:          o.text("url"),
		Status:       statusOf(o),
		ResponseCode: o.number("response_status_code"),
		Time:         timeOf(o),
		Raw:          raw,
	}
	if a.ResponseCode == 0 {
		a.ResponseCode = o.number("status_code")
	}
	if m, ok := o.object("msg"); ok {
		if a.MessageID == "" {
			a.MessageID = m.text("id")
		}
		if a.EventType == "" {
			a.EventType = m.text("event_type")
		}
	}
	if a.MessageID == "" && strings.HasPrefix(a.ID, "msg_") { // a list of messages, seen from an endpoint
		a.MessageID = a.ID
	}
	return a
}

func timeOf(o object) time.Time { return o.time("timestamp", "created_at", "created") }

// statusOf translates Svix's status numbers into its words.
func statusOf(o object) string {
	if s := o.text("status_text"); s != "" {
		return s
	}
	switch s := o.text("status"); s {
	case "0":
		return "success"
	case "1":
		return "pending"
	case "2":
		return "fail"
	case "3":
		return "sending"
	case "4":
		return "canceled"
	default:
		return s
	}
}
