//go:build linux

package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"aspectop/receiver"
)

// sign makes n requests of the size and with the headers that Svix sends, each a
// message of its own, perTask of them about each task. They are signed ahead, so
// that the load costs the generator next to nothing.
func sign(n, perTask int) [][]byte {
	return signFrom(known, 0, n, perTask)
}

// known is the secret as a sender has it.
var known = func() receiver.Secret {
	secrets, err := receiver.ParseSecrets(secret)
	if err != nil {
		panic(err)
	}
	return secrets[0]
}()

// signFrom signs messages from the given one on with a secret.
func signFrom(by receiver.Secret, from, n, perTask int) [][]byte {
	now := time.Now()
	mail := make([][]byte, n)
	for at := range mail {
		i := from + at
		mail[at] = signOne(by, fmt.Sprintf("msg_%027d", i), now, body(i, i/perTask))
	}
	return mail
}

// signOne makes a request of one message.
func signOne(by receiver.Secret, id string, now time.Time, text []byte) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:8787\r\ncontent-type: application/json\r\naccept: */*\r\n"+
		"user-agent: Svix-Webhooks/1.84.0 (sender-9YMgn; +https://www.svix.com/http-sender/)\r\n"+
		"svix-id: %s\r\nsvix-timestamp: %d\r\nsvix-signature: %s\r\ncontent-length: %d\r\n\r\n%s",
		receiver.DefaultPath, id, now.Unix(), by.Sign(id, now, text), len(text), text)
}

// body is the body of message i, which tells of the task.
func body(i, task int) []byte {
	return fmt.Appendf(nil, `{"timestamp":"2026-11-23T12:00:00.123456Z","user_id":"5f0c6f0e-6f0a-4f62-9d8e-1c6b3a2d4e5f",`+
		`"event_id":"00000000-0000-4000-8000-%012d","event_type":"task.progress","data":{"task":{`+
		`"id":"11111111-0000-4000-8000-%012d","asset_id":"22222222-0000-4000-8000-%012d","features":{`+
		`"proxy":{"state":"completed"},"preview":{"state":"completed"},"visual":{"state":"processing"},`+
		`"transcription":{"state":"queued"}},"user_id":"5f0c6f0e-6f0a-4f62-9d8e-1c6b3a2d4e5f",`+
		`"created":"2026-11-23T11:59:00.123456Z","updated":"2026-11-23T12:%02d:%02d.%06dZ"}}}`,
		i, task, task, i/60_000_000%60, i/1_000_000%60, i%1_000_000)
}

// syncCost is the median time that appending one delivery to a file and syncing it
// takes.
func syncCost(b testing.TB, dir string) time.Duration {
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
	return costs[len(costs)/2].Round(time.Microsecond)
}
