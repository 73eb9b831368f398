package model

import (
	"encoding/json"
	"time"
)

// SentMessage is a webhook message as Aspect's API tells it. Its format is not
// documented: fields that were not found are empty, and Raw has everything.
type SentMessage struct {
	ID        string // msg_…, the svix-id of its deliveries
	EventType string
	EventID   string
	Status    string // as in SentAttempt; not in all lists
	Time      time.Time
	Raw       json.RawMessage
}

// SentAttempt is one try to deliver a message; see [SentMessage].
type SentAttempt struct {
	ID           string // atmpt_…
	MessageID    string
	EndpointID   string
	EventType    string
	URL          string
	Status       string // success, pending, fail, sending, canceled, or as it came
	ResponseCode int    // 0: no answer, or unknown
	Time         time.Time
	Raw          json.RawMessage
}

// Queue is the state of the forwarding to one of the user's handlers. It counts
// messages, not attempts.
type Queue struct {
	To string // the handler's URL without credentials

	Waiting  int // for their first try
	InFlight int
	Retrying int       // after a failed attempt
	NextTry  time.Time // when the first of those is retried; zero if there are none
	More     bool      // the journal holds further messages that were not read yet

	// What became of messages in this run.
	Delivered, Failed, GaveUp int
}

// Left is how many messages that were read from the journal are not settled.
func (q *Queue) Left() int { return q.Waiting + q.InFlight + q.Retrying }
