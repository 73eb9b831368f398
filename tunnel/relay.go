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
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"aspectop/clean"
	"aspectop/loopback"
	"aspectop/model"
	"aspectop/private"
)

const (
	relayListen = "wss://api.relay.svix.com/api/v1/listen/"
	playBase    = "https://play.svix.com/"
	tokenFile   = "relay.json"

	relaySilence = 35 * time.Second // the relay sends a ping every 20 s
	relayGreet   = 10 * time.Second // for connecting and the answer to our start
	relayWrite   = 10 * time.Second
	// relayFrame is the maximum size of a frame, in bytes, as in Svix's own program.
	relayFrame = 64 << 20
	// relayAtOnce is the maximum number of requests in flight. One whose frame is larger
	// than relayLarge, in bytes, is posted before the next one is read: anyone can send it.
	relayAtOnce = 32
	relayLarge  = 4 << 20
	// relayEarly is how many other frames may come before the answer to our start.
	relayEarly = 10
	// relayStale is how long a lost connection of ours, or of an earlier run, may still
	// hold the token, until the relay notices.
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
	errTaken  = errors.New("this address is in use, by another program or still by an earlier connection")
)

// relay is the provider that listens at Svix's relay and posts its requests to the
// receiver.
type relay struct {
	listen string // websocket URL
	play   string // public URL, without in/…
	target string // the receiver's webhook URL
	dialer *http.Client
	poster *http.Client
	state  string // folder of the token
	token  string
	now    func() time.Time
	// borrowed is whether the token is for this run only.
	borrowed bool
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
		state:  o.StateDir,
		dialer: &http.Client{Transport: loopback.Transport()},
		poster: newPoster(),
	}
	var err error
	if r.token, err = loadToken(r.state); err != nil {
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
	lost := time.Now() // when a connection with this token may have been lost, zero: never
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
		if errors.Is(err, errTaken) && time.Since(lost) > relayStale {
			// The stored one stays: endpoints may lead to it, and the next run may get it.
			detail = "1 of 1; new address for this run, because another program uses the stored one"
			r.token, r.borrowed = newToken(), true
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
	c, answer, err := websocket.Dial(ctx, r.listen, &websocket.DialOptions{
		HTTPClient: r.dialer,
		OnPingReceived: func(context.Context, []byte) bool {
			silence.Reset(relaySilence)
			return true
		},
	})
	if err != nil && ctx.Err() == nil && answer != nil {
		return errors.New("it answered " + answer.Status)
	} else if err != nil {
		return why(ctx, err)
	}
	defer c.CloseNow()
	c.SetReadLimit(relayFrame)
	start := frame("start", map[string]string{"token": r.token})
	if err := c.Write(ctx, websocket.MessageText, start); err != nil {
		return why(ctx, err)
	}

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
	started := false
	for early := 0; ; {
		_, text, err := c.Read(ctx)
		if err != nil {
			return why(ctx, err)
		}
		var m message
		known := json.Unmarshal(text, &m) == nil
		switch {
		case !started && known && m.Type == "start":
			r.accept(m.Data)
			started = true
			connected()
		case !started:
			if early++; early > relayEarly {
				return errors.New("it does not answer the start; a newer aspectop may understand it")
			}
		}
		if started {
			silence.Reset(relaySilence)
		}
		e, ok := readEvent(m)
		if !ok {
			continue // without an id it cannot be answered
		}
		post := func() {
			answer := frame("event", r.post(ctx, e))
			ctx, cancel := context.WithTimeout(ctx, relayWrite)
			defer cancel()
			_ = c.Write(ctx, websocket.MessageBinary, answer) // Read meets the same error
		}
		if len(text) > relayLarge {
			post() // takes less than relaySilence
			continue
		}
		slots <- struct{}{} // and so does this
		posts.Go(func() {
			defer func() { <-slots }()
			post()
		})
	}
}

// accept takes the token in the relay's answer to our start: requests come in by that.
func (r *relay) accept(data []byte) {
	var given struct{ Token string }
	if json.Unmarshal(data, &given) != nil || given.Token == r.token || !tokenForm.MatchString(given.Token) {
		return
	}
	if r.token = given.Token; !r.borrowed {
		_ = saveToken(r.state, r.token) // if that fails, the relay gives one again
	}
}

// why prefers our own reason for a disconnect to the library's error, and of that the
// innermost one.
func why(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if closed, ok := errors.AsType[websocket.CloseError](err); ok {
		if closed.Code == websocket.StatusPolicyViolation && closed.Reason == "This socket is already in use" {
			return errTaken
		}
		return fmt.Errorf("it closed the connection (%d %s)", closed.Code, closed.Reason)
	}
	if errors.Is(err, websocket.ErrMessageTooBig) {
		return fmt.Errorf("a request is larger than %d MiB", relayFrame>>20)
	}
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return fmt.Errorf("the connection broke: %w", err)
}

// tokenForm is what a token may be, ours or one of the relay's: it is a part of a URL.
var tokenForm = regexp.MustCompile(`^[0-9A-Za-z_-]{8,64}$`)

// loadToken returns the token that the folder has from an earlier run, so that the public URL
// stays the same, or creates one. It replaces an invalid file. Anyone who knows the token can
// read what was sent there.
func loadToken(folder string) (string, error) {
	text, err := os.ReadFile(filepath.Join(folder, tokenFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("cannot read the relay's token: %w", err)
	}
	var kept struct{ Token string }
	if json.Unmarshal(text, &kept) == nil && tokenForm.MatchString(kept.Token) {
		return kept.Token, nil
	}
	token := newToken()
	return token, saveToken(folder, token)
}

func saveToken(folder, token string) error {
	err := private.MakeFolder(folder)
	if err == nil {
		file := filepath.Join(folder, tokenFile)
		err = private.Replace(file, file+".tmp", fmt.Appendf(nil, `{"token":%q}`, token))
	}
	if err != nil {
		return fmt.Errorf("cannot save the relay's token: %w", err)
	}
	return nil
}

// newToken is c_, without which Svix Play rejects a token, and 27 characters. Svix's own program takes 10 of base62, but who
// guesses a token can read what comes through.
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

type reply struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    []byte            `json:"body"`
}

// readEvent reads a request, which a frame need not be.
func readEvent(m message) (e event, ok bool) {
	ok = m.Type == "event" && json.Unmarshal(m.Data, &e) == nil && e.ID != "" && e.Method != ""
	return e, ok
}

// newPoster returns a client that does not modify requests and answers.
func newPoster() *http.Client {
	return &http.Client{
		Timeout: postTimeout,
		Transport: loopback.Route(&http.Transport{
			DisableCompression:  true,
			MaxIdleConnsPerHost: relayAtOnce,
			IdleConnTimeout:     5 * time.Second, // before the receiver closes it
		}, new(net.Dialer)),
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
