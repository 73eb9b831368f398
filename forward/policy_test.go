package forward

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// tries note when which message was tried.
type tries struct {
	mu  sync.Mutex
	ids []string
	at  []time.Time
}

func (l *tries) note(r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ids = append(l.ids, r.Header.Get("Svix-Id"))
	l.at = append(l.at, time.Now())
}

func (l *tries) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.ids)
}

// of returns when the message was tried, in seconds from the beginning.
func (l *tries) of(id string, began time.Time) (seconds []int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.ids {
		if l.ids[i] == id {
			seconds = append(seconds, int(l.at[i].Sub(began).Round(time.Second).Seconds()))
		}
	}
	return seconds
}

func TestAMessageIsTriedEightTimesWithinFifteenMinutesAndThenTheNextGoesOn(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer wire
		want   []int
	}{
		{"500", func(*http.Request) (*http.Response, error) { return reply(500) }, []int{0, 1, 5, 20, 65, 170, 410, 710}},
		{"302", func(*http.Request) (*http.Response, error) { return reply(302, "Location", "/elsewhere") }, []int{0, 1, 5, 20, 65, 170, 410, 710}},
		{"408", func(*http.Request) (*http.Response, error) { return reply(408) }, []int{0, 1, 5, 20, 65, 170, 410, 710}},
		{"429", func(*http.Request) (*http.Response, error) { return reply(429) }, []int{0, 1, 5, 20, 65, 170, 410, 710}},
		{"no answer", silence, []int{0, 16, 35, 65, 125, 245, 500, 815}},
		{"Retry-After in seconds", func(*http.Request) (*http.Response, error) { return reply(503, "Retry-After", "30") }, []int{0, 30, 60, 90, 120, 150, 180, 210}},
		{"Retry-After as a date", func(*http.Request) (*http.Response, error) {
			return reply(429, "Retry-After", time.Now().Add(2*time.Minute).UTC().Format(http.TimeFormat))
		}, []int{0, 120, 240, 360, 480, 600, 720, 840}},
		{"Retry-After of a day", func(*http.Request) (*http.Response, error) { return reply(503, "Retry-After", "86400") }, []int{0, 300, 600, 900}},
		{"Retry-After that is none", func(*http.Request) (*http.Response, error) { return reply(503, "Retry-After", "-5") }, []int{0, 1, 5, 20, 65, 170, 410, 710}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log tries
			answer := func(r *http.Request) (*http.Response, error) {
				log.note(r)
				if r.Header.Get("Svix-Id") == "msg_t_1" {
					return c.answer(r)
				}
				return reply(204)
			}
			inVirtualTime(t, answer, func(v *virtual) {
				first, second := message("t", 1), message("t", 2)
				v.journal.append(first, second)
				time.Sleep(20 * time.Minute)
				if got := log.of(first.ID, v.began); !slices.Equal(got, c.want) {
					t.Errorf("tried after %v s, want %v", got, c.want)
				}
				f := v.journal.outcome(first.Seq)
				if !f.Final || !f.GaveUp || f.Tries != len(c.want) || f.Error == "" {
					t.Errorf("the outcome is %+v", f)
				}
				if f := v.journal.outcome(second.Seq); !f.Delivered() || f.Tries != 1 {
					t.Errorf("the next message of the task: %+v", f)
				}
				if after := log.of(second.ID, v.began); len(after) != 1 || after[0] < c.want[len(c.want)-1] {
					t.Errorf("the next message went at %v s", after)
				}
				if q := v.Queue(); q.GaveUp != 1 || q.Delivered != 1 || q.Waiting+q.InFlight+q.Retrying != 0 {
					t.Errorf("the queue is %+v", q)
				}
			})
		})
	}
}

func TestTwoHundredsAndMostFourHundredsAreFinal(t *testing.T) {
	for _, code := range []int{200, 201, 202, 204, 299, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 451, 499} {
		inVirtualTime(t, func(*http.Request) (*http.Response, error) { return reply(code) }, func(v *virtual) {
			d := message("t", 1)
			v.journal.append(d)
			time.Sleep(20 * time.Minute)
			f := v.journal.outcome(d.Seq)
			if f.Tries != 1 || !f.Final || f.GaveUp || f.Status != code || f.Delivered() != (code < 300) || string(f.Body) != "answer" {
				t.Errorf("%d: %+v", code, f)
			}
		})
	}
}

func TestAnOutcomeIsKnownBeforeItIsFinal(t *testing.T) {
	inVirtualTime(t, func(*http.Request) (*http.Response, error) { return reply(500) }, func(v *virtual) {
		d := message("t", 1)
		v.journal.append(d, message("t", 2))
		time.Sleep(30 * time.Second)
		if f := v.journal.outcome(d.Seq); f.Final || f.Tries != 4 || f.Status != 500 || f.Error != "answered 500 Internal Server Error" {
			t.Errorf("%+v", f)
		}
		q := v.Queue()
		if want := v.began.Add(65 * time.Second); q.Waiting != 1 || q.Retrying != 1 || q.NextTry.Sub(want).Abs() > time.Second {
			t.Errorf("the queue is %+v, next try wanted at %v", q, want)
		}
	})
}

// Timeouts fill the slots for a while, but leave room for other tasks.
func TestTasksWhoseMessagesTimeOutLeaveRoomForOthers(t *testing.T) {
	var log tries
	answer := func(r *http.Request) (*http.Response, error) {
		log.note(r)
		if r.Header.Get("X-Stuck") != "" {
			return silence(r)
		}
		return reply(204)
	}
	inVirtualTime(t, answer, func(v *virtual) {
		for n := range 40 {
			d := message(fmt.Sprint("stuck", n), 1)
			d.Header["X-Stuck"] = []string{"yes"}
			v.journal.append(d)
		}
		time.Sleep(50 * time.Second) // each has had its first try
		for n := range 100 {
			asked := time.Now()
			d := message(fmt.Sprint("fine", n), 1)
			v.journal.append(d)
			for !v.journal.outcome(d.Seq).Final {
				time.Sleep(10 * time.Millisecond)
			}
			if took := time.Since(asked); took > 200*time.Millisecond {
				t.Fatalf("message %d took %v while others were stuck", n, took)
			}
			time.Sleep(time.Second)
		}
	})
}

func TestWhoWaitedForAHandlerThatWasNotThereIsTriedAtOnceWhenItAnswers(t *testing.T) {
	var up atomic.Bool
	answer := func(r *http.Request) (*http.Response, error) {
		if !up.Load() {
			return nil, errRefused
		}
		return reply(204)
	}
	inVirtualTime(t, answer, func(v *virtual) {
		for n := range 50 {
			v.journal.append(message(fmt.Sprint("t", n), 1))
		}
		time.Sleep(200 * time.Second) // the next try would be at 410 s
		up.Store(true)
		v.journal.append(message("another", 1))
		time.Sleep(time.Second)
		if q := v.Queue(); q.Delivered != 51 {
			t.Errorf("a second after the handler came up the queue is %+v", q)
		}
	})
}

func TestAHandlerThatComesAndGoesDoesNotUseUpTheTries(t *testing.T) {
	answer := func(r *http.Request) (*http.Response, error) {
		if strings.HasPrefix(r.Header.Get("Svix-Id"), "msg_unlucky") {
			return nil, errRefused
		}
		return reply(204)
	}
	inVirtualTime(t, answer, func(v *virtual) {
		v.journal.append(message("unlucky", 1))
		for n := 0; time.Since(v.began) < 6*time.Second; n++ {
			v.journal.append(message("lucky", n))
			time.Sleep(10 * time.Millisecond)
		}
		if f := v.journal.outcome(1); f.Tries > 7 || f.Final {
			t.Errorf("%d tries in six seconds", f.Tries)
		}
	})
}

func TestAMessageThatCrashesTheHandlerIsNotHurriedByOthersThatDoNot(t *testing.T) {
	var log tries
	answer := func(r *http.Request) (*http.Response, error) {
		log.note(r)
		if r.Header.Get("Svix-Id") == "msg_bad_1" {
			return nil, fmt.Errorf("EOF")
		}
		return reply(204)
	}
	inVirtualTime(t, answer, func(v *virtual) {
		v.journal.append(message("bad", 1))
		for n := range 30 {
			v.journal.append(message("good"+strconv.Itoa(n), 1))
			time.Sleep(time.Second)
		}
		if got := log.of("msg_bad_1", v.began); !slices.Equal(got, []int{0, 1, 5, 20}) {
			t.Errorf("tried after %v s", got)
		}
	})
}

func TestThePolicyInWordsIsTheOneThatIsFollowed(t *testing.T) {
	var total time.Duration
	var words []string
	for _, p := range pauses {
		total += p
		words = append(words, strings.TrimSuffix(p.String(), "m0s")+map[bool]string{true: "m"}[p%time.Minute == 0])
	}
	last := len(words) - 1
	want := fmt.Sprintf("%d attempts in %d minutes, after %s and %s", maxTries, int(total.Round(time.Minute).Minutes()), strings.Join(words[:last], ", "), words[last])
	if RetryPolicy != want {
		t.Errorf("the policy is said to be %q, and is %q", RetryPolicy, want)
	}
	page, err := os.ReadFile("../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(strings.Fields(string(page)), " "); !strings.Contains(text, RetryPolicy) {
		t.Errorf("docs/commands.md does not say %q", RetryPolicy)
	}
}

// A handler that fails one time in seven, as many do while they are written.
func TestAHandlerThatFailsNowAndThenGetsEverythingOnceAndInOrder(t *testing.T) {
	const messages, tasks = 300, 20
	var mu sync.Mutex
	requests, taken := 0, map[string][]int{}
	answer := func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		if requests++; requests%7 == 0 {
			return reply(500)
		}
		var task, n int
		if _, err := fmt.Sscanf(r.Header.Get("Svix-Id"), "msg_t%d_%d", &task, &n); err != nil {
			t.Error(err)
		}
		key := fmt.Sprint(task)
		taken[key] = append(taken[key], n)
		return reply(204)
	}
	inVirtualTime(t, answer, func(v *virtual) {
		for n := range messages {
			v.journal.append(message(fmt.Sprint("t", n%tasks), n))
		}
		for v.Queue().Delivered < messages {
			time.Sleep(time.Second)
			if q := v.Queue(); q.GaveUp > 0 || time.Since(v.began) > maxTime {
				t.Fatalf("after %v: %+v", time.Since(v.began), q)
			}
		}
		t.Logf("all delivered after %v in %d requests", time.Since(v.began), requests)
		for task := range tasks {
			var want []int
			for n := task; n < messages; n += tasks {
				want = append(want, n)
			}
			if got := taken[fmt.Sprint(task)]; !slices.Equal(got, want) {
				t.Errorf("task %d got %v", task, got)
			}
		}
	})
}
