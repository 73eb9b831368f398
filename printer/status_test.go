package printer

import (
	"strings"
	"testing"
	"time"

	"aspectop/model"
)

// flood rejects 1,000 requests at once, 100 a second later, and ends.
func flood(t *testing.T, o Options) string {
	return perform(t, o, nil, func(s *stage) {
		s.at(1, func() { s.reject(1000) })
		s.at(2, func() {})
		s.at(3, func() { s.reject(100) })
		time.Sleep(newsTime)
	})
}

func TestAFloodOfRejectedRequestsIsLimitedAndCounted(t *testing.T) {
	printed := flood(t, Options{Format: JSON})
	if n := strings.Count(printed, `"type":"rejected"`); n != 100 {
		t.Errorf("%d rejected lines, want 50 in each of two seconds", n)
	}
	want := []string{`"type":"ready"`, `"type":"rejected_skipped","time":"2026-11-23T12:00:02`, `"count":950}`,
		`"type":"rejected_skipped","time":"2026-11-23T12:00:03`, `"count":50}`, `"type":"end"`, `"rejected":1100`}
	rest := printed
	for _, w := range want {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			t.Fatalf("no %s in its place in\n%s", w, printed)
		}
		rest = after
	}
}

func TestRejectedRequestsThatWereOverwrittenAreCounted(t *testing.T) {
	play := func(s *stage) { s.at(1, func() { s.reject(3000) }) } // of which the log holds 1,000
	printed := perform(t, Options{Format: JSON}, nil, play)
	if !strings.Contains(printed, `"count":2950}`) || !strings.Contains(printed, `"rejected":3000`) {
		t.Error(printed)
	}
	filter, err := model.ParseFilter("state:failed")
	if err != nil {
		t.Fatal(err)
	}
	printed = perform(t, Options{Format: JSON, Filter: filter}, nil, play)
	if strings.Contains(printed, `"type":"rejected`) || !strings.Contains(printed, `"rejected":3000`) {
		t.Error("with a filter:", printed)
	}
}

func TestASecondWithFewRejectedRequestsSkipsNone(t *testing.T) {
	printed := perform(t, Options{Format: JSON}, nil, func(s *stage) {
		for second := 1; second <= 5; second++ {
			s.at(second, func() { s.reject(rejectedPerSecond) })
		}
		time.Sleep(newsTime)
	})
	if n := strings.Count(printed, `"type":"rejected"`); n != 5*rejectedPerSecond || strings.Contains(printed, "skipped") {
		t.Errorf("%d rejected lines:\n%s", n, printed)
	}
}

func TestTheStatusLogIsReadFromItsStart(t *testing.T) {
	log := model.NewStatusLog(10)
	log.Add(model.Status{At: noon, Rejected: &model.Rejected{Verdict: model.Verdict{Reason: model.TooLarge, Detail: "too large", Hint: "send less"}}})
	p := newPrinter(Options{Format: JSON, Status: log, Now: func() time.Time { return noon }})
	p.readStatus()
	if got, want := p.buf.String(), `{"type":"rejected","time":"2026-11-23T12:00:00.000000Z","id":null,"reason":"too_large","detail":"too large","hint":"send less","evidence":null,"skew_seconds":null,"tolerance_seconds":null,"path":null,"method":null}`+"\n"; got != want {
		t.Errorf("got  %swant %s", got, want)
	}
}
