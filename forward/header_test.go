package forward

import (
	"bufio"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"aspectop/model"
	"aspectop/sig"
)

// overTheWire returns the request line and headers, as a handler's socket got
// them, of one forwarded delivery.
func overTheWire(t *testing.T, d *model.Delivery, path string) []string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	lines := make(chan []string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		var got []string
		for s := bufio.NewScanner(c); s.Scan() && s.Text() != ""; {
			got = append(got, s.Text())
		}
		c.Write([]byte("HTTP/1.1 204 No Content\r\n\r\n"))
		lines <- got
	}()
	r := forwardTo(t, "http://"+l.Addr().String()+path)
	r.append(d)
	r.settled(d.Seq)
	return <-lines
}

func TestAllHeadersArePassedOnButThoseOfTheConnection(t *testing.T) {
	d := message("t", 1)
	passed := http.Header{
		"X-Forwarded-For": {"44.228.126.217", "10.0.0.1"},
		"Cf-Ray":          {"8f1e2d3c4b5a6978-IAD"},
		"Authorization":   {"Bearer of-the-endpoint"},
		"Cookie":          {"a=1; b=2"},
		"X-Empty":         {""},
		"X-Latin":         {"gr\xfc\xdfe"},
		"Webhook-Id":      {"another family, incomplete"},
	}
	dropped := http.Header{
		"Connection": {"keep-alive, X-Named", "x-named-too"}, "X-Named": {"1"}, "X-Named-Too": {"1"},
		"Keep-Alive": {"5"}, "Proxy-Connection": {"1"}, "Proxy-Authenticate": {"1"}, "Proxy-Authorization": {"1"},
		"Te": {"trailers"}, "Trailer": {"X"}, "Transfer-Encoding": {"chunked"}, "Upgrade": {"websocket"},
		"Host": {"public.example"}, "Content-Length": {"999999"}, "Expect": {"100-continue"}, "Accept-Encoding": {"gzip, br"},
		"X-Split": {"a\r\nX-Injected: 1"},
	}
	for _, h := range []http.Header{passed, dropped} {
		for name, values := range h {
			d.Header[name] = values
		}
	}
	lines := overTheWire(t, d, "/a%2Fb?x=1")
	if lines[0] != "POST /a%2Fb?x=1 HTTP/1.1" {
		t.Errorf("the request line is %q", lines[0])
	}
	want := map[string]int{}
	for name, values := range d.Header {
		if dropped[name] == nil {
			for _, v := range values {
				want[name+": "+v]++
			}
		}
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case want[line] > 0:
			want[line]--
		case name == "Host":
			if !strings.HasPrefix(value, "127.0.0.1:") {
				t.Errorf("Host is %q", value)
			}
		case name == "Content-Length":
		default:
			t.Errorf("a header that Svix had not sent: %q", line)
		}
	}
	for line, missing := range want {
		if missing > 0 {
			t.Errorf("not passed on: %q", line)
		}
	}
	if again := slices.Sorted(func(yield func(string) bool) {
		for name := range dropped {
			if !yield(name) {
				return
			}
		}
	}); d.Header[again[0]] == nil {
		t.Error("the delivery itself was changed")
	}
}

func TestNoUserAgentIsMadeUp(t *testing.T) {
	d := message("t", 1)
	delete(d.Header, "User-Agent")
	for _, line := range overTheWire(t, d, "/") {
		if strings.HasPrefix(line, "User-Agent") {
			t.Errorf("%q", line)
		}
	}
}

func TestBodyAndIDAreNeverChanged(t *testing.T) {
	h := newHandler(t, nil)
	r := forwardTo(t, h.URL, func(o *Options) { o.Sign = signerOf(handlerSecret) })
	bodies := []string{"", " ", "{ \"a\" : 1 }\n", "\xff\xfe\x00no JSON", "\ufeff{}", strings.Repeat("x", 1<<20), "{\"e\":\"\u2028\\u2028ü\\u00fc\"}\r\n\t"}
	for i, body := range bodies {
		d := message("", i)
		d.Body = []byte(body)
		d.Header["Content-Encoding"] = []string{"identity"}
		r.append(d)
	}
	r.idle()
	got := map[string]string{}
	for _, q := range h.requests() {
		got[q.id()] = string(q.body)
		verifies(t, handlerSecret, q)
	}
	for i, body := range bodies {
		if id := message("", i).ID; got[id] != body {
			t.Errorf("%s arrived as %.80q, want %.80q", id, got[id], body)
		}
	}
}

func TestAStampIsPassedOnUntilItIsFourMinutesOldAndThenMadeAnew(t *testing.T) {
	h := newHandler(t, nil)
	r := forwardTo(t, h.URL)
	for _, c := range []struct {
		age      time.Duration
		resigned bool
	}{{0, false}, {3*time.Minute + 50*time.Second, false}, {4*time.Minute + 2*time.Second, true}, {27 * time.Hour, true}, {-4 * time.Minute, false}} {
		d := messageAt("", int(c.age/time.Second), time.Now().Add(-c.age))
		before := d.Header["Svix-Timestamp"][0]
		r.append(d)
		if f := r.settled(d.Seq); f.Resigned != c.resigned || !f.Delivered() {
			t.Errorf("%v old: %+v", c.age, f)
		}
		q := h.requests()[len(h.requests())-1]
		verifies(t, aspectSecret, q)
		if same := q.Header.Get("Svix-Timestamp") == before; same == c.resigned {
			t.Errorf("%v old: the stamp was %s and is %s", c.age, before, q.Header.Get("Svix-Timestamp"))
		}
	}
}

func TestAnOldStampIsSignedByTheSecretThatVerifiedIt(t *testing.T) {
	h := newHandler(t, nil)
	var asked string
	r := forwardTo(t, h.URL, func(o *Options) {
		o.Resign = func(secret string) sig.Signer { asked = secret; return signerOf(handlerSecret) }
	})
	d := messageAt("t", 1, time.Now().Add(-time.Hour))
	d.Secret = "staging"
	r.append(d)
	r.settled(d.Seq)
	verifies(t, handlerSecret, h.requests()[0])
	sameText(t, "the secret that was asked for", asked, "staging")
}

func TestAnOldStampOfAnUnknownSecretGoesAsItIsAndTheHintSaysWhy(t *testing.T) {
	h := newHandler(t, status(400))
	r := forwardTo(t, h.URL)
	d := messageAt("t", 1, time.Now().Add(-time.Hour))
	d.Secret = "gone"
	r.append(d)
	f := r.settled(d.Seq)
	sameText(t, "the stamp", h.requests()[0].Header.Get("Svix-Timestamp"), d.Header["Svix-Timestamp"][0])
	has(t, f.Hint, `"gone"`, "1h0m")
	if f.Resigned {
		t.Error("it is marked resigned")
	}
}

func TestTheFamilyOfHeadersStaysWhenItIsSignedAnew(t *testing.T) {
	h := newHandler(t, nil)
	r := forwardTo(t, h.URL, func(o *Options) { o.Sign = signerOf(handlerSecret) })
	d := message("t", 1)
	for _, part := range []string{"Id", "Timestamp", "Signature"} {
		d.Header["Webhook-"+part] = d.Header["Svix-"+part]
		delete(d.Header, "Svix-"+part)
	}
	r.append(d)
	if f := r.settled(d.Seq); !f.Resigned {
		t.Errorf("not marked: %+v", f)
	}
	q := h.requests()[0]
	verifies(t, handlerSecret, q)
	if q.Header.Get("Svix-Id") != "" || q.Header.Get("Webhook-Id") != d.ID {
		t.Errorf("the ids are %q and %q", q.Header.Get("Svix-Id"), q.Header.Get("Webhook-Id"))
	}
}
