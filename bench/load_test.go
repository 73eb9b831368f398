//go:build linux

package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// load posts the requests, rate a second or as fast as it goes if that is 0, and
// returns how long each waited for its 204.
func load(addr string, mail [][]byte, connections, rate int) ([]time.Duration, error) {
	if rate == 0 {
		return closedLoop(addr, mail, connections)
	}
	return openLoop(addr, mail, connections, rate)
}

// closedLoop shares the requests among so many keep-alive connections, each of
// which sends the next one when the last is answered.
func closedLoop(addr string, mail [][]byte, connections int) (waits []time.Duration, err error) {
	var all sync.WaitGroup
	var mu sync.Mutex
	for share := range slices.Chunk(mail, (len(mail)+connections-1)/connections) {
		all.Go(func() {
			own, failed := postInTurn(addr, share)
			mu.Lock()
			defer mu.Unlock()
			waits = append(waits, own...)
			if failed != nil {
				err = failed
			}
		})
	}
	all.Wait()
	return waits, err
}

func postInTurn(addr string, mail [][]byte) (waits []time.Duration, err error) {
	c, err := dial(addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	waits = make([]time.Duration, 0, len(mail))
	for _, request := range mail {
		begin := time.Now()
		if _, err := c.Write(request); err != nil {
			return waits, err
		}
		if err := c.acknowledged(); err != nil {
			return waits, err
		}
		waits = append(waits, time.Since(begin))
	}
	return waits, nil
}

// openLoop posts each request when it is due, rate a second, whether those before
// it are answered or not. A wait begins when the request was due, so one that had
// to queue counts.
func openLoop(addr string, mail [][]byte, connections, rate int) (waits []time.Duration, err error) {
	conns := make([]*connection, connections)
	due := make([]chan time.Time, connections) // of what was sent on each
	for i := range conns {
		if conns[i], err = dial(addr); err != nil {
			return nil, err
		}
		defer conns[i].Close()
		due[i] = make(chan time.Time, len(mail)/connections+1)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	for i, c := range conns {
		all.Go(func() {
			var own []time.Duration
			var failed error
			for at := range due[i] {
				if failed = c.acknowledged(); failed != nil {
					break
				}
				own = append(own, time.Since(at))
			}
			mu.Lock()
			defer mu.Unlock()
			waits = append(waits, own...)
			if failed != nil {
				err = failed
			}
		})
	}
	var failed error
	begin := time.Now()
	runtime.LockOSThread() // Go's own timers are a millisecond late at times
	for i, request := range mail {
		at := begin.Add(time.Duration(i) * time.Second / time.Duration(rate))
		sleepUntil(at)
		due[i%connections] <- at
		if _, failed = conns[i%connections].Write(request); failed != nil {
			break
		}
	}
	runtime.UnlockOSThread()
	for _, d := range due {
		close(d)
	}
	all.Wait()
	if failed != nil {
		err = failed
	}
	return waits, err
}

func sleepUntil(at time.Time) {
	for {
		left := time.Until(at)
		if left <= 0 {
			return
		}
		t := unix.NsecToTimespec(int64(left))
		_ = unix.Nanosleep(&t, nil) // after a signal it is called again
	}
}

// connection is one to a server, with what it answers.
type connection struct {
	net.Conn
	in *bufio.Reader
}

func dial(addr string) (*connection, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return nil, err
	}
	return &connection{c, bufio.NewReader(c)}, nil
}

// acknowledged reads one answer, and returns an error if it is no 204.
func (c *connection) acknowledged() error {
	status, err := c.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 204 ")) {
		return fmt.Errorf("answered %q", status)
	}
	for line := status; len(line) > 2; { // a 204 ends with its header
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return err
		}
	}
	return nil
}
