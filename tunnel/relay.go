package tunnel

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/private"
)

const (
	relayListen = "wss://api.relay.svix.com/api/v1/listen/"
	playBase    = "https://play.svix.com/"

	relaySilence = 35 * time.Second // the relay sends a ping every 20 s
	relayGreet   = 10 * time.Second // for connecting and the answer to our start
	relayWrite   = 10 * time.Second
	// relayFrame is the maximum size of a frame, in bytes. Bodies have up to 1 MiB, in
	// base64.
	relayFrame = 4 << 20
	// relayAtOnce is the maximum number of requests in flight.
	relayAtOnce = 32
	// relayStale is how long our own lost connection may still hold the token, until
	// the relay notices.
	relayStale = 45 * time.Second
	// relayStableAfter is how long a connection must have lasted to reset the pauses.
	relayStableAfter = 10 * time.Second
	// relayLongest is the longest pause while every new token is in use.
	relayLongest = 5 * time.Minute
)

const relayNotice = "Svix Play keeps a history of what comes through this tunnel;" +
	" anyone who knows its address can read it there, with /view/ in place of /in/"

var relayPauses = [...]time.Duration{0, 100 * time.Millisecond, time.Second, 5 * time.Second}

var (
	errSilent = errors.New("no data received")
	errTaken  = errors.New("another program uses this address")
)

// relay is the provider that listens at Svix's relay and posts its requests to the
// receiver.
type relay struct {
	listen string // websocket URL
	play   string // public URL, without in/…
	target string // the receiver's webhook URL
	dialer *http.Client
	poster *http.Client
	keep   tokenFile
	token  string
	now    func() time.Time
}

func newRelay(o Options) (*relay, error) {
	if err := checkLocal(o.Local); err != nil {
		return nil, err
	}
	if o.StateDir == "" {
		return nil, errors.New("no directory for the relay's token")
	}
	r := &relay{
		listen: relayListen, play: playBase, target: o.Local + o.Path, now: o.Now,
		keep:   newTokenFile(o.StateDir),
		dialer: &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()},
		poster: newPoster(),
	}
	var err error
	if r.token, err = r.keep.load(); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *relay) publicURL() string { return r.play + "in/" + r.token + "/" }

func (r *relay) run(ctx context.Context, wake <-chan struct{}, report func(linkStatus)) {
	defer r.poster.CloseIdleConnections()
	defer r.dialer.CloseIdleConnections()
	url := r.publicURL() // the last one that worked: a new one is news only when it does
	report(linkStatus{state: model.TunnelStarting, url: url, detail: "connecting to Svix's relay"})
	var lost time.Time // when our connection with this token was lost, zero before
	refused := 0       // tokens in a row that were in use
	detail := "1 of 1"
	for tries := 0; ; tries++ {
		var since time.Time
		err := r.serve(ctx, wake, func() {
			since, url = time.Now(), r.publicURL()
			report(linkStatus{state: model.TunnelConnected, url: url, detail: detail})
		})
		if ctx.Err() != nil {
			return
		}
		if !since.IsZero() {
			lost, refused = time.Now(), 0
			if time.Since(since) > relayStableAfter {
				tries = 0
			}
		}
		if errors.Is(err, errTaken) && (lost.IsZero() || time.Since(lost) > relayStale) {
			detail = "1 of 1; new address, because another program uses the old one"
			var unkept error
			if r.token, unkept = r.keep.replace(); unkept != nil {
				detail += ": " + unkept.Error()
			}
			lost, tries = time.Time{}, 0
			refused++
		}
		pause := relayPauses[min(tries, len(relayPauses)-1)]
		if refused > 1 { // another token does not help at once
			pause = min(time.Second<<min(refused-2, 10), relayLongest)
		}
		pause += rand.N(pause/5 + 1)
		report(linkStatus{
			state: model.TunnelReconnecting, url: url, nextTry: r.now().Add(pause),
			detail: "not connected to Svix's relay: " + clean.Line(err.Error()),
		})
		if rest(ctx, pause, wake); ctx.Err() != nil {
			return
		}
	}
}

// message is a frame, in either direction.
type message struct {
	Type    string          `json:"type"`
	Version int             `json:"version"`
	Data    json.RawMessage `json:"data"`
}

func frame(kind string, data any) []byte {
	inner, err := json.Marshal(data)
	if err != nil {
		panic(err) // strings, numbers and bytes always encode
	}
	text, _ := json.Marshal(message{kind, 1, inner})
	return text
}

// serve uses one connection until it is lost or ctx ends. It calls connected when
// requests can arrive.
func (r *relay) serve(ctx context.Context, wake <-chan struct{}, connected func()) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(relayGreet, func() { cancel(errSilent) })
	defer silence.Stop()
	c, _, err := websocket.Dial(ctx, r.listen, &websocket.DialOptions{
		HTTPClient: r.dialer,
		OnPingReceived: func(context.Context, []byte) bool {
			silence.Reset(relaySilence)
			return true
		},
	})
	if err != nil {
		return why(ctx, err)
	}
	defer c.CloseNow()
	c.SetReadLimit(relayFrame)
	if err := r.start(ctx, c); err != nil {
		return why(ctx, err)
	}
	silence.Reset(relaySilence)
	connected()

	go func() {
		select {
		case <-wake:
			cancel(errors.New("the machine was asleep"))
		case <-ctx.Done():
		}
	}()
	var posts sync.WaitGroup
	defer posts.Wait()
	defer cancel(nil)
	slots := make(chan struct{}, relayAtOnce)
	for {
		_, text, err := c.Read(ctx)
		if err != nil {
			return why(ctx, err)
		}
		silence.Reset(relaySilence)
		e, ok := readEvent(text)
		if !ok {
			continue // without an id it cannot be answered
		}
		slots <- struct{}{} // posts take less than relaySilence
		posts.Go(func() {
			defer func() { <-slots }()
			answer := frame("event", r.post(ctx, e))
			ctx, cancel := context.WithTimeout(ctx, relayWrite)
			defer cancel()
			_ = c.Write(ctx, websocket.MessageBinary, answer) // Read meets the same error
		})
	}
}

// start sends our token and waits for the answer.
func (r *relay) start(ctx context.Context, c *websocket.Conn) error {
	if err := c.Write(ctx, websocket.MessageBinary, frame("start", map[string]string{"token": r.token})); err != nil {
		return err
	}
	_, text, err := c.Read(ctx)
	if err != nil {
		return err
	}
	var m message
	if json.Unmarshal(text, &m) != nil || m.Type != "start" {
		return errors.New("unknown protocol; a newer aspectop may support it")
	}
	return nil
}

// why prefers our own reason for a disconnect to the library's error.
func why(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if closed, ok := errors.AsType[websocket.CloseError](err); ok {
		if closed.Code == websocket.StatusPolicyViolation && closed.Reason == "This socket is already in use" {
			return errTaken
		}
		return fmt.Errorf("the relay closed the connection (%d %s)", closed.Code, closed.Reason)
	}
	return err
}

// tokenFile stores the relay's token, so that the public URL stays the same between
// runs. Anyone who knows the token can read what was sent there.
type tokenFile struct{ dir, path string }

func newTokenFile(dir string) tokenFile { return tokenFile{dir, filepath.Join(dir, "relay.json")} }

// tokenForm is c_ and base62. Svix Play rejects tokens without c_.
var tokenForm = regexp.MustCompile(`^c_[0-9A-Za-z]{16,64}$`)

// load returns the stored token or creates one. It replaces an invalid file.
func (f tokenFile) load() (string, error) {
	text, err := os.ReadFile(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f.replace()
	case err != nil:
		return "", fmt.Errorf("cannot read the relay's token: %w", err)
	}
	var kept struct{ Token string }
	if json.Unmarshal(text, &kept) != nil || !tokenForm.MatchString(kept.Token) {
		return f.replace()
	}
	return kept.Token, nil
}

// replace creates and stores a new token. It returns the token even if it cannot be
// stored.
func (f tokenFile) replace() (token string, err error) {
	token = newToken()
	if err = private.MakeFolder(f.dir); err == nil {
		err = private.Replace(f.path, f.path+".tmp", fmt.Appendf(nil, `{"token":%q}`, token))
	}
	if err != nil {
		return token, fmt.Errorf("cannot save the relay's token: %w", err)
	}
	return token, nil
}

// newToken has the format of Svix's own program: 27 characters.
func newToken() string { return "c_" + (crand.Text() + crand.Text())[:27] }

const (
	postTimeout = 30 * time.Second // for the receiver's answer
	postAnswer  = 1 << 20          // its maximum size, in bytes
)

// event is a request to the public URL, with one value per header.
type event struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
	Body    []byte            `json:"body"` // base64 in JSON
}

// reply is the answer to an event.
type reply struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    []byte            `json:"body"`
}

// readEvent reads a frame, which may be something else.
func readEvent(text []byte) (e event, ok bool) {
	var m message
	ok = json.Unmarshal(text, &m) == nil && m.Type == "event" && json.Unmarshal(m.Data, &e) == nil
	return e, ok
}

// newPoster returns a client that does not modify requests and answers.
func newPoster() *http.Client {
	return &http.Client{
		Timeout: postTimeout,
		Transport: &http.Transport{
			DisableCompression:  true,
			MaxIdleConnsPerHost: relayAtOnce,
			IdleConnTimeout:     5 * time.Second, // before the receiver closes it
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// perHop are the headers of the connection, not of the request.
var perHop = [...]string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length",
}

// post posts an event to the receiver and returns its answer: 502 if there is none, so
// that the sender retries.
func (r *relay) post(ctx context.Context, e event) reply {
	failed := reply{ID: e.ID, Status: http.StatusBadGateway, Headers: map[string]string{}, Body: []byte{}}
	req, err := http.NewRequestWithContext(ctx, e.Method, r.target, bytes.NewReader(e.Body))
	if err != nil {
		return failed
	}
	for name, value := range e.Headers {
		req.Header.Set(name, value)
	}
	req.Host = req.Header.Get("Host")
	for _, name := range perHop {
		req.Header.Del(name)
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "") // or net/http adds its own
	}
	res, err := r.poster.Do(req)
	if err != nil {
		return failed
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, postAnswer))
	if err != nil {
		return failed
	}
	answer := reply{ID: e.ID, Status: res.StatusCode, Headers: map[string]string{}, Body: body}
	for name, values := range res.Header {
		answer.Headers[name] = strings.Join(values, ", ")
	}
	for _, name := range perHop {
		delete(answer.Headers, name)
	}
	return answer
}
