//go:build unix

package e2e

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/demo"
	"aspectop/model"
)

// kept are deliveries as a journal hands them out.
type kept []model.Delivery

func (k kept) After(_ context.Context, seq int64, limit int) ([]model.Delivery, error) {
	rest := k[min(int(seq), len(k)):]
	return slices.Clone(rest[:min(limit, len(rest))]), nil
}

func (k kept) Before(_ context.Context, seq int64, limit int) ([]model.Delivery, error) {
	older := slices.Clone(k[:min(int(seq-1), len(k))])
	slices.Reverse(older)
	return older[:min(limit, len(older))], nil
}

func (k kept) Range(context.Context) (first, last int64, err error) {
	return min(1, int64(len(k))), int64(len(k)), nil
}

// keep numbers a delivery and appends it, as a repeat if its id was there before.
func (k *kept) keep(d model.Delivery) {
	d.Seq = int64(len(*k) + 1)
	d.Message, d.Attempt = d.Seq, 1
	for _, before := range *k {
		if before.ID == d.ID {
			d.Message, d.Body = before.Message, nil
			d.Attempt++
		}
	}
	*k = append(*k, d)
}

// played is what the demo delivers in so long, in virtual time, and the moment
// when it ended.
func played(t *testing.T, seed int64, duration time.Duration) (deliveries kept, end time.Time) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), duration)
		defer cancel()
		var mu sync.Mutex
		demo.Run(ctx, &demo.Sender{
			URL:  "http://127.0.0.1:8787/webhooks/aspect",
			Sign: func(id string, _ time.Time, _ []byte) string { return "v1," + id },
			Transport: transport(func(r *http.Request) (*http.Response, error) {
				body, err := io.ReadAll(r.Body)
				id, status := r.Header.Get("Svix-Id"), http.StatusBadRequest
				if r.Header.Get("Svix-Signature") == "v1,"+id {
					status = http.StatusNoContent
					mu.Lock()
					deliveries.keep(model.Delivery{ID: id, Source: model.SourceWebhook, Secret: "default", Received: time.Now().UTC(), Header: r.Header, Body: body})
					mu.Unlock()
				}
				return &http.Response{StatusCode: status, Body: http.NoBody, Request: r, Header: http.Header{}}, err
			}),
		}, demo.Options{Seed: seed})
		end = time.Now().UTC()
	})
	return deliveries, end
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
