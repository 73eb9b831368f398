package source

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"time"
)

// Limits, in bytes.
const (
	maxEvent = 1 << 20  // of an event's data, as of a webhook's body
	maxField = 1024     // of an id or a name; longer ones are ignored
	endless  = 16 << 20 // of a line; then the stream is given up
)

var errEndless = fmt.Errorf("a line longer than %d MiB", endless>>20)

// message is one event of a stream.
type message struct {
	id       string // the stream's last id, of this event or an earlier one
	name     string
	data     []byte
	tooLarge bool // data is missing
}

// events reads the EventSource format (HTML Living Standard, 9.2.6). A line ends
// with LF, CR or CRLF; after a CR the reader does not wait for an LF.
type events struct {
	r *bufio.Reader
	// retry is the reconnection delay that the server asks for; negative if none.
	retry time.Duration
	id    string

	begun   bool // the first line was read
	afterCR bool
	line    []byte
}

func newEvents(r io.Reader, lastID string) *events {
	return &events{r: bufio.NewReader(r), retry: -1, id: lastID}
}

// next returns the next event that has data or changes the id. An incomplete event
// at the end of the stream is dropped.
func (e *events) next() (message, error) {
	var m message
	var data []byte // nil: no line of data yet
	before := e.id
	for {
		line, whole, err := e.readLine()
		if err != nil {
			return message{}, err
		}
		if len(line) == 0 {
			if data != nil || m.tooLarge || e.id != before {
				m.id, m.data = e.id, bytes.TrimSuffix(data, []byte("\n"))
				return m, nil
			}
			m.name = ""
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "data":
			switch {
			case m.tooLarge:
			case !whole || len(data)+len(value) > maxEvent:
				m.tooLarge, data = true, nil
			default:
				data = append(append(data, value...), '\n')
			}
		case "event":
			if len(value) <= maxField {
				m.name = string(value)
			}
		case "id":
			if len(value) <= maxField && bytes.IndexByte(value, 0) < 0 {
				e.id = string(value)
			}
		case "retry":
			if ms, err := strconv.ParseUint(string(value), 10, 32); err == nil {
				e.retry = time.Duration(ms) * time.Millisecond
			}
		}
	}
}

// readLine returns a line without its terminator, valid until the next call. Of a line
// that is too long it returns the beginning, and whole is false.
func (e *events) readLine() (line []byte, whole bool, err error) {
	e.line, whole = e.line[:0], true
	for n := 0; ; n++ {
		c, err := e.r.ReadByte()
		if err == nil && n == endless {
			err = errEndless
		}
		if err != nil {
			return nil, false, err
		}
		if c == '\n' && e.afterCR {
			e.afterCR = false
			continue // the second half of CRLF
		}
		e.afterCR = c == '\r'
		if c == '\n' || c == '\r' {
			break
		}
		if len(e.line) < maxEvent+len("data: \uFEFF") {
			e.line = append(e.line, c)
		} else {
			whole = false
		}
	}
	line = e.line
	if !e.begun {
		e.begun = true
		line = bytes.TrimPrefix(line, []byte("\uFEFF"))
	}
	return line, whole, nil
}
