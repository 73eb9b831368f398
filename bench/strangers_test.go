//go:build linux

package bench

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"aspectop/receiver"
)

const (
	strangerCount = 3_000           // connections that strangers hold
	reconnecting  = 5 * time.Second // after one of them was closed
	forgedRate    = 10_000
	goodRate      = 120 // deliveries a second meanwhile
	goodTime      = 5 * time.Second
)

// nuisances are what strangers do while deliveries come.
var nuisances = []struct {
	name string
	do   func(ctx context.Context, addr string) error
}{
	{"nobody else", func(context.Context, string) error { return nil }},
	{"3,000 idle connections", hold("", "")},
	{"3,000 slow headers", hold("POST /webhooks/aspect HTTP/1.1\r\nHost: x\r\nsvix-", "x")},
	{"3,000 slow bodies", hold("POST /webhooks/aspect HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n", "x")},
	{"10,000 forged deliveries a second", forge},
}

// BenchmarkStrangers prints what good deliveries wait, and what memory aspectop
// takes, while strangers do their worst. The goal is that none waits 2 s.
func BenchmarkStrangers(b *testing.B) {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Cur < strangerCount+200 {
		b.Skipf("%d open files are allowed, which are too few (%v)", files.Cur, err)
	}
	for b.Loop() {
		out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.Debug)
		fmt.Fprintf(out, "\n%d good deliveries a second, and\tp50 ms\tp99 ms\tmost ms\tMiB\t\n", goodRate)
		for _, n := range nuisances {
			waits, memory := waitAmong(b, n.do)
			slices.Sort(waits)
			fmt.Fprintf(out, "%s\t%.2f\t%.2f\t%.0f\t%d\t\n", n.name, waits[len(waits)/2].Seconds()*1e3,
				waits[len(waits)*99/100].Seconds()*1e3, waits[len(waits)-1].Seconds()*1e3, memory>>20)
		}
		out.Flush()
	}
	b.ReportMetric(0, "ns/op")
}

// waitAmong posts good deliveries, each on a connection of its own as a sender
// that comes anew does, and returns how long each waited from when it was due, and
// the most memory that the program had.
func waitAmong(b *testing.B, nuisance func(context.Context, string) error) (waits []time.Duration, memory int) {
	p := startWatch(b, withoutScreen)
	defer p.stop(b)
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error)
	go func() { ended <- nuisance(ctx, p.receiver) }()
	mail := sign(int(goodTime.Seconds()*goodRate), 10)
	var all sync.WaitGroup
	var mu sync.Mutex
	begin := time.Now().Add(time.Second) // until the strangers are there
	for i, request := range mail {
		due := begin.Add(time.Duration(i) * time.Second / goodRate)
		time.Sleep(time.Until(due))
		if i%goodRate == 0 {
			memory = max(memory, memoryOf(b, p.pid()))
		}
		all.Go(func() {
			if err := postAlone(p.receiver, request); err != nil {
				b.Errorf("a good delivery: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			waits = append(waits, time.Since(due))
		})
	}
	all.Wait()
	cancel()
	if err := <-ended; err != nil {
		b.Error(err)
	}
	return waits, memory
}

// postAlone posts one request, and again when its connection had to make room, as
// Svix would.
func postAlone(addr string, request []byte) (err error) {
	for range 3 {
		var c *connection
		if c, err = dial(addr); err != nil {
			continue
		}
		if _, err = c.Write(request); err == nil {
			err = c.acknowledged()
		}
		c.Close()
		if err == nil {
			return nil
		}
	}
	return err
}

// hold opens connections that say something first and then go on bit by bit, and
// opens them again when they are closed.
func hold(first, then string) func(context.Context, string) error {
	return func(ctx context.Context, addr string) error {
		var all sync.WaitGroup
		for range strangerCount {
			all.Go(func() {
				for ctx.Err() == nil {
					holdOne(ctx, addr, first, then)
				}
			})
		}
		all.Wait()
		return nil
	}
}

func holdOne(ctx context.Context, addr, first, then string) {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err == nil {
		defer c.Close()
		_, err = c.Write([]byte(first))
	}
	for ; err == nil; _, err = c.Write([]byte(then)) {
		// What the other end closes is seen by reading.
		c.SetReadDeadline(time.Now().Add(time.Second))
		if _, gone := c.Read(make([]byte, 1)); gone != nil && !os.IsTimeout(gone) || ctx.Err() != nil {
			break
		}
	}
	select {
	case <-time.After(reconnecting):
	case <-ctx.Done():
	}
}

// forge posts deliveries that another secret signed.
func forge(ctx context.Context, addr string) error {
	c, err := dial(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	go discard(c)
	mail := signFrom(receiver.NewSecret("other"), 0, 10_000, 10)
	begin := time.Now()
	for i := 0; ctx.Err() == nil; i++ {
		if i%10 == 0 {
			time.Sleep(time.Until(begin.Add(time.Duration(i) * time.Second / forgedRate)))
		}
		if _, err := c.Write(mail[i%len(mail)]); err != nil {
			return fmt.Errorf("after %d forged deliveries: %w", i, err)
		}
	}
	return nil
}

func discard(c net.Conn) {
	answers := make([]byte, 64<<10)
	for {
		if _, err := c.Read(answers); err != nil {
			return
		}
	}
}
