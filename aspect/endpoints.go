package aspect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// EndpointSpec are the settings of a webhook endpoint.
type EndpointSpec struct {
	URL         string // where Svix posts
	Description string
	EventTypes  []string // empty: all task events
	RateLimit   int      // deliveries a second (Svix's unit; Aspect names none); 0: 120, as on Aspect's page
	Version     int      // 0: 1, the only one documented
	Disabled    bool     // only for updates: a new endpoint is enabled
}

// Endpoint is a webhook endpoint.
type Endpoint struct {
	ID string
	EndpointSpec
	Created, Updated time.Time
	Raw              json.RawMessage // without the secret
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

type endpointBody struct {
	URL         string   `json:"url"`
	Description string   `json:"description"`
	EventTypes  []string `json:"event_types"`
	RateLimit   int      `json:"rate_limit"`
	Version     int      `json:"version"`
	Disabled    *bool    `json:"disabled,omitempty"`
}

func (s EndpointSpec) body() endpointBody {
	b := endpointBody{URL: s.URL, Description: s.Description, EventTypes: s.EventTypes, RateLimit: s.RateLimit, Version: s.Version}
	if b.RateLimit == 0 {
		b.RateLimit = 120
	}
	if b.Version == 0 {
		b.Version = 1
	}
	return b
}

// CreateEndpoint creates an endpoint. If ctx ends during the request, it waits up to
// 5 seconds for the answer. After an error for which [Undone] is false, the endpoint
// may exist, recognizable only by its description; a [Registrar] handles that.
func (c *Client) CreateEndpoint(ctx context.Context, spec EndpointSpec) (Created, error) {
	if err := checkTarget(spec.URL); err != nil {
		return Created{}, err
	}
	b := spec.body()
	if len(b.EventTypes) == 0 {
		b.EventTypes = []string{AllTaskEvents}
	}
	r := call{method: http.MethodPost, path: "/webhooks/endpoints", body: b}
	answer, err := c.do(ctx, r)
	if err != nil {
		return Created{}, err
	}
	o, ok := objectOf(answer)
	if !ok {
		return Created{}, errors.New("POST /webhooks/endpoints: unreadable answer: an endpoint may have been created; look for it in Aspect's dashboard")
	}
	raw := o["endpoint"]
	e, nested := objectOf(raw)
	if !nested {
		e, raw = o, answer
	}
	created := Created{
		Endpoint: endpointOf(e, raw, spec),
		Secret:   NewCredential(o.text("secret")),
	}
	if created.Secret.Empty() {
		created.Secret = NewCredential(e.text("secret"))
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
		return "it points to " + e.URL + " instead of " + spec.URL
	case len(e.EventTypes) == 0:
		return "it receives no types of events"
	}
	return ""
}

// UpdateEndpoint sets all six fields of an endpoint. The format of the answer is not
// documented; fields that are missing in it are returned as set.
func (c *Client) UpdateEndpoint(ctx context.Context, id string, spec EndpointSpec) (Endpoint, error) {
	if err := checkTarget(spec.URL); err != nil {
		return Endpoint{}, err
	}
	path, err := pathOf("/webhooks/endpoints/", id, "")
	if err != nil {
		return Endpoint{}, err
	}
	b := spec.body()
	b.EventTypes = expand(b.EventTypes)
	b.Disabled = &spec.Disabled
	answer, err := c.do(ctx, call{method: http.MethodPut, path: path, body: b})
	if err != nil {
		return Endpoint{}, err
	}
	o, err := acknowledged(http.MethodPut, path, answer)
	if err != nil {
		return Endpoint{}, err
	}
	raw := json.RawMessage(answer)
	if e, ok := o.object("endpoint"); ok {
		raw, o = o["endpoint"], e
	}
	spec.EventTypes, spec.RateLimit, spec.Version = b.EventTypes, b.RateLimit, b.Version
	e := endpointOf(o, raw, spec)
	e.ID = id
	return e, nil
}

// DeleteEndpoint deletes an endpoint and the deliveries that Svix would still retry.
// If it does not exist, the error matches [ErrNotFound].
func (c *Client) DeleteEndpoint(ctx context.Context, id string) error {
	path, err := pathOf("/webhooks/endpoints/", id, "")
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, call{method: http.MethodDelete, path: path})
	if err != nil {
		return err
	}
	o, err := acknowledged(http.MethodDelete, path, answer)
	if err == nil && o != nil && !o.succeeded() {
		err = foreignAnswer(http.MethodDelete, path)
	}
	return err
}

// acknowledged reads the answer to a change: an object, or nothing. A page of a proxy
// or of another server does not say that anything was changed.
func acknowledged(method, path string, answer []byte) (object, error) {
	o, ok := objectOf(answer)
	said := string(bytes.TrimSpace(answer))
	switch {
	case o.failed():
		return nil, fmt.Errorf("%s %s: Aspect reported a failure: try again", method, path)
	case !ok && said != "" && said != "null":
		return nil, foreignAnswer(method, path)
	}
	return o, nil
}

func foreignAnswer(method, path string) error {
	return fmt.Errorf("%s %s: the answer is not one of Aspect's, so probably nothing was changed: check ASPECT_URL, and whether there is a proxy in between", method, path)
}

// endpointOf parses an endpoint; sent supplies fields missing in the answer.
func endpointOf(o object, raw json.RawMessage, sent EndpointSpec) Endpoint {
	e := Endpoint{ID: o.text("id"), EndpointSpec: sent, Created: o.time("created_at"), Updated: o.time("updated_at"), Raw: withoutSecret(raw)}
	if s := o.text("url"); s != "" {
		e.URL = s
	}
	if s := o.text("description"); s != "" {
		e.Description = s
	}
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

func expand(types []string) []string {
	if len(types) == 0 || slices.Contains(types, AllTaskEvents) {
		return taskEvents
	}
	return types
}

func checkTarget(target string) error {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("an endpoint needs a public URL that begins with https:// or http:// and a host")
	}
	return nil
}

// pathOf puts an id into a path as a single segment.
func pathOf(before, id, after string) (string, error) {
	if id == "" || id == "." || id == ".." {
		return "", fmt.Errorf("%q is not a valid id", id)
	}
	return before + url.PathEscape(id) + after, nil
}
