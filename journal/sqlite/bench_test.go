package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

// typical is a delivery of the size that Aspect sends through a tunnel.
func typical(n int) *model.Delivery {
	task := fmt.Sprintf("2e1c7e42-4f8d-4e10-8d7a-%012x", n/8)
	d := delivery(fmt.Sprintf("msg_2nAbCdEfGhIjKlMnOpQrS%06x", n), `{"timestamp":"2026-11-23T12:00:00.123456Z","user_id":"3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111","event_id":"8b7a2e8f-3a1c-4ff9-9f5e-4b8e0a9ee000","event_type":"task.progress","data":{"task":{"id":"`+task+`","asset_id":"c4b6b5f1-6a2d-4d75-9a90-1f6f4a0a2222","features":{"transcription":{"state":"processing"},"visual":{"state":"queued"},"preview":{"state":"completed"},"proxy":{"state":"na"}},"user_id":"3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111","created":"2026-11-23T11:55:00.123456Z","updated":"2026-11-23T12:00:00.123456Z"}}}`)
	d.Header = map[string][]string{
		"Accept":            {"*/*"},
		"Accept-Encoding":   {"gzip, br"},
		"Cdn-Loop":          {"cloudflare; loops=1; subreqs=1"},
		"Cf-Connecting-Ip":  {"44.228.126.217"},
		"Cf-Ipcountry":      {"US"},
		"Cf-Ray":            {"8f1e2d3c4b5a6978-IAD"},
		"Cf-Visitor":        {`{"scheme":"https"}`},
		"Content-Length":    {"551"},
		"Content-Type":      {"application/json"},
		"Svix-Id":           {d.ID},
		"Svix-Signature":    {"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
		"Svix-Timestamp":    {"1795435200"},
		"User-Agent":        {"Svix-Webhooks/1.42 (sender-9YMgn; +https://www.svix.com/http-sender/)"},
		"X-Forwarded-For":   {"44.228.126.217"},
		"X-Forwarded-Proto": {"https"},
	}
	return d
}

// rawSize is what the sender sent of it: body, and headers as lines.
func rawSize(d *model.Delivery) int {
	n := len(d.Body)
	for name, values := range d.Header {
		for _, v := range values {
			n += len(name) + len(v) + len(": \r\n")
		}
	}
	return n
}

func BenchmarkAppend(b *testing.B) {
	for _, goroutines := range []int{1, 64} {
		b.Run(fmt.Sprint(goroutines), func(b *testing.B) {
			path := newPath(b)
			j := mustOpen(b, path, journal.Options{})
			deliveries := make([]*model.Delivery, b.N)
			raw := 0
			for i := range deliveries {
				deliveries[i] = typical(i)
				raw += rawSize(deliveries[i])
			}
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for g := range goroutines {
				wg.Go(func() {
					for i := g; i < b.N; i += goroutines {
						if err := j.Append(context.Background(), deliveries[i]); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
			wal, err := os.Stat(path + "-wal")
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(wal.Size())/(1<<20), "MiB-log")
			if err := j.Close(); err != nil {
				b.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(info.Size()-int64(raw))/float64(b.N), "B-overhead/op")
			b.ReportMetric(float64(raw)/float64(b.N), "B-raw/op")
		})
	}
}

const benchRows = 100_000

// filledPath makes a journal of benchRows deliveries.
func filledPath(b *testing.B) string {
	b.Helper()
	path := newPath(b)
	j, err := open(path, journal.Options{}, "synchronous(OFF)")
	if err != nil {
		b.Fatal(err)
	}
	go j.keep()
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			for i := g; i < benchRows; i += 64 {
				if err := j.Append(context.Background(), typical(i)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

func BenchmarkAfter(b *testing.B) {
	for _, headers := range []bool{true, false} {
		b.Run(fmt.Sprintf("headers=%v", headers), func(b *testing.B) {
			r := mustRead(b, filledPath(b))
			if !headers {
				r.OmitHeader()
			}
			b.ReportAllocs()
			rows := 0
			for b.Loop() {
				rows += len(all(b, r))
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkChanged(b *testing.B) {
	r := mustRead(b, filledPath(b))
	for b.Loop() {
		if _, err := r.changed(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

// Until the first Append could go on: that is when the ids are read.
func BenchmarkOpen(b *testing.B) {
	path := filledPath(b)
	var ready time.Duration
	for b.Loop() {
		start := time.Now()
		j, err := Open(path, journal.Options{})
		if err != nil {
			b.Fatal(err)
		}
		ready += time.Since(start)
		j.writing.Lock() // free when the ids are read
		err = j.loadErr
		j.writing.Unlock()
		if err := errors.Join(err, j.Close()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(ready.Seconds()*1e3/float64(b.N), "ms-open")
}

func BenchmarkHeader(b *testing.B) {
	d := typical(1)
	text := string(journal.AppendHeader(nil, d.Header, d.ID))
	b.Run("append", func(b *testing.B) {
		var room []byte
		b.ReportAllocs()
		for b.Loop() {
			room = journal.AppendHeader(room[:0], d.Header, d.ID)
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := journal.ParseHeader(text, d.ID); err != nil {
				b.Fatal(err)
			}
		}
	})
}
