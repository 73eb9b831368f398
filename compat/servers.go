package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func body(row string, n int) string {
	at := time.Unix(1e9+int64(n), 0).UTC().Format(time.RFC3339)
	return fmt.Sprintf(`{"timestamp":%q,"user_id":"u","event_id":"%s-%d","event_type":"task.progress","data":{"task":{"id":"task-%s","asset_id":"a","user_id":"u","features":{"visual":{"state":"queued"}},"updated":%q}}}`, at, row, n, row, at)
}

// goServer is net/http with Flush: 50 events, 15 of another stream, and a burst.
func goServer() http.Handler {
	mux := http.NewServeMux()
	serve := func(row string, count int, pause time.Duration) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for n := next(r); n <= count; n++ {
				fmt.Fprintf(w, "id: %d\nevent: task\ndata: %s\n\n", n, body(row, n))
				if pause > 0 {
					w.(http.Flusher).Flush()
					time.Sleep(pause)
				}
			}
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	}
	mux.HandleFunc("/", serve("go", 50, 40*time.Millisecond))
	mux.HandleFunc("/other", serve("other", 15, 40*time.Millisecond))
	mux.HandleFunc("/burst", serve("burst", 100_000, 0))
	return mux
}

// next is the number of the first event that a client has not got.
func next(r *http.Request) int {
	last, err := strconv.Atoi(r.Header.Get("Last-Event-ID"))
	if err != nil {
		return 1
	}
	return last + 1
}

// serveBytes writes streams byte by byte as they are, and returns its URL.
func serveBytes() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go answer(conn.(*net.TCPConn))
		}
	}()
	return "http://" + l.Addr().String()
}

func answer(conn *net.TCPConn) {
	defer conn.Close()
	conn.SetNoDelay(true)
	in := bufio.NewReader(conn)
	r, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	kind := strings.Trim(r.URL.Path, "/")
	count := map[string]int{"bytes": 8, "each": 6, "cut": 8}[kind]
	if count == 0 {
		count = 20
	}
	fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
	text := ""
	if kind == "bom" {
		text = "\uFEFF"
	}
	begin := next(r)
	for n := begin; n <= count; n++ {
		whole := body(kind, n)
		event := fmt.Sprintf("id: %d\nevent: task\nretry: 500\ndata: %s\ndata: %s\n\n", n, whole[:1], whole[1:])
		switch kind {
		case "cr":
			event = strings.ReplaceAll(event, "\n", "\r")
		case "crlf":
			event = strings.ReplaceAll(event, "\n", "\r\n")
		}
		text += event
		if kind == "each" {
			fmt.Fprint(conn, text)
			return
		}
	}
	switch {
	case kind == "cut" && begin <= 4:
		fmt.Fprint(conn, text[:len(text)/2])
		return
	case kind == "bytes":
		for i := range len(text) {
			if _, err := conn.Write([]byte{text[i]}); err != nil {
				return
			}
		}
	default:
		fmt.Fprint(conn, text)
	}
	in.ReadByte() // until the client goes
}
