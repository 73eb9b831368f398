package tunnel

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// postTimeout is how long the receiver may take to answer.
	postTimeout = 30 * time.Second
	// postAnswer is the maximum size of its answer, in bytes.
	postAnswer = 1 << 20
)

// event is a request to the public URL, with one value per header.
type event struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
	Body    []byte            `json:"body"` // base64 in JSON
}

// reply is the answer to an event.
type reply struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    []byte            `json:"body"`
}

func readEvent(text []byte) (e event, err error) {
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		return e, err
	}
	if m.Type != "event" {
		return e, errors.New("no event")
	}
	return e, json.Unmarshal(m.Data, &e)
}

// newPoster returns a client that does not modify requests and answers.
func newPoster() *http.Client {
	return &http.Client{
		Timeout: postTimeout,
		Transport: &http.Transport{
			DisableCompression:  true,
			MaxIdleConnsPerHost: relayAtOnce,
			IdleConnTimeout:     5 * time.Second, // before the receiver closes it
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// perHop are the headers of the connection, not of the request.
var perHop = [...]string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length",
}

// post posts an event to the receiver and returns its answer: 502 if there is none, so
// that the sender retries.
func (r *relay) post(ctx context.Context, e event) reply {
	failed := reply{ID: e.ID, Status: http.StatusBadGateway, Headers: map[string]string{}, Body: []byte{}}
	req, err := http.NewRequestWithContext(ctx, e.Method, r.target, bytes.NewReader(e.Body))
	if err != nil {
		return failed
	}
	for name, value := range e.Headers {
		req.Header.Set(name, value)
	}
	req.Host = req.Header.Get("Host")
	for _, name := range perHop {
		req.Header.Del(name)
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "") // or net/http adds its own
	}
	res, err := r.poster.Do(req)
	if err != nil {
		return failed
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, postAnswer))
	if err != nil {
		return failed
	}
	answer := reply{ID: e.ID, Status: res.StatusCode, Headers: map[string]string{}, Body: body}
	for name, values := range res.Header {
		answer.Headers[name] = strings.Join(values, ", ")
	}
	for _, name := range perHop {
		delete(answer.Headers, name)
	}
	return answer
}
