package aspect

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// oneAnswer is an API that gives every call the same answer.
type oneAnswer struct {
	status      int
	contentType string
	body        []byte
}

func (a oneAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {a.contentType}}, Body: io.NopCloser(bytes.NewReader(a.body)),
	}, nil
}

// FuzzAnswers checks that no answer makes a call panic or hang, that what is read
// of it is JSON that came, and that no error repeats the key.
func FuzzAnswers(f *testing.F) {
	for _, body := range []string{
		``, `[]`, `{}`, `null`, `{"data":[{"id":"t","features":{}}],"iterator":"i","done":false}`, `{"data":null,"done":true}`,
		`{"tasks":[1,null,{"id":7}]}`, `{"a":[{}],"b":[{}]}`, `{"id":"ep_1","key":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","success":false}`,
		`{"task":{"id":"t"}}`, `{"detail":[{"loc":["body"],"msg":"` + testKey + `"}]}`, `<html>`, `{"attempts":[{"msg":{"id":"m"},"status":2}]}`,
	} {
		f.Add(200, "application/json", []byte(body))
		f.Add(422, "text/html", []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		if status < 200 || status >= 500 || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests {
			return // what is tried again is another test's, and takes seconds
		}
		c, err := New(Config{Key: NewCredential(testKey), HTTP: &http.Client{Transport: oneAnswer{status, contentType, body}}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		inAnswer := func(raw json.RawMessage) {
			if !json.Valid(raw) || !bytes.Contains(c.withoutKey(body), raw) {
				t.Errorf("%q is not what came: %q", raw, body)
			}
		}
		var errs []error
		messages, err := c.Messages(ctx, 10)
		for _, m := range messages {
			inAnswer(m.Raw)
		}
		errs = append(errs, err)
		attempts, err := c.AttemptsByMessage(ctx, "msg_1", 10)
		for _, a := range attempts {
			inAnswer(a.Raw)
		}
		errs = append(errs, err)
		tasks, err := c.ActiveTasks(ctx)
		for _, task := range tasks {
			inAnswer(task.Raw)
		}
		errs = append(errs, err)
		if task, err := c.Task(ctx, "t"); err == nil {
			inAnswer(task.Raw)
		} else {
			errs = append(errs, err)
		}
		_, err = c.Asset(ctx, "a")
		errs = append(errs, err)
		for _, err := range errs {
			if err == nil {
				continue
			}
			if strings.Contains(err.Error(), testKey) {
				t.Errorf("an error holds the key: %v", err)
			}
			if ctx.Err() != nil {
				t.Fatalf("it took too long: %v", err)
			}
		}
	})
}
