package aspect

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"aspectop/clean"
)

// EndpointSpec are the settings of a webhook endpoint.
type EndpointSpec struct {
	URL         string   `json:"url"` // where Svix posts
	Description string   `json:"description"`
	EventTypes  []string `json:"event_types"`        // empty: all task events
	RateLimit   int      `json:"rate_limit"`         // deliveries a second (Svix's unit; Aspect names none); 0: 120, as on Aspect's page
	Version     int      `json:"version"`            // 0: 1, the only one documented
	Disabled    bool     `json:"disabled,omitempty"` // only for updates: a new endpoint is enabled
}

func (s EndpointSpec) withDefaults() EndpointSpec {
	s.RateLimit, s.Version = cmp.Or(s.RateLimit, 120), cmp.Or(s.Version, 1)
	return s
}

// Endpoint is a webhook endpoint.
type Endpoint struct {
	ID string
	EndpointSpec
	Created, Updated time.Time
	Raw              json.RawMessage // without the secret
	Notice           string          // what is odd about the answer, "" if nothing is

	uid string // the user's own id for it
}

// Created is a new endpoint with its secret, which no other call returns.
type Created struct {
	Endpoint Endpoint
	Secret   Credential
}

// AllTaskEvents means all task events. Aspect documents it only for creation, so an
// update sends the individual names.
const AllTaskEvents = "task.*"

var taskEvents = []string{"task.progress", "task.completed", "task.failed"}

// CreateEndpoint creates an endpoint. If ctx ends during the request, it waits up to
// 5 seconds for the answer. After an error for which [Undone] is false, the endpoint
// may exist, recognizable only by its description; a [Registrar] handles that.
func (c *Client) CreateEndpoint(ctx context.Context, spec EndpointSpec) (Created, error) {
	if err := checkTarget(spec.URL); err != nil {
		return Created{}, err
	}
	sent := spec.withDefaults()
	sent.Disabled = false
	if len(sent.EventTypes) == 0 {
		sent.EventTypes = []string{AllTaskEvents}
	}
	answer, err := c.do(ctx, call{method: http.MethodPost, path: "/webhooks/endpoints", body: sent})
	if err != nil {
		return Created{}, err
	}
	o, ok := objectOf(answer)
	if !ok {
		return Created{}, errors.New("POST /webhooks/endpoints: unreadable answer: an endpoint may have been created; look for it in Aspect's dashboard")
	}
	inner, _ := o.object("endpoint")
	created := Created{
		Endpoint: endpointOf(o, answer, spec),
		Secret:   NewCredential(cmp.Or(o.text("secret"), inner.text("secret"))),
	}
	if created.Endpoint.ID == "" {
		return created, errors.New("POST /webhooks/endpoints: the answer contains no endpoint id: an endpoint may have been created; look for it in Aspect's dashboard")
	}
	return created, nil
}

// unlike says how an endpoint that was created differs from what was asked for, so
// that it may receive nothing; "" if it does not.
func (e Endpoint) unlike(spec EndpointSpec) string {
	switch {
	case e.Disabled:
		return "it is disabled, so Svix delivers nothing: enable it in Aspect's dashboard"
	case e.URL != spec.URL:
		return "it points to " + clean.URL(e.URL) + " instead of " + clean.URL(spec.URL)
	case len(e.EventTypes) == 0:
		return "it receives no types of events"
	}
	return ""
}

// put sets all six fields of an endpoint. The format of the answer is not documented;
// fields that are missing in it are returned as set. If its ID is not id, the server had
// no endpoint with that id and created one: at Svix a PUT is an upsert.
func (c *Client) put(ctx context.Context, id string, spec EndpointSpec) (e Endpoint, did outcome, err error) {
	spec = spec.withDefaults()
	if len(spec.EventTypes) == 0 || slices.Contains(spec.EventTypes, AllTaskEvents) {
		spec.EventTypes = taskEvents
	}
	o, answer, err := c.change(ctx, call{method: http.MethodPut, outcome: &did, body: struct {
		EndpointSpec
		Disabled bool `json:"disabled"` // also if false
	}{spec, spec.Disabled}}, id)
	if err != nil {
		return Endpoint{}, did, err
	}
	e = endpointOf(o, answer, spec)
	if e.ID == "" || e.uid == id { // Svix takes either in the path
		e.ID = id
	}
	return e, did, nil
}

// DeleteEndpoint deletes an endpoint and the deliveries that Svix would still retry.
// If it does not exist, the error matches [ErrNotFound].
func (c *Client) DeleteEndpoint(ctx context.Context, id string) error {
	_, _, err := c.change(ctx, call{method: http.MethodDelete}, id)
	return err
}

// change updates or deletes an endpoint. Its answer is an object, or nothing: a page of
// a proxy or of another server does not say that anything was changed.
func (c *Client) change(ctx context.Context, r call, id string) (o object, answer []byte, err error) {
	if r.path, err = pathOf("/webhooks/endpoints/", id); err != nil {
		return nil, nil, err
	}
	if answer, err = c.do(ctx, r); err != nil {
		return nil, nil, err
	}
	o, isObject := objectOf(answer)
	nothing := slices.Contains([]string{"", "null"}, string(bytes.TrimSpace(answer)))
	switch success := string(o["success"]); {
	case success == "false":
		err = fmt.Errorf("%s %s: Aspect reported a failure: try again", r.method, r.path)
	case !isObject && !nothing, isObject && r.method == http.MethodDelete && success != "true":
		err = fmt.Errorf("%s %s: the answer is not one of Aspect's, so probably nothing was changed: check ASPECT_URL, and whether there is a proxy in between", r.method, r.path)
	}
	return o, answer, err
}

// endpointOf parses an endpoint, which may be wrapped in a member called endpoint; sent
// supplies missing fields.
func endpointOf(o object, raw json.RawMessage, sent EndpointSpec) Endpoint {
	if inner, ok := o.object("endpoint"); ok {
		o, raw = inner, o["endpoint"]
	}
	e := Endpoint{ID: o.text("id"), EndpointSpec: sent, Created: o.time("created_at"), Updated: o.time("updated_at"), Raw: noLogin(withoutSecret(raw)), uid: o.text("uid")}
	e.URL, e.Description = cmp.Or(o.text("url"), e.URL), cmp.Or(o.text("description"), e.Description)
	var types []string
	if json.Unmarshal(o["eventtypes"], &types) == nil && types != nil {
		e.EventTypes = types
	}
	if n := o.number("rate_limit"); n > 0 {
		e.RateLimit = n
	}
	if n := o.number("version"); n > 0 {
		e.Version = n
	}
	if s := o.text("disabled"); s != "" {
		e.Disabled = s == "true"
	}
	return e
}

func withoutSecret(raw json.RawMessage) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members["secret"] == nil {
		return raw
	}
	delete(members, "secret")
	b, _ := json.Marshal(members) // decoded a line above
	return b
}

func checkTarget(target string) error {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("an endpoint needs a public URL that begins with https:// or http:// and a host")
	}
	return nil
}

// pathOf appends an id to a path as a single segment.
func pathOf(before, id string) (string, error) {
	if id == "" || id == "." || id == ".." {
		return "", fmt.Errorf("%q is not a valid id", id)
	}
	return before + url.PathEscape(id), nil
}
