package cli

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aspectop/aspect"
	"aspectop/clean"
	"aspectop/cli/exit"
	"aspectop/cli/settings"
)

const defaultLimit = 50

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
		Args:    noArguments,
		PreRunE: func(*cobra.Command, []string) error { return checkLimit(limit) },
	}
	cmd.Flags().IntVar(&limit, "limit", defaultLimit, "maximum number")
	return a.calls(cmd, func(ctx context.Context, c *aspect.Client, _ []string) error {
		messages, err := c.Messages(ctx, limit)
		if err != nil {
			return err
		}
		l := newList("SENT", "MESSAGE", "TYPE", "STATUS")
		for _, m := range messages {
			o := newLine("message")
			o.TextOrNull("id", m.ID)
			o.TextOrNull("event_type", m.EventType)
			o.TextOrNull("event_id", m.EventID)
			o.TextOrNull("status", m.Status)
			o.Time("sent", m.Time)
			putValue(o, "raw", m.Raw)
			l.add(o, clockTime(m.Time), cmp.Or(m.ID, unknownID), m.EventType, m.Status)
		}
		return l.show(a.json, "no messages")
	})
}

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
		Args:    noArguments,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return a.check(cmd.Flags()) },
	}
	f := cmd.Flags()
	f.StringVar(&a.message, "message", "", "`id` of a message, msg_...")
	f.StringVar(&a.endpoint, "endpoint", "", "`id` of an endpoint, ep_...")
	f.IntVar(&a.limit, "limit", defaultLimit, "maximum number")
	return a.calls(cmd, a.list)
}

func (a *attemptsFlags) check(flags *pflag.FlagSet) error {
	switch {
	case a.message == "" && a.endpoint == "":
		return exit.Usage("a message (--message msg_...) or an endpoint (--endpoint ep_...) is required")
	case a.message != "" && a.endpoint != "" && !settings.Overrides(flags, "message", "endpoint"):
		return exit.Usage("--message and --endpoint cannot be used together")
	}
	return checkLimit(a.limit)
}

func (a *attemptsFlags) list(ctx context.Context, c *aspect.Client, _ []string) error {
	l, read, id := newList("TRIED", "RESULT", "ENDPOINT", "URL"), c.AttemptsByMessage, a.message
	if a.endpoint != "" {
		l, read, id = newList("TRIED", "RESULT", "MESSAGE", "TYPE"), c.AttemptsByEndpoint, a.endpoint
	}
	attempts, err := read(ctx, id, a.limit)
	if err != nil {
		return err
	}
	for _, at := range attempts {
		o := newLine("attempt")
		o.TextOrNull("id", at.ID)
		o.TextOrNull("message_id", at.MessageID)
		o.TextOrNull("endpoint_id", at.EndpointID)
		o.TextOrNull("event_type", at.EventType)
		o.TextOrNull("url", at.URL)
		o.TextOrNull("status", at.Status)
		result := at.Status
		o.NumberOrNull("response_status", int64(at.ResponseCode))
		if at.ResponseCode != 0 {
			result = strings.TrimSpace(result + " " + strconv.Itoa(at.ResponseCode))
		}
		o.TextOrNull("error", at.Reason)
		o.TextOrNull("trigger", at.Trigger)
		o.NumberOrNull("ms", at.Took.Milliseconds())
		o.Time("tried", at.Time)
		putValue(o, "raw", at.Raw)
		if a.endpoint != "" {
			l.add(o, clockTime(at.Time), result, cmp.Or(at.MessageID, unknownID), at.EventType)
		} else {
			l.add(o, clockTime(at.Time), result, cmp.Or(at.EndpointID, unknownID), clean.URL(at.URL))
		}
		l.Note(at.About())
	}
	return l.show(a.json, "no attempts")
}

// clockTime formats a local time; "" for the zero time.
func clockTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(time.DateTime)
}
