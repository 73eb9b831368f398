package source

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// readAll writes each event as id|name|data.
func readAll(r io.Reader) (all []string) {
	e := newEvents(r, "")
	for {
		m, err := e.next()
		if err != nil {
			return append(all, fmt.Sprint(err, " ", e.retry))
		}
		s := fmt.Sprintf("%s|%s|%s", m.id, m.name, m.data)
		if m.tooLarge {
			s += "too large"
		}
		all = append(all, s)
	}
}

// The streams are those of the web platform tests (eventsource/format-*), where
// there is one.
func TestAStreamIsReadAsBrowsersReadIt(t *testing.T) {
	for _, c := range []struct{ name, stream, want string }{
		{"one event", "data: x\n\n", "||x"},
		{"a byte order mark", "\uFEFFdata:1\n\n\uFEFFdata:2\n\ndata:3\n\n", "||1 ||3"},
		{"two of them", "\uFEFF\uFEFFdata:1\n\ndata:2\n\ndata:3\n\n", "||2 ||3"},
		{"comments", "data:1\r:\x00\n:\r\ndata:2\n:" + strings.Repeat("x", 5000) + "\rdata:3\n:data:fail\r:x\ndata:4\n\n", "||1\n2\n3\n4"},
		{"data without a value", "data:\n\ndata\ndata\n\ndata:test\n\n", "|| ||\n ||test"},
		{"a field is exactly named", "data:\x00\ndata:  2\rData:1\ndata\x00:2\ndata:1\r\x00data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n", "||\x00\n 2\n1\n3\n\n4"},
		{"only one space is taken off", "data:\ttest\rdata: \ndata:test\n\n", "||\ttest\n\ntest"},
		{"the event's name", "event:test\ndata:x\n\ndata:x\n\n", "|test|x ||x"},
		{"a name without data", "event:test\n\ndata:x\n\n", "||x"},
		{"an empty name", "event: \ndata:data\n\n", "||data"},
		{"ids last", "id:1\ndata:a\n\ndata:b\n\nid\ndata:c\n\n", "1||a 1||b ||c"},
		{"an id with a null is none", "id:1\ndata:a\n\nid:2\x003\ndata:b\n\n", "1||a 1||b"},
		{"an id alone", "id:1\n\nid:1\n\n", "1||"},
		{"an event that is not finished", "data: a\n\ndata: b\nid: 2", "||a"},
		{"line ends of each kind", "data:a\r\rdata:b\r\n\r\ndata:c\n\rdata:d\n\n", "||a ||b ||c ||d"},
		{"nothing", "\n\n\n", ""},
	} {
		got := readAll(strings.NewReader(c.stream))
		if end := got[len(got)-1]; end != "EOF -1ns" {
			t.Errorf("%s: ended with %s", c.name, end)
		}
		if got := strings.Join(got[:len(got)-1], " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestTheServersRetryIsInMilliseconds(t *testing.T) {
	for stream, want := range map[string]time.Duration{
		"retry: 1500\n\n": 1500 * time.Millisecond,
		"retry:0\n":       0,
		"retry: 1s\n\n":   -1, "retry:-1\n": -1, "retry\n": -1, "retry: 99999999999999999999\n": -1,
	} {
		if got := readAll(strings.NewReader(stream)); got[0] != fmt.Sprint("EOF ", want) {
			t.Errorf("%q: %q, want %v", stream, got, want)
		}
	}
}

func TestItDoesNotMatterWhereAStreamIsCut(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"data", "id", "event", "retry", ":", " ", "\n", "\r", "\r\n", "\n\n", "\uFEFF", "1", "\x00", "é", "data: x\n", "id: 7\r"}
	for range 2000 {
		var b strings.Builder
		for range r.IntN(30) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		stream := b.String()
		whole := strings.Join(readAll(strings.NewReader(stream)), "\x01")
		single := strings.Join(readAll(iotest.OneByteReader(strings.NewReader(stream))), "\x01")
		if whole != single {
			t.Fatalf("%q is read as %q, byte by byte as %q", stream, whole, single)
		}
	}
}

// FuzzEventStream checks that what is read of a stream does not depend on where
// it is cut, and stays within its limits.
func FuzzEventStream(f *testing.F) {
	f.Add([]byte("id: 1\nevent: x\ndata: a\ndata: b\n\nretry: 5\n:\n\r\rdata\r\n\r\n"))
	f.Add([]byte("\uFEFFid: \x00\ndata:\n\nid\n\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		whole := readAll(bytes.NewReader(stream))
		if single := readAll(iotest.OneByteReader(bytes.NewReader(stream))); !slices.Equal(whole, single) {
			t.Errorf("%q is read as %q, byte by byte as %q", stream, whole, single)
		}
		e := newEvents(bytes.NewReader(stream), "")
		for m, err := e.next(); err == nil; m, err = e.next() {
			if len(m.data) > maxEvent || len(m.id) > maxField || len(m.name) > maxField || strings.Contains(m.id, "\x00") {
				t.Errorf("an event of %d bytes with the id %q and the name %q", len(m.data), m.id, m.name)
			}
			if strings.ContainsAny(m.id+m.name, "\r\n") {
				t.Errorf("the id %q or the name %q holds a line break", m.id, m.name)
			}
		}
	})
}

func TestAnEventIsThereAsSoonAsItsLineEnds(t *testing.T) {
	for _, end := range []string{"\n\n", "\r\r", "\r\n\r\n", "\r\n\r"} {
		synctest.Test(t, func(t *testing.T) {
			r, w := io.Pipe()
			var got message
			go func() { got, _ = newEvents(r, "").next() }()
			io.WriteString(w, "data: x"+end)
			synctest.Wait()
			if string(got.data) != "x" {
				t.Errorf("with %q at the end there was %q", end, got.data)
			}
		})
	}
}

func TestAnEventOfMoreThanAMebibyteIsLeftOutAndTheNextIsRead(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		name string
		data string
		ok   bool
	}{
		{"a line that just fits", "data:" + strings.Repeat("x", mib) + "\n", true},
		{"with a space before it", "data: " + strings.Repeat("x", mib) + "\n", true},
		{"one byte more", "data:" + strings.Repeat("x", mib+1) + "\n", false},
		{"much more", "data:" + strings.Repeat("x", 3*mib) + "\n", false},
		{"lines that just fit", strings.Repeat("data:"+strings.Repeat("x", 1023)+"\n", 1024) + "data\n", true},
		{"lines that do not", strings.Repeat("data:"+strings.Repeat("x", 1023)+"\n", 1024) + "data:x\n", false},
		{"a long comment", "data:x\n:" + strings.Repeat("x", 3*mib) + "\n", true},
	} {
		e := newEvents(strings.NewReader("id:1\n"+c.data+"\ndata:next\n\n"), "")
		m, err := e.next()
		if err != nil || m.id != "1" || m.tooLarge == c.ok || len(m.data) > mib || c.ok == (m.data == nil) {
			t.Errorf("%s: %d bytes, too large %v, id %s, %v", c.name, len(m.data), m.tooLarge, m.id, err)
		}
		if m, err = e.next(); string(m.data) != "next" || m.tooLarge || err != nil {
			t.Errorf("%s: next came %q, %v", c.name, m.data, err)
		}
		if cap(e.line) > 2*mib {
			t.Errorf("%s: %d bytes were held for a line", c.name, cap(e.line))
		}
	}
}

func TestAnIDThatIsLongerThanAnyHeaderIsNotTaken(t *testing.T) {
	long := strings.Repeat("x", 1025)
	got := readAll(strings.NewReader("id: 1\nid: " + long + "\nevent: " + long + "\ndata: a\n\n"))
	if got[0] != "1||a" {
		t.Errorf("got %d bytes: %.20q", len(got[0]), got[0])
	}
}
