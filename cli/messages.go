package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aspectop/aspect"
	"aspectop/clean"
	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/cli/terminal"
	"aspectop/jsonl"
)

// defaultLimit is the default of --limit.
const defaultLimit = 50

// unknownID replaces the id of an item whose format is unknown.
const unknownID = "(unknown format; see --json)"

func newMessages() *cobra.Command {
	var (
		a     accountFlags
		limit int
	)
	cmd := &cobra.Command{
		Use:   "messages",
		Short: "List Aspect's recent webhook messages",
		Long: `messages lists the account's recent webhook messages, in Aspect's order. It needs
an API key in ` + settings.KeyVariable + `. A message's id is the svix-id of its deliveries.

The format of Aspect's answer is not documented; --json prints it complete, as raw.`,
		Args: noArguments,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := atLeastOne(limit); err != nil {
			return err
		}
		return a.ask(cmd.Context(), func(ctx context.Context, c *aspect.Client) error { return a.messages(ctx, c, limit) })
	}
	cmd.Flags().IntVar(&limit, "limit", defaultLimit, "maximum number")
	a.flags(cmd.Flags())
	return cmd
}

// messageLine is a message in JSON.
type messageLine struct {
	head
	ID        *string         `json:"id"`
	EventType *string         `json:"event_type"`
	EventID   *string         `json:"event_id"`
	Status    *string         `json:"status"`
	Sent      jsonl.Time      `json:"sent"`
	Raw       json.RawMessage `json:"raw"`
}

func (a *accountFlags) messages(ctx context.Context, c *aspect.Client, limit int) error {
	messages, err := c.Messages(ctx, limit)
	if err != nil {
		return err
	}
	t := terminal.Table{Head: []string{"SENT", "MESSAGE", "TYPE", "STATUS"}}
	lines := make([]any, len(messages))
	for i, m := range messages {
		t.Add(clockTime(m.Time), cmp.Or(m.ID, unknownID), m.EventType, m.Status)
		lines[i] = messageLine{
			headOf("message"), orNull(m.ID), orNull(m.EventType), orNull(m.EventID), orNull(m.Status), jsonl.Time(m.Time), m.Raw,
		}
	}
	return a.show(lines, t, "no messages")
}

// attemptsFlags are the flags of attempts.
type attemptsFlags struct {
	accountFlags
	message, endpoint string
	limit             int
}

func newAttempts() *cobra.Command {
	var a attemptsFlags
	cmd := &cobra.Command{
		Use:   "attempts --message ID | --endpoint ID",
		Short: "List Aspect's attempts to deliver webhooks",
		Long: `attempts lists the attempts to deliver a message, or to deliver to an endpoint, in
Aspect's order. It needs an API key in ` + settings.KeyVariable + `.

The format of Aspect's answer is not documented; --json prints it complete, as raw.`,
		Args: noArguments,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := a.check(); err != nil {
			return err
		}
		return a.ask(cmd.Context(), a.list)
	}
	f := cmd.Flags()
	f.StringVar(&a.message, "message", "", "`id` of a message, msg_...")
	f.StringVar(&a.endpoint, "endpoint", "", "`id` of an endpoint, ep_...")
	f.IntVar(&a.limit, "limit", defaultLimit, "maximum number")
	a.accountFlags.flags(f)
	return cmd
}

// check validates the flags.
func (a *attemptsFlags) check() error {
	switch {
	case a.message == "" && a.endpoint == "":
		return exit.Usage("a message (--message msg_...) or an endpoint (--endpoint ep_...) is required")
	case a.message != "" && a.endpoint != "":
		return exit.Usage("--message and --endpoint cannot be used together")
	}
	return atLeastOne(a.limit)
}

// attemptLine is an attempt in JSON.
type attemptLine struct {
	head
	ID        *string         `json:"id"`
	MessageID *string         `json:"message_id"`
	Endpoint  *string         `json:"endpoint_id"`
	EventType *string         `json:"event_type"`
	URL       *string         `json:"url"`
	Status    *string         `json:"status"`
	Response  *int            `json:"response_status"`
	Tried     jsonl.Time      `json:"tried"`
	Raw       json.RawMessage `json:"raw"`
}

func (a *attemptsFlags) list(ctx context.Context, c *aspect.Client) error {
	list, id := c.AttemptsByMessage, a.message
	if a.endpoint != "" {
		list, id = c.AttemptsByEndpoint, a.endpoint
	}
	attempts, err := list(ctx, id, a.limit)
	if err != nil {
		return err
	}
	t := terminal.Table{Head: []string{"TRIED", "RESULT", "ENDPOINT", "URL"}}
	if a.endpoint != "" {
		t.Head = []string{"TRIED", "RESULT", "MESSAGE", "TYPE"}
	}
	lines := make([]any, len(attempts))
	for i, at := range attempts {
		line := attemptLine{
			headOf("attempt"), orNull(at.ID), orNull(at.MessageID), orNull(at.EndpointID), orNull(at.EventType), orNull(at.URL),
			orNull(at.Status), nil, jsonl.Time(at.Time), at.Raw,
		}
		result := at.Status
		if at.ResponseCode != 0 {
			line.Response = &at.ResponseCode
			result = strings.TrimSpace(result + " " + strconv.Itoa(at.ResponseCode))
		}
		lines[i] = line
		if a.endpoint != "" {
			t.Add(clockTime(at.Time), result, cmp.Or(at.MessageID, unknownID), at.EventType)
		} else {
			t.Add(clockTime(at.Time), result, cmp.Or(at.EndpointID, unknownID), clean.URL(at.URL))
		}
	}
	return a.show(lines, t, "no attempts")
}

// clockTime formats a local time; "" for the zero time.
func clockTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(time.DateTime)
}
