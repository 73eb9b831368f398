//go:build unix

package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"aspectop/receiver"
)

// sign makes n requests of the size and with the headers that Svix sends, each
// a message of its own, so that the load costs the generator next to nothing.
func sign(n int) [][]byte { return signTasks(n, 10) }

// signTasks makes as many of each task as perTask says.
func signTasks(n, perTask int) [][]byte {
	secrets, err := receiver.ParseSecrets(secret)
	if err != nil {
		panic(err)
	}
	now := time.Now()
	mail := make([][]byte, n)
	for i := range mail {
		body := fmt.Sprintf(`{"timestamp":"2026-11-23T12:00:00.123456Z","user_id":"5f0c6f0e-6f0a-4f62-9d8e-1c6b3a2d4e5f",`+
			`"event_id":"00000000-0000-4000-8000-%012d","event_type":"task.progress","data":{"task":{`+
			`"id":"11111111-0000-4000-8000-%012d","asset_id":"22222222-0000-4000-8000-%012d","features":{`+
			`"proxy":{"state":"completed"},"preview":{"state":"completed"},"visual":{"state":"processing"},`+
			`"transcription":{"state":"queued"}},"user_id":"5f0c6f0e-6f0a-4f62-9d8e-1c6b3a2d4e5f",`+
			`"created":"2026-11-23T11:59:00.123456Z","updated":"2026-11-23T12:00:00.%06dZ"}}}`, i, i/perTask, i/perTask, i%1e6)
		id := fmt.Sprintf("msg_%027d", i)
		mail[i] = fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:8787\r\ncontent-type: application/json\r\naccept: */*\r\n"+
			"user-agent: Svix-Webhooks/1.84.0 (sender-9YMgn; +https://www.svix.com/http-sender/)\r\n"+
			"svix-id: %s\r\nsvix-timestamp: %d\r\nsvix-signature: %s\r\ncontent-length: %d\r\n\r\n%s",
			receiver.DefaultPath, id, now.Unix(), secrets[0].Sign(id, now, []byte(body)), len(body), body)
	}
	return mail
}

// post shares the requests among so many keep-alive connections, each of which
// sends the next one when the last is answered, and returns how long each
// waited for its 204.
func post(addr string, mail [][]byte, connections int) (waits []time.Duration, err error) {
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
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return nil, err
	}
	in := bufio.NewReader(conn)
	waits = make([]time.Duration, 0, len(mail))
	for _, request := range mail {
		begin := time.Now()
		if _, err := conn.Write(request); err != nil {
			return waits, err
		}
		status, err := in.ReadSlice('\n')
		if err != nil {
			return waits, err
		}
		if !bytes.HasPrefix(status, []byte("HTTP/1.1 204 ")) {
			return waits, fmt.Errorf("answered %q", status)
		}
		for line := status; len(line) > 2; { // a 204 ends with its header
			if line, err = in.ReadSlice('\n'); err != nil {
				return waits, err
			}
		}
		waits = append(waits, time.Since(begin))
	}
	return waits, nil
}

// syncCost is the median time that appending one delivery to a file and
// syncing it takes.
func syncCost(b *testing.B, dir string) time.Duration {
	b.Helper()
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	record := make([]byte, 1024)
	costs := make([]time.Duration, 201)
	for i := range costs {
		begin := time.Now()
		if _, err := f.Write(record); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		costs[i] = time.Since(begin)
	}
	slices.Sort(costs)
	return costs[len(costs)/2]
}
