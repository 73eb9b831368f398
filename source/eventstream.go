package source

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
	"time"
)

// maxEvent is how large an event's data may be, in bytes: as large as a
// webhook's body.
const maxEvent = 1 << 20

// maxField is how long an id or a name may be; a longer one is left out.
const maxField = 1024

// message is one event of a stream.
type message struct {
	id       string // the last one the stream gave, with this event or before it
	name     string
	data     []byte
	tooLarge bool // data was left out
}

// events reads the EventSource format (HTML Living Standard, 9.2.6). A line ends
// with LF, CR or CRLF; after a CR it is not waited for what follows.
type events struct {
	r *bufio.Reader
	// retry is how long the server wants to be left alone after a connection
	// ended; negative if it does not say.
	retry time.Duration
	id    string

	begun   bool // the first line was read
	afterCR bool
	line    []byte
}

func newEvents(r io.Reader, lastID string) *events {
	return &events{r: bufio.NewReader(r), retry: -1, id: lastID}
}

// next returns the next event that has data, or that moves the id. What was
// begun when the stream ends is no event.
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

// readLine returns a line without its end, valid until the next call. Of one that
// is longer than any that matters it returns the beginning, not whole.
func (e *events) readLine() (line []byte, whole bool, err error) {
	e.line, whole = e.line[:0], true
	for {
		c, err := e.r.ReadByte()
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
