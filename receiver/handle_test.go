package receiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"aspectop/model"
	"aspectop/sig"
)

func TestGenuineDeliveryIsKeptWhole(t *testing.T) {
	r := newRig(t)
	body := "{\"success\": true}\r\n\x00\xff"
	q := r.signed("msg_1", body)
	q.Header["X-Twice"] = []string{"1", "2"}
	q.Header["Authorization"] = []string{"Basic eA=="}
	sent := q.Header.Clone()
	w := r.do(t, q)
	if w.Code != http.StatusNoContent || w.Body.Len() != 0 {
		t.Errorf("answered %d %q, want 204 without a body", w.Code, w.Body)
	}
	sent.Set("Host", "example.com")
	want := &model.Delivery{Seq: 1, Message: 1, Attempt: 1, ID: "msg_1", Source: model.SourceWebhook, Secret: "studio",
		Received: now, Header: sent, Body: []byte(body)}
	if got := r.journal.deliveries(); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("kept %+v\nwant %+v", got, want)
	}
}

func TestEveryGenuineBodyIsKept(t *testing.T) {
	r := newRig(t)
	bodies := []string{`{"success": true}`, `{"event_type":"asset.created"}`, "no JSON", "", "null", "\xff\xfe", strings.Repeat("x", MaxBody)}
	for i, body := range bodies {
		q := r.signed(fmt.Sprint("msg_", i), body)
		if i%2 == 1 {
			q.Method = http.MethodPut // Svix can be told to
		}
		if w := r.do(t, q); w.Code != http.StatusNoContent {
			t.Errorf("%.20q: answered %d, want 204", body, w.Code)
		}
	}
	for i, d := range r.journal.deliveries() {
		if string(d.Body) != bodies[i] {
			t.Errorf("kept %.20q, want %.20q", d.Body, bodies[i])
		}
	}
	if c := r.Counts(); c.Verified != int64(len(bodies)) {
		t.Errorf("counted %+v", c)
	}
}

func TestRepeatsAreAcknowledgedAndCountedApart(t *testing.T) {
	r := newRig(t)
	for range 3 {
		if w := r.do(t, r.signed("msg_1", "x")); w.Code != http.StatusNoContent {
			t.Errorf("answered %d, want 204", w.Code)
		}
	}
	if c := r.Counts(); c.Verified != 1 || c.Duplicate != 2 {
		t.Errorf("counted %+v, want 1 verified and 2 duplicates", c)
	}
}

func TestOtherPathsAndMethodsAreRefusedWithoutDetail(t *testing.T) {
	for _, c := range []struct {
		method, target string
		status         int
		body, allow    string
	}{
		{"GET", "/healthz", 200, "ok", ""},
		{"HEAD", "/healthz", 200, "ok", ""}, // net/http drops the body
		{"POST", "/healthz", 405, "Method not allowed", "GET, HEAD"},
		{"GET", "/webhooks/aspect", 405, "Method not allowed", "POST, PUT"},
		{"HEAD", "/webhooks/aspect", 405, "Method not allowed", "POST, PUT"},
		{"DELETE", "/webhooks/aspect", 405, "Method not allowed", "POST, PUT"},
		{"OPTIONS", "/webhooks/aspect", 405, "Method not allowed", "POST, PUT"},
		{"POST", "/", 404, "Not found", ""},
		{"POST", "/webhooks/aspect/", 404, "Not found", ""},
		{"POST", "//webhooks/aspect", 404, "Not found", ""},
		{"POST", "/webhooks/./aspect", 404, "Not found", ""},
		{"POST", "/webhooks/x/../aspect", 404, "Not found", ""},
		{"POST", "/webhooks/%61spect", 404, "Not found", ""},
		{"POST", "/webhooks%2Faspect", 404, "Not found", ""},
		{"POST", "/Webhooks/Aspect", 404, "Not found", ""},
		{"GET", "/healthz/", 404, "Not found", ""},
		{"GET", "/%68ealthz", 404, "Not found", ""},
		{"GET", "/.git/config", 404, "Not found", ""},
	} {
		t.Run(c.method+" "+c.target, func(t *testing.T) {
			r := newRig(t)
			q := r.signed("msg_1", "x")
			fresh := httptest.NewRequest(c.method, c.target, nil)
			q.Method, q.URL, q.RequestURI = c.method, fresh.URL, fresh.RequestURI
			w := r.do(t, q)
			if w.Code != c.status || w.Body.String() != c.body || w.Header().Get("Allow") != c.allow {
				t.Errorf("answered %d %q Allow %q, want %d %q %q",
					w.Code, w.Body, w.Header().Get("Allow"), c.status, c.body, c.allow)
			}
			if len(r.journal.deliveries()) != 0 || r.Counts().Verified != 0 {
				t.Error("it was judged")
			}
			if all := r.rejected(); len(all) != map[bool]int{true: 1}[c.status != 200] {
				t.Errorf("told %+v", all)
			}
		})
	}
}

func TestQueryDoesNotChangeThePath(t *testing.T) {
	r := newRig(t)
	q := r.signed("msg_1", "x")
	q.URL.RawQuery = "a=b"
	if w := r.do(t, q); w.Code != http.StatusNoContent {
		t.Errorf("answered %d, want 204", w.Code)
	}
}

func TestRefusedRequestIsAnsweredCountedAndNoted(t *testing.T) {
	for _, c := range []struct {
		reason model.Reason
		spoil  func(*rig, *http.Request)
		status int
		body   string
	}{
		{model.MissingHeaders, func(_ *rig, q *http.Request) { q.Header.Del("svix-signature") }, 400, "Missing Svix headers"},
		{model.Malformed, func(_ *rig, q *http.Request) { q.Header.Set("svix-timestamp", "soon") }, 400, "Invalid signature"},
		{model.Malformed, func(_ *rig, q *http.Request) { q.Header.Set("svix-signature", "v2,x") }, 400, "Invalid signature"},
		{model.NoMatch, func(_ *rig, q *http.Request) { q.Header.Set("svix-signature", "v1,x") }, 400, "Invalid signature"},
		{model.TooOld, func(r *rig, q *http.Request) {
			q.Header = sealed(sig.Families[0], r.secret, "msg_1", now.Add(-time.Hour), []byte("body"))
		}, 400, "Invalid signature"},
		{model.TooNew, func(r *rig, q *http.Request) {
			q.Header = sealed(sig.Families[0], r.secret, "msg_1", now.Add(time.Hour), []byte("body"))
		}, 400, "Invalid signature"},
		{model.TooLarge, func(_ *rig, q *http.Request) { q.ContentLength = MaxBody + 1 }, 413, "Too large"},
	} {
		t.Run(string(c.reason), func(t *testing.T) {
			r := newRig(t)
			q := r.signed("msg_1", "body")
			c.spoil(r, q)
			w := r.do(t, q)
			if w.Code != c.status || w.Body.String() != c.body || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("answered %d %q (%s), want %d %q as plain text", w.Code, w.Body, w.Header().Get("Content-Type"), c.status, c.body)
			}
			if len(r.journal.deliveries()) != 0 {
				t.Error("it was kept")
			}
			for reason, n := range r.Counts().Rejected {
				if want := map[bool]int64{true: 1}[reason == c.reason]; n != want {
					t.Errorf("counted %d of %s, want %d", n, reason, want)
				}
			}
			all := r.rejected()
			if len(all) != 1 || all[0].ID != "msg_1" || all[0].Verdict.Reason != c.reason || all[0].Verdict.Detail == "" {
				t.Errorf("noted %+v", all)
			}
			if entries, _, _ := r.status.After(0); !entries[0].At.Equal(now) {
				t.Errorf("noted at %v, want %v", entries[0].At, now)
			}
		})
	}
}

func TestOutageIsAnswered503AndToldOnceFromBeginToEnd(t *testing.T) {
	r := newRig(t)
	var failure error
	r.journal.before = func(context.Context, *model.Delivery) error { return failure }
	step := func(err error, id string, want int) {
		t.Helper()
		failure = err
		w := r.do(t, r.signed(id, "x"))
		if w.Code != want {
			t.Errorf("%s: answered %d, want %d", id, w.Code, want)
		}
		if after := w.Header().Get("Retry-After"); (after == "5") != (want == 503) {
			t.Errorf("%s: answered %d with Retry-After %q", id, w.Code, after)
		}
	}
	full := errors.New("the disk is full")
	step(nil, "msg_1", 204)
	step(full, "msg_2", 503)
	step(full, "msg_3", 503)
	step(nil, "msg_2", 204)
	step(nil, "msg_3", 204)
	step(full, "msg_4", 503)
	want := []string{
		"cannot keep deliveries: the disk is full; answering 503, so Svix will retry",
		"keeping deliveries again",
		"cannot keep deliveries: the disk is full; answering 503, so Svix will retry",
	}
	if got := r.notices(); !slices.Equal(got, want) {
		t.Errorf("told %q\nwant %q", got, want)
	}
	if c := r.Counts(); c.Verified != 3 || c.Unkept != 3 {
		t.Errorf("counted %+v, want 3 verified and 3 not kept", c)
	}
}

func TestClientThatGoesAwayDoesNotStopTheAppend(t *testing.T) {
	r := newRig(t)
	gone, leave := context.WithCancel(t.Context())
	r.journal.before = func(ctx context.Context, _ *model.Delivery) error {
		leave()
		return ctx.Err()
	}
	r.do(t, r.signed("msg_1", "x").WithContext(gone))
	if c := r.Counts(); len(r.journal.deliveries()) != 1 || c.Verified != 1 {
		t.Errorf("kept %d, counted %+v, want 1 of each", len(r.journal.deliveries()), c)
	}
}

func TestFaultIsAnswered500AndNoted(t *testing.T) {
	r := newRig(t)
	r.journal.before = func(context.Context, *model.Delivery) error { panic("a fault") }
	w := r.do(t, r.signed("msg_1", "x"))
	if w.Code != 500 || w.Body.String() != "Internal error" {
		t.Errorf("answered %d %q, want a plain 500", w.Code, w.Body)
	}
	if got := r.notices(); len(got) != 1 || !strings.Contains(got[0], "a fault") {
		t.Errorf("told %q", got)
	}
}

func TestProbeIsToldAndNothingElse(t *testing.T) {
	var seen []string
	r := newRig(t, func(c *Config) {
		c.Probed = func(q *http.Request, body []byte) (own, intact bool) {
			id := q.Header.Get("svix-id")
			seen = append(seen, fmt.Sprintf("%s %s %s %q", id, q.Method, q.URL.Path, body))
			return strings.HasPrefix(id, "probe_"), id == "probe_intact"
		}
	})
	r.journal.before = func(context.Context, *model.Delivery) error { return errors.New("the disk is full") }
	probe := func(id, method, path string) *http.Request {
		q := r.signed(id, "x")
		q.Header.Set("svix-signature", "v1,bm9uZQ==")
		q.Method, q.URL.Path = method, path
		return q
	}
	bare := probe("probe_bare", "POST", r.Path)
	bare.Header.Del("svix-timestamp")
	for _, c := range []struct {
		request *http.Request
		status  int
		told    string
	}{
		{probe("probe_intact", "POST", r.Path), 204, `probe_intact POST /webhooks/aspect "x"`},
		{probe("probe_altered", "POST", r.Path), 400, `probe_altered POST /webhooks/aspect "x"`},
		{bare, 400, `probe_bare POST /webhooks/aspect "x"`},
		{probe("probe_path", "POST", "/pre"), 404, `probe_path POST /pre ""`},
		{probe("probe_method", "GET", r.Path), 405, `probe_method GET /webhooks/aspect ""`},
	} {
		seen = nil
		if w := r.do(t, c.request); w.Code != c.status || len(seen) != 1 || seen[0] != c.told {
			t.Errorf("answered %d, not %d, and told %q", w.Code, c.status, seen)
		}
	}
	if c := r.Counts(); len(r.rejected()) != 0 || c.Verified != 0 || c.Rejected[model.NoMatch] != 0 || c.Rejected[model.MissingHeaders] != 0 {
		t.Errorf("counted %+v, rejected %d", c, len(r.rejected()))
	}
	// What is not known as a probe is rejected like any other request.
	if w := r.do(t, probe("msg_1", "POST", r.Path)); w.Code != http.StatusBadRequest || len(r.rejected()) != 1 {
		t.Errorf("a stranger's was answered %d", w.Code)
	}
}

func TestStrangerCannotChooseWhatIsAnswered(t *testing.T) {
	r := newRig(t)
	q := r.signed("<script>", "marker-of-the-body")
	q.Header.Set("svix-signature", "v1,marker-of-the-signature")
	w := r.do(t, q)
	var all bytes.Buffer
	if err := w.Result().Write(&all); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"marker", "script", "studio", "aspectop", "secret"} {
		if strings.Contains(all.String(), word) {
			t.Errorf("the answer has %q in it", word)
		}
	}
}
