//go:build linux

package bench

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"

	"aspectop/check"
	"aspectop/receiver"
)

// BenchmarkCheck checks a right handler beside as many bare posts: the requests of a check,
// one after the other, each on a connection of its own, and nothing made of their answers.
func BenchmarkCheck(b *testing.B) {
	var recorded []*http.Request // of the first check
	var mu sync.Mutex
	hook, err := svix.NewWebhook(secret)
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		again := r.Clone(b.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		recorded = append(recorded, again)
		mu.Unlock()
		if hook.Verify(body, r.Header) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	checkOnce(b, server.URL)
	posts := slices.Clone(recorded)
	b.Run("nethttp", func(b *testing.B) { beside(b, server.URL, posts) })
	b.Run("express5", func(b *testing.B) {
		if lack := installSample(); lack != nil {
			b.Skip(lack)
		}
		cmd := sampleCommand()
		cmd.Args[1] = "right.mjs"
		stdin, err := cmd.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			b.Fatal(err)
		}
		defer cmd.Wait()
		defer stdin.Close()
		address, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		beside(b, "http://"+strings.TrimSpace(address)+"/webhooks/aspect", posts)
	})
}

// beside takes the median of eleven checks, and of as many times the bare posts, in turn.
func beside(b *testing.B, address string, posts []*http.Request) {
	for range b.N {
		var checks, bare []time.Duration
		for range 11 {
			start := time.Now()
			checkOnce(b, address)
			checks = append(checks, time.Since(start))
			start = time.Now()
			for _, r := range posts {
				postOnce(b, address, r)
			}
			bare = append(bare, time.Since(start))
		}
		slices.Sort(checks)
		slices.Sort(bare)
		b.ReportMetric(float64(checks[5].Microseconds())/1000, "ms/check")
		b.ReportMetric(float64(bare[5].Microseconds())/1000, "ms/bare")
		b.ReportMetric(float64(checks[5])/float64(bare[5]), "ratio")
	}
}

func checkOnce(b *testing.B, address string) {
	b.Helper()
	u, err := url.Parse(address)
	if err != nil {
		b.Fatal(err)
	}
	secrets, err := receiver.ParseSecrets(secret)
	if err != nil {
		b.Fatal(err)
	}
	place, err := check.Resolve(b.Context(), u)
	if err != nil {
		b.Fatal(err)
	}
	if r := check.Run(b.Context(), check.Options{URL: u, Place: place, Secret: secrets[0]}); r.Err != nil || r.Bad() {
		b.Fatalf("%v, found %v", r.Err, r.Findings)
	}
}

func postOnce(b *testing.B, address string, recorded *http.Request) {
	b.Helper()
	body, _ := io.ReadAll(recorded.Body)
	recorded.Body = io.NopCloser(bytes.NewReader(body))
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	r.Header = recorded.Header.Clone()
	t := new(http.Transport)
	defer t.CloseIdleConnections()
	resp, err := t.RoundTrip(r)
	if err != nil {
		b.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}
