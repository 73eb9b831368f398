package tunnel

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/model"
)

func TestAKilledProgramIsNotSaidToHaveEndedForAnOldError(t *testing.T) {
	s := quick()
	s.Stderr = []string{`{"level":"error","message":"Failed to initialize DNS local resolver","error":"no luck"}`}
	r := open(t, s, setup{})
	ready(t, r)
	n := len(r.list())
	child, err := os.FindProcess(r.runs()[0].Pid)
	if err == nil {
		err = child.Kill()
	}
	if err != nil {
		t.Fatal(err)
	}
	m, _ := r.wait(t, n, "that it was killed", says(model.TunnelReconnecting, "killed by a signal"))
	if strings.Contains(m.Detail, "resolver") {
		t.Errorf("%+v", m)
	}
}

func TestOnlyTheNewestWordsAreTheReasonOfAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLogbook("")
		b.Write([]byte("2024-05-01T10:00:00Z ERR old\nold and plain\n"))
		time.Sleep(time.Minute)
		since := time.Now()
		if got := b.lastWords(since); got != "" {
			t.Errorf("from before: %q", got)
		}
		b.Write([]byte("2024-05-01T10:01:00Z ERR new\n2024-05-01T10:01:00Z INF bye\n"))
		if got := b.lastWords(since); got != "new" {
			t.Errorf("the newest error: %q", got)
		}
		b.Write([]byte("at last\n2024-05-01T10:01:00Z ERR newer\n"))
		if got := b.lastWords(since); got != "at last" {
			t.Errorf("its last words: %q", got)
		}
	})
}

func TestAnEndLongAfterAnErrorHasNoReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &session{cloudflared: &cloudflared{}, log: newLogbook(""), since: time.Now()}
		l.log.Write([]byte("2024-05-01T10:00:00Z ERR no luck\n"))
		if why := l.ended(1).why; !strings.HasSuffix(why, "no luck") {
			t.Errorf("at once: %s", why)
		}
		time.Sleep(time.Minute)
		if why := l.ended(1).why; !strings.HasSuffix(why, "no reason given") {
			t.Errorf("after a minute: %s", why)
		}
	})
}

func TestAnEdgeThatDoesNotAnswerIsToldAsSuch(t *testing.T) {
	r := open(t, script{}, setup{pace: func(c *cloudflared) { c.unheard = 20 * time.Millisecond }})
	_, n := r.wait(t, 0, "that it is connecting", says(model.TunnelStarting, "connecting to Cloudflare; takes 15 s longer if UDP"))
	_, n = r.wait(t, n, "that nothing answers", says(model.TunnelStarting, "UDP and TCP port 7844"))
	r.now(quick())
	r.wait(t, n, "that it is connected", is(model.TunnelConnected))
}

func TestTheReasonStaysInSightUntilSomethingBetterIsKnown(t *testing.T) {
	r := open(t, script{Ends: true, Code: 1, LastWords: []string{"failed to parse quick Tunnel ID: out of luck"}}, setup{})
	_, n := r.wait(t, 0, "that it starts again", says(model.TunnelReconnecting, "starting again after: ", "out of luck"))
	r.now(script{})
	_, n = r.wait(t, n, "that it connects again", says(model.TunnelReconnecting, "connecting to Cloudflare again after: ", "out of luck"))
	r.now(quick())
	r.wait(t, n, "that it is connected", says(model.TunnelConnected, "1 of 1"))
}
