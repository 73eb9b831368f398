package check

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"aspectop/broadcast"
	"aspectop/clean"
)

// observed asks until the work was done once, and a second later whether it was done again.
func (c *checker) observed() (count int, err error) {
	for until := time.Now().Add(c.ObserveFor); ; {
		count, err = c.Observe(c.ctx, c.report.Watched)
		if err != nil || count == 0 && !time.Now().Before(until) {
			return 0, err
		}
		pause := 250 * time.Millisecond
		if count > 0 {
			pause = time.Second
		}
		if broadcast.Sleep(c.ctx, pause) != nil {
			return 0, context.Cause(c.ctx)
		}
		if count > 0 {
			return c.Observe(c.ctx, c.report.Watched)
		}
	}
}

// Count reads the number that an observing command has printed.
func Count(output string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(output))
	if err != nil || n < 0 {
		return 0, fmt.Errorf("it printed %s, which is no number", clean.Quoted(strings.TrimSpace(output)))
	}
	return n, nil
}
