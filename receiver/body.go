package receiver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"aspectop/model"
)

const (
	// firstRead is the largest buffer for a body of which nothing has arrived: clients
	// can announce any size and send nothing. Most bodies are smaller.
	firstRead = 4 << 10
	// Any number of bodies up to smallBody bytes are read at once, but at most
	// maxLarge larger ones: a thousand clients with a megabyte each then cost
	// 32 MiB instead of a gigabyte. (Verifying takes two more copies.)
	smallBody = 16 << 10
	maxLarge  = 32
	// largeWait is how long a further large body waits. It leaves time to read it
	// before readTimeout.
	largeWait = 5 * time.Second
)

// brokenBody begins the detail of a request whose body is not complete.
const brokenBody = "malformed: the body"

var errBusy = errors.New("too many large bodies at once")

// refusal is the error for a body that is not verified.
type refusal model.Verdict

func (r *refusal) Error() string { return r.Detail }

func refuse(reason model.Reason, format string, args ...any) error {
	return &refusal{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// readBody reads the raw body. If it fails, with errBusy or a *refusal, it returns
// what it has read so far. The caller must call release, which is never nil, once the
// request is answered.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) (body []byte, release func(), err error) {
	release = func() {}
	if r.ContentLength > MaxBody {
		// The body stays unread, so net/http closes the connection after the answer.
		return nil, release, refuse(model.TooLarge, "too large: %d bytes announced, at most %d are accepted",
			r.ContentLength, MaxBody)
	}
	announced := r.ContentLength >= 0
	limited := r.Body // net/http ends it at the announced length
	if !announced {
		limited = http.MaxBytesReader(w, limited, MaxBody)
	}
	most := int64(smallBody + 1)
	if announced {
		most = min(most, r.ContentLength)
	}
	body = make([]byte, min(most, firstRead))
	n, err := fill(limited, body)
	if int64(n) < most && err == nil {
		body = append(make([]byte, 0, most), body...)[:most]
		var more int
		more, err = fill(limited, body[n:])
		n += more
	}
	body = body[:n]
	if n <= smallBody || err != nil {
		if !announced {
			body = bytes.Clone(body) // it may be kept for long, and the buffer is larger
		}
		return body, release, unfinished(r, n, err)
	}

	select {
	case s.large <- struct{}{}:
		release = func() { <-s.large }
	case <-time.After(largeWait):
		return body, release, errBusy
	}
	size := int64(MaxBody + 1) // one more than limited returns, to tell the end from the limit
	if announced {
		size = r.ContentLength
	}
	whole := make([]byte, size)
	copy(whole, body)
	rest, err := fill(limited, whole[n:])
	n += rest
	return whole[:n], release, unfinished(r, n, err)
}

// fill reads until buf is full or r ends. Unlike with [io.ReadFull], the error is
// io.EOF for any complete body, and io.ErrUnexpectedEOF only for one that broke off.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var more int
		more, err = r.Read(buf[n:])
		n += more
	}
	return n, err
}

// unfinished turns the error that ended a body after n bytes into a refusal, or
// into nil if the body is complete.
func unfinished(r *http.Request, n int, err error) error {
	if err == nil || err == io.EOF {
		return nil
	}
	of := ""
	if r.ContentLength >= 0 {
		of = fmt.Sprintf(" of %d", r.ContentLength)
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return refuse(model.TooLarge, "too large: more than the %d bytes that are accepted", MaxBody)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return refuse(model.Malformed, brokenBody+" was cut after %d%s bytes because it took longer than %s",
			n, of, readTimeout)
	}
	return refuse(model.Malformed, brokenBody+" broke off after %d%s bytes", n, of)
}
