package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"aspectop/aspect"
	"aspectop/cli/settings"
	"aspectop/receiver"
	"aspectop/words"
)

// account is what one call of Aspect's API says about the key and the clock.
type account struct {
	key     bool // a key is set
	err     error
	active  int
	took    time.Duration
	address string

	dated  bool          // an answer had a date
	off    time.Duration // of this machine's clock, positive if it is ahead
	margin time.Duration

	transport *http.Transport // of the call
}

// askAccount lists the active tasks, as watch does.
func askAccount(ctx context.Context) *account {
	a := &account{transport: aspect.NewTransport(), address: cmp.Or(os.Getenv(settings.URLVariable), aspect.DefaultURL)}
	client, err := newClient(a)
	a.key = client != nil || err != nil
	if a.err = err; client == nil {
		return a
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	began := time.Now()
	tasks, err := client.ActiveTasks(ctx)
	a.active, a.err, a.took = len(tasks), err, time.Since(began)
	return a
}

// RoundTrip makes account the [http.RoundTripper] of its call. It compares the clock
// with the answer's Date.
func (a *account) RoundTrip(r *http.Request) (*http.Response, error) {
	asked := time.Now()
	res, err := a.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if theirs, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		// The header is rounded to seconds, and the answer took some time.
		half := time.Since(asked) / 2
		a.off = asked.Add(half).Sub(theirs.Add(time.Second / 2))
		a.margin = half + time.Second
		a.dated = true
	}
	return res, nil
}

// Unwrap is for [loopback.Via].
func (a *account) Unwrap() *http.Transport { return a.transport }

func (a *account) checkKey() finding {
	switch {
	case !a.key:
		return finding{skipped, "not set; needed for tasks, messages, polling and registering", "create one in Aspect's settings and set " + settings.KeyVariable}
	case a.err != nil:
		return finding{failure, a.err.Error(), ""}
	}
	told := fmt.Sprintf("accepted by %s in %d ms, %s", a.address, a.took.Milliseconds(), words.Count(a.active, "active task", "active tasks"))
	if u, err := url.Parse(a.address); err == nil && u.Scheme == "http" && receiver.Public(u.Host) {
		return finding{warning, told, "the key is sent unencrypted; should " + settings.URLVariable + " begin with https://?"}
	}
	return finding{fine, told, ""}
}

// Limits for the error of this machine's clock. Beyond the tolerance of Svix's
// signatures, every delivery is rejected.
const (
	clockWarning = 30 * time.Second
	clockFailure = 5 * time.Minute
)

func (a *account) checkClock() finding {
	switch {
	case !a.key:
		return finding{skipped, "not compared: needs an API key", ""}
	case !a.dated:
		return finding{skipped, "not compared: no answer had a date", ""}
	}
	const do = "synchronize the system clock (NTP)"
	away, side := a.off.Abs(), "ahead of"
	if a.off < 0 {
		side = "behind"
	}
	told := fmt.Sprintf("%s %s Aspect's, within %s", away.Round(time.Second), side, a.margin.Round(time.Second))
	switch {
	case away <= a.margin:
		return finding{fine, "same as Aspect's, within " + a.margin.Round(time.Second).String(), ""}
	case away-a.margin > clockFailure:
		return finding{failure, told + "; signatures would be rejected", do}
	case away-a.margin > clockWarning:
		return finding{warning, told, do}
	}
	return finding{fine, told, ""}
}
