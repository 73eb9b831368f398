package receiver

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/sig"
)

// Saved is a request that somebody saved, as far as it could be read.
type Saved struct {
	Place    string // in the file, such as "line 3"
	Received time.Time
	Method   string
	Header   http.Header
	Body     []byte
	Problem  string // why it cannot be judged, "" if it can
}

// ReadSaved returns the requests in a text: lines of NDJSON as export writes them, an HTTP
// Archive or an entry of one, or raw HTTP/1 requests, one after the other.
func ReadSaved(text []byte) []Saved {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if start := bytes.TrimSpace(text); len(start) == 0 {
		return nil
	} else if start[0] != '{' {
		return readRaw(text)
	}
	var archive struct {
		Log     *struct{ Entries []harEntry }
		Request *json.RawMessage
	}
	if json.Unmarshal(text, &archive) == nil {
		switch {
		case archive.Log != nil:
			return readEntries(archive.Log.Entries)
		case archive.Request != nil:
			var entry harEntry
			err := json.Unmarshal(text, &entry)
			saved := readEntries([]harEntry{entry})
			if err != nil {
				saved[0].Problem = "unreadable: no HAR entry: " + err.Error()
			}
			return saved
		}
	}
	var saved []Saved
	n := 0
	for line := range bytes.Lines(text) {
		if n++; len(bytes.TrimSpace(line)) > 0 {
			one := readLine(line)
			one.Place = fmt.Sprintf("line %d", n)
			saved = append(saved, one)
		}
	}
	return saved
}

func readLine(line []byte) Saved {
	var l struct {
		Type, Source, Path, Method string
		Reason, Detail             string
		Time                       time.Time
		Headers                    map[string][]string
		Body                       *string
		BodyBase64                 *string `json:"body_base64"`
		Size                       *int
	}
	if err := json.Unmarshal(line, &l); err != nil {
		return Saved{Problem: "unreadable: " + err.Error()}
	}
	s := Saved{Received: l.Time, Method: l.Method, Header: http.Header{}}
	for name, values := range l.Headers {
		for _, value := range values {
			s.Header.Add(name, value)
		}
	}
	switch {
	case l.Headers == nil:
		s.Problem = fmt.Sprintf("unreadable: a line of type %s has no headers and no body; export writes lines that have", clean.Quoted(l.Type))
	case l.Source != "" && l.Source != string(model.SourceWebhook):
		s.Problem = "unreadable: not a signed request, but from Aspect's API or event stream"
	case len(l.Headers) == 0:
		s.Problem = "redacted, or never read: it has no headers"
	case l.Reason == string(model.TooLarge), strings.HasPrefix(l.Detail, brokenBody):
		s.Problem = "cut: its body was not read to the end"
	case l.Body != nil:
		s.Body = []byte(*l.Body)
	case l.BodyBase64 != nil:
		s.decode(*l.BodyBase64)
	case l.Size == nil || l.Path != "":
		s.Problem = "cut: its body was not kept"
	}
	if l.Size != nil && *l.Size > len(s.Body) && s.Problem == "" {
		s.Problem = fmt.Sprintf("cut: %d of %d bytes of the body were kept", len(s.Body), *l.Size)
	}
	return s
}

func (s *Saved) decode(text string) {
	var err error
	if s.Body, err = base64.StdEncoding.DecodeString(text); err != nil {
		s.Problem = "unreadable: its body is no base64"
	}
}

type harEntry struct {
	StartedDateTime string
	Request         struct {
		Method   string
		Headers  []struct{ Name, Value string }
		BodySize int
		PostData *struct{ Text, Encoding, Comment string }
	}
}

func readEntries(entries []harEntry) []Saved {
	saved := make([]Saved, len(entries))
	for i, e := range entries {
		s, r := &saved[i], &e.Request
		at, _ := time.Parse(time.RFC3339, e.StartedDateTime) // zero, not known, if it is no time
		*s = Saved{Place: fmt.Sprintf("entry %d", i+1), Received: at, Method: r.Method, Header: http.Header{}}
		for _, h := range r.Headers {
			s.Header.Add(h.Name, h.Value)
		}
		if d := r.PostData; d != nil {
			s.Body = []byte(d.Text)
			if d.Encoding == "base64" || strings.HasPrefix(d.Comment, "base64") {
				s.decode(d.Text)
			}
		}
		size := r.BodySize
		if size < 0 { // unknown
			size, _ = strconv.Atoi(s.Header.Get("Content-Length"))
		}
		if size > len(s.Body) && s.Problem == "" {
			s.Problem = fmt.Sprintf("cut: the archive has %d of %d bytes of the body", len(s.Body), size)
		}
	}
	return saved
}

// readRaw reads requests as they went over the wire. Without a length, the body is all that
// follows.
func readRaw(text []byte) (saved []Saved) {
	in := bufio.NewReader(bytes.NewReader(text))
	for {
		for next, err := in.Peek(1); err == nil && (next[0] == '\r' || next[0] == '\n'); next, err = in.Peek(1) {
			_, _ = in.Discard(1)
		}
		if _, err := in.Peek(1); err != nil {
			return saved
		}
		s := Saved{Place: fmt.Sprintf("request %d", len(saved)+1)}
		r, err := http.ReadRequest(in)
		if err != nil {
			s.Problem = "unreadable: no raw HTTP request: " + clean.Line(err.Error())
			return append(saved, s)
		}
		s.Method, s.Header = r.Method, r.Header
		var body io.Reader = r.Body
		if r.Header["Content-Length"] == nil && r.TransferEncoding == nil {
			body = in
		}
		s.Body, err = io.ReadAll(body)
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF):
			s.Problem = fmt.Sprintf("cut: %d of %d bytes of the body are there", len(s.Body), r.ContentLength)
		case err != nil:
			s.Problem = "unreadable: " + err.Error()
		}
		saved = append(saved, s)
	}
}

// Judge is what the receiver would find out about a request at an instant. It says in
// Problem, with a zero verdict, if the request cannot be judged.
func (v *Verifier) Judge(s *Saved, at time.Time) (id string, verdict model.Verdict) {
	if id = claimedID(s.Header); s.Problem != "" {
		return id, verdict
	}
	for _, f := range sig.Families {
		for _, name := range [...]string{f.ID, f.Stamp, f.Signature} {
			if slices.Contains(s.Header[name], clean.Redacted) {
				s.Problem = "redacted: " + strings.ToLower(name)
				return id, verdict
			}
		}
	}
	switch {
	case s.Method != "" && s.Method != http.MethodPost && s.Method != http.MethodPut:
		return id, model.Verdict{Reason: model.WrongMethod, Detail: "wrong method: a delivery is a POST"}
	case len(s.Body) > MaxBody:
		return id, model.Verdict{Reason: model.TooLarge, Detail: fmt.Sprintf("too large: %d bytes, at most %d are accepted", len(s.Body), MaxBody)}
	}
	id, verdict = v.Verify(s.Header, s.Body, at)
	if verdict.Reason == model.NoMatch && (bytes.Contains(s.Body, []byte(clean.MaskedUser)) || string(s.Body) == clean.Redacted) {
		s.Problem = "redacted: user ids are masked in the body, so that no signature matches"
		return id, model.Verdict{}
	}
	return id, verdict
}
