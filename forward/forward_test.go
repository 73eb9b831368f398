package forward

import (
	"fmt"
	"testing"
)

func TestMessagesArriveInOrderForEachTask(t *testing.T) {
	h := newHandler(t, nil)
	r := forwardTo(t, h.URL+"/hook")
	var sent []string
	for n := range 100 {
		d := message(fmt.Sprint("t", n%7), n)
		r.append(d)
		sent = append(sent, d.ID)
	}
	r.idle()
	last := map[string]int{}
	for _, q := range h.requests() {
		var task string
		var n int
		fmt.Sscanf(q.id(), "msg_t%1s_%d", &task, &n)
		if before, ok := last[task]; ok && n <= before {
			t.Errorf("task %s: message %d came after %d", task, n, before)
		}
		last[task] = n
		verifies(t, aspectSecret, q)
	}
	if got := len(h.requests()); got != len(sent) {
		t.Errorf("%d requests for %d messages", got, len(sent))
	}
	f := r.outcome(1)
	if f.Status != 204 || !f.Final || f.Tries != 1 || f.Resigned || f.Error != "" || f.Latency <= 0 || f.To != h.URL+"/hook" {
		t.Errorf("the outcome is %+v", f)
	}
}
