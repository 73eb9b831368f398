// Package check posts a series of messages to a webhook handler and says, property by
// property, what it found. It proves where it can: a body that carries the signature of
// what a mistaken handler would verify in its place.
package check

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"aspectop/forward"
	"aspectop/receiver"
)

// Options say what is checked.
type Options struct {
	URL      *url.URL
	Place    Place // of the URL's host
	Secret   receiver.Secret
	Header   http.Header // of each request; its values are in no output
	Insecure bool        // accept any certificate
	// Observe, if not nil, returns how often the work of a message was done.
	Observe func(ctx context.Context, id string) (int, error)
	// ObserveFor is how long to wait for a first time.
	ObserveFor time.Duration
	// Tell, if not nil, gets each probe, in their order.
	Tell func(Probe)

	// slow and patience, if not 0, stand in for slowTime and probeTime, for tests.
	slow, patience time.Duration
}

// Probe is one message, and what it was answered.
type Probe struct {
	N               int
	Name            string
	Valid, Accepted bool
	Status          int // 0: no answer
	Took            time.Duration
	Answer          string // its words, cleaned
}

// Outcome is what was found out about one property.
type Outcome struct {
	Property string
	Detail   string // of one that holds
	Skipped  string // why it was not looked at, "" if it was
}

// Report is all that was found out.
type Report struct {
	Probes, Valid int
	Findings      []*Finding
	Outcomes      []Outcome
	// Watched is a message that was posted several times, and Posted how often.
	Watched string
	Posted  int
	// Undecided says what was seen and could not be explained, if anything.
	Undecided []string
	// Err says why the check ended early, nil if it did not: [ErrNobody], [ErrSilent],
	// the context's, or what an observing command said.
	Err error
}

// Complete reports whether the check came to its end.
func (r *Report) Complete() bool { return r.Err == nil }

// Bad reports whether a finding is worse than a warning.
func (r *Report) Bad() bool {
	return slices.ContainsFunc(r.Findings, (*Finding).Bad)
}

// Reasons why nothing can be said.
var (
	ErrNobody = errors.New("nothing listens there")
	ErrSilent = errors.New("no answer")
	ErrSlow   = errors.New("the first two answers took longer than 5 s, so nothing else was checked")
	ErrRate   = errors.New("the handler limits the rate")
	ErrCut    = errors.New("an answer does not end")
)

// checker is one call of [Run].
type checker struct {
	Options
	ctx     context.Context
	handler *forward.Handler
	line    *http.Transport // of the requests on a kept connection
	report  *Report
	hidden  hidden
	stop    error  // why nothing more is posted
	skip    string // why the stage under way says nothing
	done    string // the finding that explains all the rest

	answers []answer // all so far
	acted   int      // messages that were valid, or were accepted

	// What is known of the handler.
	form       *form  // what it verifies of a body, nil for the body
	scheme     scheme // how it signs
	first      answer // to the first valid message
	forged     answer // to one with a foreign signature
	again      answer // to a message that was accepted before
	watched    []answer
	unverified bool // forged messages are accepted
	asciiOnly  bool // a body that has more is refused, however short
	largest    int  // body that is accepted, in bytes
}

// stages find out one property each.
var stages = []struct {
	property string
	// signed says that the stage means nothing where signatures are not verified.
	signed bool
	run    func(c *checker) (detail string)
}{
	{propAccepts, false, (*checker).accepts},
	{propForged, false, (*checker).rejects},
	{propRaw, true, (*checker).bytes},
	{propTime, true, (*checker).tolerance},
	{propRotation, true, (*checker).rotation},
	{propUnknown, false, (*checker).unknown},
	{propLate, false, (*checker).late},
	{propSize, false, (*checker).size},
	{propTwice, false, (*checker).twice},
	{propPoison, true, (*checker).poison},
	{propAnswers, false, (*checker).kept},
	{propWork, false, (*checker).work},
}

// Run checks a handler. The caller limits the time by ctx.
func Run(ctx context.Context, o Options) *Report {
	o.slow, o.patience = cmp.Or(o.slow, slowTime), cmp.Or(o.patience, probeTime)
	c := &checker{Options: o, ctx: ctx, report: new(Report), hidden: hidden{seen: map[string]bool{}}}
	for _, values := range o.Header {
		c.hidden.texts = append(c.hidden.texts, slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })...)
	}
	c.handler, c.stop = forward.NewHandler(forward.Target{URL: o.URL.String()})
	c.line = newLine(&c.Place, o.Insecure)
	defer c.line.CloseIdleConnections()
	for _, s := range stages {
		outcome := Outcome{Property: s.property}
		known := len(c.report.Undecided)
		switch {
		case c.stop != nil:
			outcome.Skipped = c.ended()
		case c.done != "":
			outcome.Skipped = "explained by " + c.done
		case s.signed && c.unverified:
			outcome.Skipped = "signatures are not verified"
		case s.property == propWork && o.Observe == nil:
			outcome.Skipped = "only you can see it; --observe asks"
		default:
			c.skip = ""
			outcome.Detail = s.run(c)
			outcome.Skipped = c.skip
			if c.stop != nil {
				outcome.Skipped = c.ended()
			} else if added := c.report.Undecided[known:]; len(added) > 0 {
				outcome.Skipped = added[0]
			}
		}
		c.report.Outcomes = append(c.report.Outcomes, outcome)
	}
	c.report.Err = c.stop
	return c.report
}

// ended is why nothing more is posted.
func (c *checker) ended() string {
	if errors.Is(c.stop, context.Canceled) {
		return "interrupted"
	}
	return c.stop.Error()
}

// Of returns the findings about a property.
func (r *Report) Of(property string) (found []*Finding) {
	for _, f := range r.Findings {
		if f.Property == property {
			found = append(found, f)
		}
	}
	return found
}

// verified is what the handler verifies of a body.
func (c *checker) verified(body []byte) []byte {
	if c.form == nil {
		return body
	}
	return c.form.rewrite(body)
}

// post posts one message.
func (c *checker) post(r request) answer { return c.together(r)[0] }

// together posts messages at the same time. Without an answer that says something, nothing
// more is posted; what is returned then has no meaning.
func (c *checker) together(requests ...request) []answer {
	answers := make([]answer, len(requests))
	if c.stop == nil && (c.report.Probes+len(requests) > MostProbes || c.acted+len(requests) > MostValid) {
		c.stop = fmt.Errorf("ended after %d requests", c.report.Probes)
	}
	if c.stop != nil {
		return answers
	}
	var wait sync.WaitGroup
	for i, r := range requests {
		c.report.Probes++
		r.meant = r.valid
		r.valid = r.valid && c.scheme.over == nil && bytes.Equal(c.verified(r.body), r.body)
		if r.valid {
			c.report.Valid++
		}
		if r.id == "" {
			r.id = newEvent("task.progress", 0).ID
		}
		requests[i] = r
		n := c.report.Probes
		wait.Go(func() {
			answers[i] = c.exchange(r)
			answers[i].n = n
		})
	}
	wait.Wait()
	for i, a := range answers {
		c.answers = append(c.answers, a)
		if a.accepted || a.Status == 0 || requests[i].valid {
			c.acted++
		}
		if c.Tell != nil {
			c.Tell(Probe{N: a.n, Name: requests[i].name, Valid: requests[i].valid, Accepted: a.accepted, Status: a.Status, Took: a.Latency, Answer: c.words(a)})
		}
		c.judge(requests[i], a)
	}
	return answers
}

// judge ends the check where an answer, or that there is none, leaves nothing to say about
// what comes after it.
func (c *checker) judge(r request, a answer) {
	switch {
	case c.stop != nil:
	case context.Cause(c.ctx) != nil:
		c.stop = context.Cause(c.ctx)
	case a.Refused() && a.n > 1:
		c.gone()
		c.stop = ErrNobody
	case a.Refused():
		c.stop = fmt.Errorf("%w: %w", ErrNobody, a.Err)
	case errors.Is(a.Err, forward.ErrTimeout):
		c.find("slow", []answer{a}, "longer than 15 s")
		c.stop = fmt.Errorf("%w within %v", ErrSilent, c.patience)
	case a.Err != nil && a.n == 1 && !a.Closed():
		c.stop = fmt.Errorf("%w: %w", ErrSilent, a.Err)
	case a.Status == http.StatusTooManyRequests:
		c.find("rate", []answer{a})
		c.stop = ErrRate
	case a.Closed() && a.n > 1 && r.meant && !r.large && !a.Reused:
		c.find("closes", []answer{a})
	case a.Broken != nil:
		c.find("cut", []answer{a})
		if errors.Is(a.Broken, forward.ErrTimeout) {
			c.stop = ErrCut
		}
	}
}

// gone reports that nothing listens any more. The first of the last requests without an answer
// is what it went away over; findings that rest on those alone would accuse the others.
func (c *checker) gone() {
	last := len(c.answers)
	for last > 0 && c.answers[last-1].Status == 0 {
		last--
	}
	c.report.Findings = slices.DeleteFunc(c.report.Findings, func(f *Finding) bool { return slices.Min(f.Evidence) > last })
	c.find("crash/gone", c.answers[last:])
}
