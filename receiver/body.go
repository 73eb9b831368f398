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
	// A usual body has less than firstRead bytes and is read into a buffer of
	// its size. More room is made only when it is filled, because a stranger can
	// announce any size and send nothing.
	firstRead = 4 << 10
	// Any number of bodies up to smallBody are read at the same time; of larger
	// ones at most maxLarge, so that a thousand strangers with a megabyte each
	// cost 32 MiB and not a gigabyte (and verifying takes two more copies).
	smallBody = 16 << 10
	maxLarge  = 32
	// largeWait is how long one more large body waits for room. It leaves time
	// to read it before readTimeout.
	largeWait = 5 * time.Second
)

// errBusy says that there is no room for one more large body.
var errBusy = errors.New("too many large bodies at once")

// refusal is the error of a body that is not worth verifying.
type refusal struct{ verdict model.Verdict }

func (r *refusal) Error() string { return r.verdict.Detail }

func refuse(reason model.Reason, format string, args ...any) error {
	return &refusal{model.Verdict{Reason: reason, Detail: fmt.Sprintf(format, args...)}}
}

// readBody reads the raw body. With an error, which is errBusy or a *refusal,
// it gives as much as it has. The body is the caller's to keep; release, never
// nil, is to be called when the request is answered.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) (body []byte, release func(), err error) {
	release = func() {}
	if r.ContentLength > MaxBody {
		// Unread: net/http closes the connection after the answer.
		return nil, release, refuse(model.TooLarge, "too large: %d bytes announced, at most %d are accepted",
			r.ContentLength, MaxBody)
	}
	announced := r.ContentLength >= 0
	limited := r.Body // net/http ends it where it was announced to end
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
			body = bytes.Clone(body) // it may be kept for long, the buffer need not
		}
		return body, release, unfinished(r, n, err)
	}

	select {
	case s.large <- struct{}{}:
		release = func() { <-s.large }
	case <-time.After(largeWait):
		return body, release, errBusy
	}
	size := int64(MaxBody + 1) // one more than limited gives: it tells the end from the limit
	if announced {
		size = r.ContentLength
	}
	whole := make([]byte, size)
	copy(whole, body)
	rest, err := fill(limited, whole[n:])
	n += rest
	return whole[:n], release, unfinished(r, n, err)
}

// fill reads until buf is full or r ends, which is io.EOF only if it ended as
// it should. (io.ReadFull cannot be used: it gives the error of a body that
// broke off to every body that is shorter than the buffer.)
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var more int
		more, err = r.Read(buf[n:])
		n += more
	}
	return n, err
}

// unfinished makes a refusal of the error that ended a body after n bytes, or
// nil if it ended as it should.
func unfinished(r *http.Request, n int, err error) error {
	if err == nil || err == io.EOF {
		return nil
	}
	of := ""
	if r.ContentLength >= 0 {
		of = fmt.Sprintf(" of %d", r.ContentLength)
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return refuse(model.TooLarge, "too large: more than the %d bytes that are accepted", MaxBody)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refuse(model.Malformed, "malformed: the body was cut after %d%s bytes because it took longer than %s",
			n, of, readTimeout)
	default:
		return refuse(model.Malformed, "malformed: the body broke off after %d%s bytes", n, of)
	}
}
