package forward

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// closing is a server with uvicorn's habit: after an answer of 500 it closes the connection,
// at once and without saying so. It reads the body first, or never. Of messages whose id ends
// with "_bad" it thinks so.
func closing(t *testing.T, reads bool) (address string, connections *atomic.Int64) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	connections = new(atomic.Int64)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go func() {
				defer c.Close()
				for in := bufio.NewReader(c); ; {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					bad := strings.HasSuffix(r.Header.Get("Svix-Id"), "_bad")
					if reads || !bad {
						io.Copy(io.Discard, r.Body)
					}
					if bad {
						io.WriteString(c, "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 21\r\n\r\nInternal Server Error")
						return
					}
					io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
				}
			}()
		}
	}()
	return l.Addr().String(), connections
}

func TestAServerThatClosesAfterAnErrorCostsNoMessage(t *testing.T) {
	for _, reads := range []bool{true, false} {
		for name, size := range map[string]int{"500 B": 500, "64 KiB": 64 << 10, "900 KiB": 900 << 10} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				address, connections := closing(t, reads)
				h, err := NewHandler(Target{URL: "http://" + address + "/hook"})
				if err != nil {
					t.Fatal(err)
				}
				body := []byte(`{"pad":"` + strings.Repeat("x", size) + `"}`)
				posts := 0
				for i := range 400 {
					id, want := "msg_good", 204
					if i%2 == 1 {
						id, want = "msg_bad", 500
					}
					a := h.Post(t.Context(), Post{Header: http.Header{"Svix-Id": {id}}, Body: body, Key: "k"})
					if a.Status != want {
						t.Fatalf("message %d was answered %d (%v), not %d", i, a.Status, a.Err, want)
					}
					posts += a.Posts
				}
				// On a slow machine a kept connection may have been idle for too long.
				if n := int(connections.Load()) - 200; n < 0 || posts-400 > n {
					t.Errorf("%d posts on %d connections", posts, 200+n)
				}
			})
		}
	}
}

// TestAKeptConnectionThatBreaksCostsATryAndNoMessage has a server that closes each connection
// when the second request on it has come, before the first byte of an answer.
func TestAKeptConnectionThatBreaksCostsATryAndNoMessage(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				if r, err := http.ReadRequest(in); err == nil {
					io.Copy(io.Discard, r.Body)
					io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
					in.Peek(1) // waits for the next request
				}
			}()
		}
	}()
	r := forwardTo(t, "http://"+l.Addr().String())
	r.append(message("t", 1), message("t", 2), message("t", 3))
	for seq, tries := range map[int64]int{1: 1, 2: 2, 3: 2} {
		if f := r.settled(seq); f.Status != 204 || f.Tries != tries {
			t.Errorf("message %d: %d after %d tries, not %d (%s)", seq, f.Status, f.Tries, tries, f.Error)
		}
	}
}
