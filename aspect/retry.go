package aspect

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter is the longest wait that a server may ask for. Whoever is told
// to come back later than that gets the error, with that time in it.
const maxRetryAfter = time.Minute

// backoff is the wait after the nth failure: half a second, doubled each time,
// times a random factor from 0.5 to 1.5 so that many clients do not come back
// together.
func backoff(n int) time.Duration {
	base := 500 * time.Millisecond << (n - 1)
	return base/2 + rand.N(base)
}

// retryAfter reads the header, seconds or a date; zero if it says nothing. A
// date is taken against the server's own clock where the answer tells it.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if sent, err := http.ParseTime(h.Get("Date")); err == nil {
		now = sent
	}
	return max(0, until.Sub(now))
}
