package demo

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/model"

	svix "github.com/svix/svix-webhooks/go"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// arrival is one request as a receiver sees it.
type arrival struct {
	after  time.Duration // since the start
	header http.Header
	body   []byte
	ok     bool // the Svix library accepts it
	event  model.Event
}

func (a *arrival) id() string { return a.header.Get("svix-id") }

// recorder is a receiver in memory: it verifies with the Svix library and
// answers 204 or 400, or what answer says.
type recorder struct {
	start  time.Time
	answer func(n int, a arrival) (status int, err error) // nil: 204 if ok, else 400

	mu       sync.Mutex
	arrivals []arrival
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	w, err := svix.NewWebhook(secret)
	if err != nil {
		return nil, err
	}
	a := arrival{after: time.Since(r.start), header: req.Header, body: body, ok: w.Verify(body, req.Header) == nil}
	n := r.add(&a)
	status := http.StatusBadRequest
	if a.ok {
		status = http.StatusNoContent
	}
	if r.answer != nil {
		if status, err = r.answer(n, a); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Request: req}, nil
}

// add keeps the arrival and returns its number, from 1.
func (r *recorder) add(a *arrival) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := int64(len(r.arrivals) + 1)
	a.event = model.Decode(&model.Delivery{Seq: n, Message: n, ID: a.id(), Source: model.SourceWebhook, Received: time.Now(), Body: a.body})
	r.arrivals = append(r.arrivals, *a)
	return int(n)
}

func (r *recorder) sender(t *testing.T) *Sender {
	t.Helper()
	sign := signer(library(t))
	r.start = time.Now()
	return &Sender{URL: "http://receiver.test/webhooks/aspect", Sign: sign, Transport: r}
}

// play runs o in virtual time and returns what arrived.
func play(t *testing.T, o Options) []arrival {
	t.Helper()
	var got []arrival
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		if err := Run(context.Background(), r.sender(t), o); err != nil {
			t.Errorf("Run: %v", err)
		}
		got = r.arrivals
	})
	return got
}

// board folds what arrived as a receiver would: what verifies, each message once.
func board(arrivals []arrival) *model.Board {
	b, seen := model.NewBoard(), map[string]bool{}
	for _, a := range arrivals {
		if a.ok && !seen[a.id()] {
			seen[a.id()] = true
			b.Fold(&a.event)
		}
	}
	return b
}

// until are the arrivals in the first part of a run.
func until(arrivals []arrival, d time.Duration) []arrival {
	n := slices.IndexFunc(arrivals, func(a arrival) bool { return a.after > d })
	if n < 0 {
		return arrivals
	}
	return arrivals[:n]
}
