package source

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// eventServer sends its events over bare TCP: all that stand behind the one that
// the client has. It cuts its first connection after so many bytes, the others
// when all is sent.
type eventServer struct {
	listener net.Listener
	events   []string // each as it goes over the wire; its id is its index
	cut      int
	mu       sync.Mutex
	lastIDs  []string
}

func (e *eventServer) serve() {
	for {
		conn, err := e.listener.Accept()
		if err != nil {
			return
		}
		req, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			conn.Close()
			continue
		}
		e.mu.Lock()
		last := req.Header.Get("Last-Event-Id")
		first := len(e.lastIDs) == 0
		e.lastIDs = append(e.lastIDs, last)
		e.mu.Unlock()
		from := 0
		if last != "" {
			fmt.Sscan(last, &from)
			from++
		}
		answer := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + strings.Join(e.events[min(from, len(e.events)):], "")
		if first {
			answer = answer[:e.cut]
		}
		fmt.Fprint(conn, answer)
		conn.Close()
	}
}

func TestAStreamThatIsCutAnywhereLosesAndRepeatsNothing(t *testing.T) {
	var events []string
	for i, end := range []string{"\n", "\r\n", "\r"} {
		body, _ := json.Marshal(map[string]any{"event_id": fmt.Sprint("e", i), "event_type": "task.progress",
			"data": map[string]any{"task": map[string]any{"id": "a", "features": map[string]any{}}}})
		half := len(body) - 1 // a line may end where JSON has white space
		events = append(events, strings.ReplaceAll(fmt.Sprintf(": %d\nid: %d\ndata: %s\ndata: %s\n\n", i, i, body[:half], body[half:]), "\n", end))
	}
	length := len("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + strings.Join(events, ""))
	var streams sync.WaitGroup
	seats := make(chan struct{}, 16)
	for cut := range length + 1 {
		seats <- struct{}{}
		streams.Go(func() {
			defer func() { <-seats }()
			if err := readCut(t, events, cut); err != nil {
				t.Errorf("cut after %d of %d bytes: %v", cut, length, err)
			}
		})
	}
	streams.Wait()
}

// readCut reads a stream until it has all of it, and then some.
func readCut(t *testing.T, events []string, cut int) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	server := &eventServer{listener: l, events: events, cut: cut}
	go server.serve()
	journal := &memory{}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	s, err := NewStream(StreamConfig{URL: "http://" + l.Addr().String(), Journal: journal, History: historyOf(t, journal), HTTP: client})
	if err != nil {
		return err
	}
	s.retry = time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	enough := func() bool {
		server.mu.Lock()
		defer server.mu.Unlock()
		return len(server.lastIDs) > 2 && server.lastIDs[len(server.lastIDs)-1] == fmt.Sprint(len(events)-1)
	}
	for !enough() && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("got %d events in a minute", len(journal.deliveries()))
	}
	cancel()
	<-done
	var ids []string
	for _, d := range journal.deliveries() {
		ids = append(ids, d.ID)
	}
	if want := []string{"sse:e0", "sse:e1", "sse:e2"}; !slices.Equal(ids, want) {
		return fmt.Errorf("kept %q, want %q", ids, want)
	}
	return nil
}
