package ui

import (
	"context"
	"encoding/json"
	"time"
)

// API is what the screen asks Aspect's API. A call may take long and make
// several requests; one is made at a time.
type API interface {
	// Messages are the recent webhook messages, at most limit.
	Messages(ctx context.Context, limit int) ([]SentMessage, error)
	// Attempts are the tries to deliver a message, at most limit.
	Attempts(ctx context.Context, message string, limit int) ([]SentAttempt, error)
}

// SentMessage is a webhook message as Aspect tells it. Its shape is not
// published: what was not found is empty, and Raw has everything.
type SentMessage struct {
	ID        string // msg_…, the svix-id of its deliveries
	EventType string
	EventID   string
	Status    string // success, pending, fail, sending, canceled, or as it came
	Time      time.Time
	Raw       json.RawMessage
}

// SentAttempt is one try to deliver a message, told as [SentMessage] is.
type SentAttempt struct {
	ID           string // atmpt_…
	MessageID    string
	EndpointID   string
	EventType    string
	URL          string
	Status       string
	ResponseCode int // 0: no answer, or not told
	Time         time.Time
	Raw          json.RawMessage
}
