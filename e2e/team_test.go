//go:build unix

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"aspectop/journal/postgres/pgtest"
)

// Two receivers and ten viewers on a primary with a synchronous standby, under
// load, while one after the other fails. The long form does so five times, and
// stops the server for half a minute.
func TestFaultsOfATeamLoseNothing(t *testing.T) {
	t.Parallel() // it waits most of the time
	rounds, stopped := either(1, 5), either(3*time.Second, 30*time.Second)
	for i := range rounds {
		t.Run(fmt.Sprint("round ", i+1), func(t *testing.T) { drill(t, stopped) })
	}
}

func drill(t *testing.T, stopped time.Duration) {
	const small = 256 << 20
	primary := pgtest.StartOnDisk(t, small, "max_wal_size = 64MB", "min_wal_size = 32MB")
	disk := primary != nil
	if !disk {
		primary = pgtest.Start(t)
	}
	standby := primary.Standby()
	url := fmt.Sprintf("postgres://aspectop@%s,%s/aspectop?connect_timeout=2", primary.Address(), standby.Address())
	receivers := []*receiver{startReceiver(t, url), startReceiver(t, url)}
	var viewers []*piped
	for range 10 {
		v := inPipe(t, program(t, "view", "--json", "--journal", url))
		v.next("ready")
		viewers = append(viewers, v)
	}
	l := startPosting(t, receivers)
	l.more(200)

	t.Log("a receiver is killed")
	receivers[0].kill()
	l.more(200)
	receivers[0].start()

	t.Log("connections are cut")
	for range 3 {
		primary.Exec("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'aspectop'")
		l.more(100)
	}

	t.Log("the standby is stopped")
	standby.Stop()
	l.refusals(8) // by then what had reached the standby is through
	kept := l.count()
	l.refusals(8)
	if n := l.count(); n != kept {
		t.Errorf("%d were answered 204 while the synchronous standby was away", n-kept)
	}
	if code, _ := get(t, "http://"+receivers[0].address+"/readyz"); code != http.StatusServiceUnavailable {
		t.Errorf("/readyz is %d while nothing can be kept", code)
	}
	standby.Launch()
	l.more(200)

	t.Log("the server is stopped for", stopped)
	primary.Stop()
	l.refusals(8)
	time.Sleep(stopped)
	primary.Launch()
	l.more(200)

	if disk {
		t.Log("the server's disk is full")
		free := primary.FillDisk()
		l.refusals(20)
		free()
		l.more(200)
	} else {
		t.Log("left out: a full disk, which takes the right to mount one")
	}

	t.Log("the primary is killed and the standby promoted")
	primary.Kill()
	standby.Exec("postgres", "ALTER SYSTEM SET synchronous_standby_names = ''")
	standby.Promote()
	l.more(200)

	l.stop()
	arrivals := exported(t, url)
	l.check(arrivals)
	for i, v := range viewers {
		v.holds(fmt.Sprint("viewer ", i+1), arrivals)
	}
	for _, r := range receivers {
		r.watch.signal(syscall.SIGTERM)
		if code := r.watch.ends(); code != 0 {
			t.Errorf("a receiver ended with %d: %s", code, r.watch.errors())
		}
	}
}

// receiver is a watch that can be killed and started again at its address.
type receiver struct {
	t            *testing.T
	url, address string
	watch        *piped
}

func startReceiver(t *testing.T, url string) *receiver {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{t: t, url: url, address: l.Addr().String()}
	l.Close()
	r.start()
	return r
}

func (r *receiver) start() {
	r.t.Helper()
	r.watch = inPipe(r.t, watching(r.t, "--json", "--retain", "30d", "--listen", r.address, "--journal", r.url))
	r.watch.next("ready")
	go func() { // it would wait for whoever reads
		for range r.watch.lines {
		}
	}()
}

func (r *receiver) kill() {
	r.t.Helper()
	r.watch.signal(syscall.SIGKILL)
	r.watch.cmd.Wait()
}

// posting is a load of deliveries. What is not answered 204 is posted again, to
// the other receiver, as a load balancer would have Svix do.
type posting struct {
	t         *testing.T
	receivers []*receiver
	end       context.CancelFunc
	all       sync.WaitGroup

	mu      sync.Mutex
	bodies  map[string]string // of the ids that were answered 204
	refused int
}

func startPosting(t *testing.T, receivers []*receiver) *posting {
	ctx, end := context.WithCancel(context.Background())
	l := &posting{t: t, receivers: receivers, end: end, bodies: map[string]string{}}
	t.Cleanup(end)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: 15 * time.Second}
	for g := range 8 {
		l.all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				l.post(ctx, client, g, fmt.Sprintf("msg_%d_%d", g, i))
			}
		})
	}
	return l
}

func (l *posting) post(ctx context.Context, client *http.Client, g int, id string) {
	body := tells("task_"+id, "task.progress", time.Now(), feature("visual", "processing"))
	for try := 0; ctx.Err() == nil; try++ {
		to := l.receivers[(g+try)%len(l.receivers)]
		res, err := client.Do(delivery{id: id, body: body}.request(l.t, "http://"+to.address+"/webhooks/aspect"))
		if err == nil {
			res.Body.Close()
		}
		kept := err == nil && res.StatusCode == http.StatusNoContent
		l.mu.Lock()
		if kept {
			l.bodies[id] = body
		} else {
			l.refused++
		}
		l.mu.Unlock()
		if kept {
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (l *posting) stop() {
	l.end()
	l.all.Wait()
}

func (l *posting) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.bodies)
}

// more waits until n more were answered 204.
func (l *posting) more(n int) {
	l.t.Helper()
	l.until(l.count()+n, l.count, "kept")
}

// refusals waits until n more were not.
func (l *posting) refusals(n int) {
	l.t.Helper()
	refused := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.refused
	}
	l.until(refused()+n, refused, "refused")
}

func (l *posting) until(want int, count func() int, what string) {
	l.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); count() < want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			var said []string
			for _, r := range l.receivers {
				said = append(said, r.watch.errors())
			}
			l.t.Fatalf("%d deliveries were %s, and %d should be; the receivers said:\n%s", count(), what, want, strings.Join(said, "\n"))
		}
	}
}

// arrived is one arrival, in an export or in a viewer's lines.
type arrived struct {
	Type    string
	ID      string
	Seq     int64
	Message int64
	Attempt int
	Body    string
}

// check holds the journal to what was answered.
func (l *posting) check(arrivals []arrived) {
	l.t.Helper()
	bodies := map[string][]string{}
	for i, a := range arrivals {
		if a.Seq != int64(i+1) {
			l.t.Fatalf("arrival %d has number %d", i+1, a.Seq)
		}
		if a.Seq == a.Message {
			bodies[a.ID] = append(bodies[a.ID], a.Body)
		}
	}
	for id, body := range l.bodies {
		if found := bodies[id]; len(found) != 1 || found[0] != body {
			l.t.Errorf("%s was answered 204 with the body %q; there are %q", id, body, found)
		}
	}
	l.t.Logf("%d answered 204, %d not, %d arrivals", len(l.bodies), l.refused, len(arrivals))
}

func exported(t *testing.T, url string) (arrivals []arrived) {
	t.Helper()
	out, errs, code := finished(t, program(t, "export", "--journal", url))
	if code != 0 {
		t.Fatalf("export ended with %d: %s", code, errs)
	}
	for line := range strings.Lines(out) {
		var a arrived
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		arrivals = append(arrivals, a)
	}
	return arrivals
}

// holds checks that a viewer told each arrival once, in order.
func (p *piped) holds(name string, arrivals []arrived) {
	p.t.Helper()
	var told []string
	deadline := time.After(patience)
	for len(told) < len(arrivals) {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.t.Errorf("%s ended after %d arrivals: %s", name, len(told), p.errors())
				return
			}
			var a arrived
			if err := json.Unmarshal([]byte(line), &a); err != nil {
				p.t.Fatalf("%v in %q", err, line)
			}
			if a.Type == "event" || a.Type == "duplicate" {
				told = append(told, fmt.Sprint(a.Seq, "/", a.Attempt))
			}
		case <-deadline:
			p.t.Errorf("%s told %d of %d arrivals", name, len(told), len(arrivals))
			return
		}
	}
	var want []string
	for _, a := range arrivals {
		want = append(want, fmt.Sprint(a.Message, "/", a.Attempt))
	}
	if !slices.Equal(told, want) {
		for i := range want {
			if told[i] != want[i] {
				p.t.Errorf("%s told %s in place of %s at %d", name, told[i], want[i], i+1)
				return
			}
		}
	}
}

// takeoverTime is what the jobs of a process that died may be without anybody: its lease
// runs for ten seconds, and a loaded machine is slower to see that.
const takeoverTime = 40 * time.Second

func TestTheJobsOfAReceiverThatWasKilledAreTakenOver(t *testing.T) {
	t.Parallel() // it waits most of the time
	server := pgtest.Start(t, "fsync = off")
	forwarded := make(chan string, 100)
	handler := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { forwarded <- r.Header.Get("Svix-Id") }))
	t.Cleanup(handler.Close)
	start := func() (*piped, string) {
		p := inPipe(t, watching(t, "--json", "--retain", "30d", "--forward-to", handler.URL, "--journal", server.URL("aspectop", "aspectop")))
		return p, p.next("ready")["url"].(string)
	}
	first, url := start()
	keeps(t, url, delivery{id: "msg_1", body: tells(upload, "task.progress", time.Now(), feature("visual", "queued"))})
	if id := <-forwarded; id != "msg_1" {
		t.Fatalf("%s was forwarded", id)
	}
	second, url := start()
	second.tells("forwarding to "+handler.URL+"/: done by ", "retention: done by ")
	keeps(t, url, delivery{id: "msg_2", body: tells(upload, "task.progress", time.Now(), feature("visual", "processing"))})
	if id := <-forwarded; id != "msg_2" { // by the first
		t.Fatalf("%s was forwarded", id)
	}
	first.signal(syscall.SIGKILL)
	killed := time.Now()
	keeps(t, url, delivery{id: "msg_3", body: tells(upload, "task.completed", time.Now(), feature("visual", "completed"))})
	late := time.After(takeoverTime)
	for id := ""; id != "msg_3"; {
		select {
		case id = <-forwarded: // perhaps msg_2 again, whose outcome the first had no time to keep
		case <-late:
			t.Fatalf("it was not forwarded within %v of the kill; the second said: %s", takeoverTime, second.errors())
		}
	}
	second.tells("taken over forwarding to "+handler.URL+"/", "taken over retention")
	t.Logf("taken over after %v", time.Since(killed).Round(time.Second/10))
}

func TestTheEndpointOfAReceiverThatWasKilledIsRegisteredByAnother(t *testing.T) {
	t.Parallel() // it waits most of the time
	server, api := pgtest.Start(t, "fsync = off"), aspectAPI(t)
	start := func() (*piped, string) {
		address := freeAddress(t)
		public := ownTunnel(t, address)
		return inPipe(t, with(program(t, "watch", "--json", "--listen", address, "--public-url", public,
			"--journal", server.URL("aspectop", "aspectop")), api.environment()...)), public + "/webhooks/aspect"
	}
	first, _ := start()
	first.next("ready")
	second, public := start()
	second.tells("registering the endpoint: done by ")
	if n := len(api.registered()); n != 1 {
		t.Fatalf("%d endpoints are registered", n)
	}
	first.signal(syscall.SIGKILL)
	killed := time.Now()
	second.next("ready")
	if took := time.Since(killed); took > takeoverTime {
		t.Errorf("taken over after %v", took)
	}
	if got := api.registered(); !slices.Contains(got, public) {
		t.Errorf("registered are %v", got)
	}
	second.tells("taken over registering the endpoint")
	keeps(t, public, delivery{id: "msg_1", body: tells(upload, "task.progress", time.Now(), feature("visual", "queued"))})
}
