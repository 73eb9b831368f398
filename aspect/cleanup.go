package aspect

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// CleanupError means that our endpoint could not be deleted. It says how to do so
// by hand.
type CleanupError struct {
	EndpointID string
	URL        string // where the endpoint points
	Command    string // deletes it with aspectop
	Curl       string // deletes it with curl and $ASPECT_API_KEY
	Err        error
}

func (e *CleanupError) Error() string {
	return fmt.Sprintf("webhook endpoint %q (%s) is still registered: %v; the next run will try again; to delete it now, run: %s, or: %s",
		e.EndpointID, e.URL, e.Err, e.Command, e.Curl)
}

// Left is the error of a program that ends before it could delete the endpoint.
func (g *Registration) Left() *CleanupError {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.client.cleanupError(g.lease, errors.New("aspectop ended before it was deleted"))
}

func (e *CleanupError) Unwrap() error { return e.Err }

func (c *Client) cleanupError(l lease, err error) *CleanupError {
	command := "aspectop endpoints delete " + shellWord(l.EndpointID)
	if c.base != DefaultURL {
		command = "ASPECT_URL=" + shellWord(c.base) + " " + command
	}
	return &CleanupError{
		EndpointID: l.EndpointID,
		URL:        l.Endpoint.URL,
		Command:    command,
		Curl: `curl -X DELETE -H "Authorization: Bearer $ASPECT_API_KEY" ` +
			shellWord(c.base+"/webhooks/endpoints/"+url.PathEscape(l.EndpointID)),
		Err: err,
	}
}

// shellWord quotes s for a POSIX shell if necessary: ids come from a server.
func shellWord(s string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:%@+,"
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// LostAnswerError means that an endpoint may have been created with an unknown id.
// Aspect's API cannot list endpoints.
type LostAnswerError struct {
	Description string // as shown in the dashboard
	Nonce       string
	URL         string
	Err         error
}

func (e *LostAnswerError) Error() string {
	return fmt.Sprintf("a webhook endpoint for %s may have been created, but the answer was lost (%v): %s", e.URL, e.Err, lookFor(e.Description))
}

func (e *LostAnswerError) Unwrap() error { return e.Err }

func lookFor(description string) string {
	return fmt.Sprintf("look in Aspect's dashboard for an endpoint described as %q and delete it", description)
}

// String tells the user what was found, what happened to it, and what to do.
func (f Finding) String() string {
	left := fmt.Sprintf("webhook endpoint %q from an earlier run", f.EndpointID)
	var s string
	switch f.Outcome {
	case Repointed:
		return left + " now points to " + f.URL
	case Deleted:
		s = left + " was deleted"
	case Gone:
		s = left + " had already been deleted"
	case Kept:
		return left + " was kept and still exists; to delete it, run: aspectop endpoints delete " + shellWord(f.EndpointID)
	case Foreign:
		return fmt.Sprintf("%s belongs to another API key or address (%s) and was not changed: run aspectop with that key, or delete the endpoint in Aspect's dashboard and then the file %s", left, f.APIURL, f.Path)
	case Unanswered:
		return fmt.Sprintf("an earlier run asked %s at %s for a webhook endpoint for %s but got no answer, so it may exist: %s",
			f.APIURL, f.Created.Local().Format(time.DateTime), f.URL, lookFor(f.Description))
	case Unreadable:
		return fmt.Sprintf("cannot read the lease of a webhook endpoint: %v: look in Aspect's dashboard for an endpoint whose description contains the nonce %s, delete it, and then the file", f.Err, f.Nonce)
	default:
		return f.Err.Error()
	}
	if f.Err != nil {
		s += fmt.Sprintf("; its lease could not be removed: %v", f.Err)
	}
	return s
}
