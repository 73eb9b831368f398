package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aspectop/aspect"
)

func newEndpoints() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "endpoints create|update|delete",
		Short: "Create, update and delete webhook endpoints at Aspect",
		Long: `endpoints changes the webhook endpoints of the account. It needs an API key in
` + keyVariable + `. Aspect's API has no list of endpoints: keep the id that create
tells, or look in Aspect's dashboard.

A watch registers an endpoint of its own and deletes it again; this is for those
that are to stay.`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			return usageError("say what to do: aspectop endpoints create, update or delete")
		},
	}
	cmd.AddCommand(newEndpointCreate(), newEndpointUpdate(), newEndpointDelete())
	return cmd
}

// endpointFlags are the flags of create and update.
type endpointFlags struct {
	accountFlags
	url         string
	description string
	eventTypes  []string
	rateLimit   int

	secretOut  string // of create
	showSecret bool

	enable, disable bool // of update
}

func (e *endpointFlags) flags(f *pflag.FlagSet) {
	f.SortFlags = false
	f.StringVar(&e.url, "url", "", "`URL` that Svix posts to; it must be reachable from the internet")
	f.StringVar(&e.description, "description", "", "`text` by which the dashboard shows it")
	f.StringArrayVar(&e.eventTypes, "event-type", nil, "`type` of events it gets, such as task.failed; repeatable; task.* are all")
	f.IntVar(&e.rateLimit, "rate-limit", 120, "how many deliveries a second at most")
}

// spec checks what both commands take.
func (e *endpointFlags) spec() (aspect.EndpointSpec, error) {
	u, err := url.Parse(e.url)
	switch {
	case e.url == "":
		return aspect.EndpointSpec{}, usageError("--url is missing: where Svix is to post, such as https://example.com/webhooks/aspect")
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return aspect.EndpointSpec{}, usageError("--url has to begin with https:// or http:// and a host")
	case e.rateLimit < 1:
		return aspect.EndpointSpec{}, usageError("--rate-limit %d: one delivery a second is the least", e.rateLimit)
	}
	return aspect.EndpointSpec{
		URL: e.url, Description: e.description, EventTypes: e.eventTypes, RateLimit: e.rateLimit, Disabled: e.disable,
	}, nil
}

// endpointLine is an endpoint for programs.
type endpointLine struct {
	head
	ID          string          `json:"id"`
	URL         string          `json:"url"`
	Description string          `json:"description"`
	EventTypes  []string        `json:"event_types"`
	RateLimit   int             `json:"rate_limit"`
	Disabled    bool            `json:"disabled"`
	Created     instant         `json:"created"`
	Updated     instant         `json:"updated"`
	Secret      *string         `json:"secret"`
	SecretFile  *string         `json:"secret_file"`
	Raw         json.RawMessage `json:"raw"`
}

func lineOf(e aspect.Endpoint) endpointLine {
	line := endpointLine{
		head: headOf("endpoint"), ID: e.ID, URL: e.URL, Description: e.Description, EventTypes: e.EventTypes,
		RateLimit: e.RateLimit, Disabled: e.Disabled, Created: instant(e.Created), Updated: instant(e.Updated), Raw: e.Raw,
	}
	if len(line.Raw) == 0 {
		line.Raw = json.RawMessage("null")
	}
	return line
}

// endpointWords tells of an endpoint.
func endpointWords(e aspect.Endpoint) string {
	words := fmt.Sprintf("the webhook endpoint %s: %s to %s, at most %d a second", e.ID, strings.Join(e.EventTypes, ", "), withoutUser(e.URL), e.RateLimit)
	if e.Disabled {
		words += "; it is disabled"
	}
	return words
}

// tell prints the one thing that a command has to tell.
func (a *accountFlags) tell(line any, sentence string) error {
	if a.json {
		return writeLines(line)
	}
	return writeSentence(sentence)
}

func newEndpointUpdate() *cobra.Command {
	var e endpointFlags
	cmd := &cobra.Command{
		Use:   "update ID --url URL --description TEXT --event-type TYPE --rate-limit N --enable|--disable",
		Short: "Set all that can be set of a webhook endpoint",
		Long: `update sets all fields of a webhook endpoint; its secret stays. Aspect's API takes
all of them at once and has no way to read them, so all have to be given: what is
left out would not stay as it is.`,
		Example: `  aspectop endpoints update ep_123 --url https://example.com/new --description "Prod listener" \
      --event-type 'task.*' --rate-limit 120 --enable`,
		Args: oneEndpoint,
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return e.update(cmd.Context(), cmd.Flags(), args[0]) }
	e.flags(cmd.Flags())
	cmd.Flags().BoolVar(&e.enable, "enable", false, "deliver to it")
	cmd.Flags().BoolVar(&e.disable, "disable", false, "do not deliver to it")
	e.accountFlags.flags(cmd.Flags())
	return cmd
}

// oneEndpoint takes the id of an endpoint.
func oneEndpoint(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return usageError("name the endpoint by its id: %s ep_...", cmd.CommandPath())
	case len(args) > 1:
		return usageError("one endpoint at a time; unexpected argument %q", args[1])
	case args[0] == "":
		return errNoID
	}
	return nil
}

func (e *endpointFlags) update(ctx context.Context, flags *pflag.FlagSet, id string) error {
	var missing []string
	for _, name := range []string{"url", "description", "event-type", "rate-limit"} {
		if !flags.Changed(name) {
			missing = append(missing, "--"+name)
		}
	}
	if e.enable == e.disable {
		missing = append(missing, "one of --enable and --disable")
	}
	if len(missing) > 0 {
		return usageError("an update sets all fields, and the API cannot tell what they are now; also give %s", strings.Join(missing, ", "))
	}
	spec, err := e.spec()
	if err != nil {
		return err
	}
	return e.ask(ctx, func(ctx context.Context, c *aspect.Client) error {
		updated, err := c.UpdateEndpoint(ctx, id, spec)
		if err != nil {
			return err
		}
		return e.tell(lineOf(updated), "updated "+endpointWords(updated))
	})
}

func newEndpointDelete() *cobra.Command {
	var a accountFlags
	cmd := &cobra.Command{
		Use:   "delete ID",
		Short: "Delete a webhook endpoint, and what Svix still wants to retry",
		Long: `delete deletes a webhook endpoint, and with it the deliveries that Svix still wants
to try again. One that is not there counts as deleted.`,
		Args: oneEndpoint,
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.ask(cmd.Context(), func(ctx context.Context, c *aspect.Client) error { return a.deleteEndpoint(ctx, c, args[0]) })
	}
	cmd.Flags().SortFlags = false
	a.flags(cmd.Flags())
	return cmd
}

func (a *accountFlags) deleteEndpoint(ctx context.Context, c *aspect.Client, id string) error {
	line := struct {
		head
		ID   string `json:"id"`
		Gone bool   `json:"gone"` // before
	}{headOf("endpoint_deleted"), id, false}
	sentence := "deleted the webhook endpoint " + id + ", and with it what Svix still wanted to retry"
	err := c.DeleteEndpoint(ctx, id)
	switch {
	case errors.Is(err, aspect.ErrNotFound):
		line.Gone, sentence = true, "this account has no webhook endpoint "+id+": it is gone already"
	case err != nil:
		return err
	}
	return a.tell(line, sentence)
}
