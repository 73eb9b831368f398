package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sign is the signature of a message, by the rule and not by a library.
func sign(id, stamp string, body []byte) string {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", id, stamp)
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// message is a delivery on the wire.
type message struct {
	id      string
	body    []byte
	signs   []string // lines of svix-signature; nil: one, the right one
	headers []string // more lines
	chunked bool
	waits   bool // for 100 Continue
}

// post writes a message byte by byte as it is, and returns the status of the answer, 0 if
// there is none.
func post(port int, path string, m message) int {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return 0
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	good := sign(m.id, stamp, m.body)
	if m.signs == nil {
		m.signs = []string{"good"}
	}
	var head bytes.Buffer
	fmt.Fprintf(&head, "POST %s HTTP/1.1\r\nHost: hooks.example.com\r\nAccept: */*\r\ncontent-type: application/json\r\nsvix-id: %s\r\nsvix-timestamp: %s\r\n", path, m.id, stamp)
	for _, s := range m.signs {
		if s == "bad" {
			s = "v1," + base64.StdEncoding.EncodeToString(make([]byte, 32))
		}
		fmt.Fprintf(&head, "svix-signature: %s\r\n", strings.ReplaceAll(s, "good", good))
	}
	for _, h := range m.headers {
		fmt.Fprintf(&head, "%s\r\n", h)
	}
	if m.waits {
		head.WriteString("Expect: 100-continue\r\n")
	}
	if m.chunked {
		head.WriteString("Transfer-Encoding: chunked\r\n\r\n")
	} else {
		fmt.Fprintf(&head, "Content-Length: %d\r\n\r\n", len(m.body))
	}
	in := bufio.NewReader(conn)
	if _, err := conn.Write(head.Bytes()); err != nil {
		return 0
	}
	if m.waits {
		res, err := http.ReadResponse(in, nil)
		if err != nil || res.StatusCode != http.StatusContinue {
			return 0
		}
	}
	body := m.body
	if m.chunked {
		half := len(body) / 2
		body = fmt.Appendf(nil, "%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", half, body[:half], len(body)-half, body[half:])
	}
	go conn.Write(body) // an early answer may come first
	for {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			return 0
		}
		if res.StatusCode >= 200 {
			return res.StatusCode
		}
	}
}

// arrived is what the echo tells of a request.
type arrived struct {
	Proto   string
	Host    string
	Lines   []string // of the head, as they were
	Chunked bool
	Body    []byte
}

func startEcho() (port int, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go echo(conn)
		}
	}()
	return l.Addr().(*net.TCPAddr).Port, nil
}

var echoed = make(chan arrived, 1)

// echo reads a request as text, so that the case of names is seen.
func echo(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	var a arrived
	var head bytes.Buffer
	in := bufio.NewReader(conn)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		head.WriteString(line)
		if line = strings.TrimSpace(line); line == "" {
			break
		}
		a.Lines = append(a.Lines, line)
	}
	r, err := http.ReadRequest(bufio.NewReader(io.MultiReader(&head, in)))
	if err != nil {
		return
	}
	if r.Header.Get("Expect") != "" {
		io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
	}
	a.Proto, a.Host, a.Chunked = r.Proto, r.Host, len(r.TransferEncoding) > 0
	a.Body, _ = io.ReadAll(r.Body)
	if len(a.Lines) > 1 { // not of who only looks whether somebody listens
		select {
		case echoed <- a:
		default:
		}
	}
	io.WriteString(conn, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
}

// result is what is known of a proxy.
type result struct {
	added    []string
	host     bool // replaced
	lower    bool // names
	proto    string
	unchunks bool
	two      string // what becomes of two svix-signature lines
	body     int    // status for a body above 1 MiB that did not reach aspectop, 0 if it did
	header   string // the first size that is refused, and how
	said     []string
	faults   []string
}

func (r *result) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// envelope is a body with all that re-serialising would change.
func envelope(id string, pad int) []byte {
	return fmt.Appendf(nil, `{ "timestamp": "2026-01-01T00:00:00Z","user_id" : "u\u00fc\/ü漢", "event_id":"%s", "event_type": "task.progress",
 "data": {"task": {"id":"task-%s","asset_id":"a","user_id":"u","features":{"visual":{"state":"queued"}},"created":"2026-01-01T00:00:00Z","updated":"2026-01-01T00:00:00Z",
 "n":1.0,"e":1e3,"big":12345678901234567890,"b":1,"a":2,"a":3,"pad":"%s"}}}`+"\n", id, id, strings.Repeat("x", pad))
}

// try puts the proxy before aspectop: right, with a path that it changes, with the PROXY
// protocol where it has that, and with nothing behind it.
func (p *proxy) try(program, dir string, echo int) (*result, error) {
	res := &result{}
	for _, way := range []string{"right", "prefix", "protocol", "dead"} {
		if way == "prefix" && p.bytes || way == "protocol" && !strings.Contains(p.conf, "{{if .Protocol") {
			continue
		}
		back := freePort()
		r := &rig{Dir: filepath.Join(dir, way), Back: back, Echo: echo, Protocol: way == "protocol"}
		switch way {
		case "prefix":
			r.Prefix = "/pre"
		case "dead":
			r.Back = freePort() // nothing listens there
		}
		if _, err := p.start(r); err != nil {
			return nil, err
		}
		w, probe, err := startWatch(program, back, r.Front)
		if err != nil {
			return nil, err
		}
		res.said = append(res.said, way+": "+probe)
		switch way {
		case "right":
			if probe != "ok" {
				res.fault("the probe says %q", probe)
			}
			res.deliver(r, w)
			res.look(r)
		case "prefix":
			if !strings.Contains(probe, "/pre/webhooks/aspect") {
				res.fault("a path that the proxy changed is not named: %s", probe)
			}
			if got := post(r.Front, "/webhooks/aspect", message{id: "msg_prefix", body: envelope("prefix", 0)}); got != http.StatusNotFound {
				res.fault("another path is answered %d", got)
			}
			if kind, reason := w.says("msg_prefix"); kind != "rejected" || reason != "wrong_path" {
				res.fault("what arrived at another path is told as %s %s", kind, reason)
			}
		case "protocol":
			if !strings.Contains(probe, "PROXY protocol") {
				res.fault("the PROXY protocol is told as %q", probe)
			}
		case "dead":
			if !strings.Contains(probe, p.dead) {
				res.fault("that nothing is behind it is told as %q", probe)
			}
		}
		endAll()
	}
	return res, nil
}

// deliver posts what has to be verified, and what has not.
func (res *result) deliver(r *rig, w *watch) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write(envelope("zipped", 0))
	z.Close()
	for _, c := range []struct {
		message
		status       int
		kind, reason string
	}{
		{message{id: "msg_plain", body: envelope("plain", 0)}, 204, "event", ""},
		{message{id: "msg_large", body: envelope("large", 900<<10)}, 204, "event", ""},
		{message{id: "msg_chunked", body: envelope("chunked", 0), chunked: true}, 204, "event", ""},
		{message{id: "msg_waits", body: envelope("waits", 0), waits: true}, 204, "event", ""},
		{message{id: "msg_zipped", body: zipped.Bytes(), headers: []string{"Content-Encoding: gzip"}}, 204, "event", ""},
		{message{id: "msg_bad_good", body: envelope("bg", 0), signs: []string{"bad", "good"}}, 204, "event", ""},
		{message{id: "msg_good_bad", body: envelope("gb", 0), signs: []string{"good", "bad"}}, 204, "event", ""},
		{message{id: "msg_list", body: envelope("list", 0), signs: []string{"v1,AAAA good"}}, 204, "event", ""},
		{message{id: "msg_forged", body: envelope("forged", 0), signs: []string{"bad"}}, 400, "rejected", "no_match"},
	} {
		status := post(r.Front, "/webhooks/aspect", c.message)
		kind, reason := w.says(c.id)
		if status != c.status || kind != c.kind || reason != c.reason {
			res.fault("%s was answered %d and told as %s %s", c.id, status, kind, reason)
		}
	}
	res.body = post(r.Front, "/webhooks/aspect", message{id: "msg_huge", body: envelope("huge", 1100<<10)})
	if kind, reason := w.tooLarge(); kind == "rejected" && reason == "too_large" {
		res.body = 0
	}
	for _, kib := range []int{7, 15, 60} {
		m := message{id: fmt.Sprintf("msg_head%d", kib), body: envelope("head", 0), headers: []string{"X-Long: " + strings.Repeat("x", kib<<10)}}
		if post(r.Back, "/webhooks/aspect", m) != 204 {
			break // that is aspectop's own limit
		}
		if status := post(r.Front, "/webhooks/aspect", m); status != 204 {
			res.header = fmt.Sprintf("a header line of %d KiB is answered %d", kib, status)
			break
		}
	}
}

// tooLarge waits for the line about a body that nobody read.
func (w *watch) tooLarge() (kind, reason string) {
	for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		w.mu.Lock()
		for _, o := range w.lines {
			if o["reason"] == "too_large" {
				w.mu.Unlock()
				return "rejected", "too_large"
			}
		}
		w.mu.Unlock()
	}
	return "nothing", ""
}

// look posts to the echo and notes what is another.
func (res *result) look(r *rig) {
	ask := func(m message) (arrived, bool) {
		for len(echoed) > 0 {
			<-echoed
		}
		post(r.EchoFront, "/", m)
		select {
		case a := <-echoed:
			return a, true
		case <-time.After(2 * time.Second):
			res.fault("nothing reached the echo")
			return arrived{}, false
		}
	}
	body := envelope("echo", 0)
	a, ok := ask(message{id: "msg_echo", body: body, signs: []string{"good", "bad"}})
	if !ok {
		return
	}
	if !bytes.Equal(a.Body, body) {
		res.fault("the body is another")
	}
	sent := []string{"host", "accept", "content-type", "svix-id", "svix-timestamp", "svix-signature", "content-length"}
	lines := 0
	for _, line := range a.Lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		lower := strings.ToLower(name)
		switch {
		case !slices.Contains(sent, lower):
			if strings.HasPrefix(lower, "x-") {
				value = ""
			}
			res.added = append(res.added, strings.TrimSuffix("`"+name+": "+value, ": ")+"`")
		case lower == "accept":
			res.lower = name == "accept"
		case lower == "svix-signature":
			lines++
			res.two = "two `svix-signature` lines stay two"
			if strings.Contains(value, ", ") {
				res.two = "two `svix-signature` lines are joined by a comma"
			}
		}
	}
	if lines == 1 && !strings.Contains(res.two, "joined") {
		res.two = "of two `svix-signature` lines one arrives"
	}
	slices.Sort(res.added)
	res.host, res.proto = a.Host != "hooks.example.com", a.Proto
	if a, ok = ask(message{id: "msg_echo2", body: body, chunked: true}); ok {
		res.unchunks = !a.Chunked
	}
}

// changes are in words what the proxy changes.
func (res *result) changes() string {
	var all []string
	if res.proto != "HTTP/1.1" {
		all = append(all, "sends "+res.proto)
	}
	if res.host {
		all = append(all, "replaces `Host`")
	}
	if res.lower {
		all = append(all, "names in lower case")
	}
	if len(res.added) > 0 {
		all = append(all, "adds "+strings.Join(res.added, ", "))
	}
	if res.unchunks {
		all = append(all, "chunked bodies get a `Content-Length`")
	}
	if res.two != "" {
		all = append(all, res.two)
	}
	if len(all) == 0 || len(all) == 1 && strings.Contains(all[0], "stay two") {
		return "nothing"
	}
	return strings.Join(all, "; ")
}

func (res *result) notes(p proxy) string {
	var all []string
	if res.body != 0 {
		all = append(all, fmt.Sprintf("a body above 1 MiB is answered %d by it", res.body))
	}
	if res.header != "" {
		all = append(all, res.header)
	}
	if dead := "it answers " + p.dead; p.bytes {
		all = append(all, "with nothing behind it, it closes the connection", p.know)
	} else {
		all = append(all, "with nothing behind it, "+dead, p.know)
	}
	return strings.Join(all, "; ")
}
