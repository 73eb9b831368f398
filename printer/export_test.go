package printer

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/sig"
)

// kept is a journal with what an export can meet.
func kept() *memory {
	j := new(memory)
	first := delivery("msg_1", 0, envelope("task.progress", taskA, 0, "visual", "queued"))
	first.Header = map[string][]string{
		"Content-Type": {"application/json"}, "Svix-Id": {"msg_1"}, "Svix-Timestamp": {"1795435200"}, "Svix-Signature": {"v1,abc"},
		"Authorization": {"Basic hush"}, "Cookie": {"a=hush"}, "X-Api-Key": {"hush"}, "Cf-Access-Jwt-Assertion": {"hush"},
		"Odd\u202e": {"one", "two\x1b[2J"},
	}
	binary := delivery("msg_3", 2, "\xff\x00`\u202e")
	binary.Header = map[string][]string{"Webhook-Id": {"msg_3"}, "Webhook-Signature": {"v1,def"}}
	differs := repeat(1, "msg_1", 3, 4)
	differs.Differs, differs.Body = true, []byte("other")
	snapshot := delivery("api:a:1", 5, `{"id":"`+taskA+`","features":{}}`)
	snapshot.Source, snapshot.Secret = model.SourceAPI, ""
	j.keep(first, repeat(1, "msg_1", 2, 1), binary,
		delivery("msg_4", 3, envelope("task.failed", taskB, 3, "visual", "failed")), differs, snapshot)
	return j
}

// exported is what Export writes, and its count.
func exported(t *testing.T, j Journal, o ExportOptions) (string, Exported) {
	t.Helper()
	var out bytes.Buffer
	o.Out, o.Journal, o.To, o.Version = &out, j, "http://127.0.0.1:8787/webhooks/aspect", "v1.2.3"
	count, err := Export(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), count
}

// line is one delivery line.
type exportedLine struct {
	Seq, Message, Attempt int64
	ID                    string
	Headers               map[string][]string
	Body                  *string
	Base64                *string `json:"body_base64"`
}

func exportedLines(t *testing.T, text string) (lines []exportedLine) {
	t.Helper()
	for line := range strings.Lines(text) {
		var l exportedLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		lines = append(lines, l)
	}
	return lines
}

func TestAnExportHoldsTheVeryBytesOfEveryDelivery(t *testing.T) {
	j := kept()
	text, count := exported(t, j, ExportOptions{Privacy: Privacy{WithCredentials: true}})
	lines := exportedLines(t, text)
	if len(lines) != len(j.kept) || count.Written != int64(len(lines)) || count.Skipped != 0 {
		t.Fatalf("%d lines of %d deliveries, counted %+v", len(lines), len(j.kept), count)
	}
	doc := readDocument(t)
	for line := range strings.Lines(text) {
		doc.check(t, line)
	}
	for i, l := range lines {
		d := j.kept[i]
		if d.Repeat() && !d.Differs {
			d.Body = j.kept[d.Message-1].Body
		}
		var body []byte
		if l.Body != nil {
			body = []byte(*l.Body)
		} else if b, err := base64.StdEncoding.DecodeString(*l.Base64); err == nil {
			body = b
		}
		if l.Seq != d.Seq || l.Message != d.Message || l.Attempt != int64(d.Attempt) || l.ID != d.ID || !bytes.Equal(body, d.Body) {
			t.Errorf("delivery %d became %+v", d.Seq, l)
		}
		if len(d.Header) > 0 && !reflect.DeepEqual(l.Headers, d.Header) {
			t.Errorf("headers of %d became %q", d.Seq, l.Headers)
		}
	}
	if strings.ContainsAny(text, "\x1b\u202e") {
		t.Error("a control character is left")
	}
}

func TestCredentialsStayHereUnlessTheyAreAskedFor(t *testing.T) {
	for _, format := range []string{"ndjson", "har", "curl", "fixture"} {
		if text, _ := exported(t, kept(), ExportOptions{Format: format}); strings.Contains(text, "hush") {
			t.Errorf("format %s tells a credential", format)
		}
		text, _ := exported(t, kept(), ExportOptions{Format: format, Privacy: Privacy{WithCredentials: true}})
		if n := strings.Count(text, "hush"); n < 4 {
			t.Errorf("format %s tells %d of 4 credentials that were asked for", format, n)
		}
	}
}

func TestExportingChangesNothingThatIsKept(t *testing.T) {
	j := kept()
	exported(t, j, ExportOptions{Privacy: Privacy{MaskUsers: true}})
	if !reflect.DeepEqual(j.kept, kept().kept) {
		t.Error("a delivery in the journal has changed")
	}
}

func TestUserIDsAreMaskedWhereverTheyStand(t *testing.T) {
	const user = "3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111"
	for body, want := range map[string]string{
		`{"user_id":"` + user + `","n": 1.50}`:                      `{"user_id":"` + clean.MaskedUser + `","n": 1.50}`,
		`{"data":{"task":{"User_ID" : "u","a":[{"user_id":"v"}]}}}`: `{"data":{"task":{"User_ID" : "` + clean.MaskedUser + `","a":[{"user_id":"` + clean.MaskedUser + `"}]}}}`,
		`{"user\u005fid":"` + user + `"}`:                           `{"user\u005fid":"` + clean.MaskedUser + `"}`,
		`{"user_id":42,"b":"42"}`:                                   `{"user_id":0,"b":"42"}`,
		`{"user_id":null,"x":"user_id"}`:                            `{"user_id":null,"x":"user_id"}`,
		`{"user_id":{"id":"x"},"y":["user_id","z"]}`:                `{"user_id":{"id":"x"},"y":["user_id","z"]}`,
		`{"note":"by ` + user + `","user_id":"` + user + `"}`:       `{"note":"by ` + clean.MaskedUser + `","user_id":"` + clean.MaskedUser + `"}`,
		`["user_id","x"]`:                                           `["user_id","x"]`,
		`{"success": true}`:                                         `{"success": true}`,
		`user_id=` + user:                                           clean.Redacted,
		``:                                                          clean.Redacted,
	} {
		if got := string(maskUsers([]byte(body))); got != want {
			t.Errorf("%s\n became %s\nwant    %s", body, got, want)
		}
	}
}

func TestAnExportPicksAsTheEventLogDoes(t *testing.T) {
	j := kept()
	j.keep(delivery("msg_7", 10, envelope("task.progress", taskB, 1, "visual", "processing"))) // late
	for filter, want := range map[string][]int64{
		"":             {1, 2, 3, 4, 5, 6, 7},
		"state:failed": {4, 7}, "became:failed": {4}, "-state:failed,queued": {3, 5},
		"task:2e1c":    {1, 2, 6},
		"is:duplicate": {2, 5},
		"is:late":      {6, 7}, // the snapshot tells no time, so it is the oldest news
		"is:done":      {4, 7},
		"-is:done":     {1, 2, 3, 5, 6},
	} {
		f, err := model.ParseFilter(filter)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := exported(t, j, ExportOptions{Filter: f})
		var got []int64
		for _, l := range exportedLines(t, text) {
			got = append(got, l.Seq)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q picks %v, want %v", filter, got, want)
		}
	}
	text, _ := exported(t, j, ExportOptions{Since: noon.Add(4 * time.Second)})
	if lines := exportedLines(t, text); len(lines) != 3 || lines[0].Seq != 5 {
		t.Errorf("since 12:00:04: %+v", lines)
	}
}

func TestOnlyRequestsBecomeRequests(t *testing.T) {
	for format, want := range map[string]Exported{
		"ndjson": {6, 0, 0, 0}, "har": {5, 1, 0, 0}, "curl": {5, 1, 0, 0}, "fixture": {3, 3, 0, 0},
	} {
		_, count := exported(t, kept(), ExportOptions{Format: format})
		count.Expired = 0
		if count != want {
			t.Errorf("format %s wrote and skipped %+v, want %+v", format, count, want)
		}
	}
}

func TestOldSignaturesAreCounted(t *testing.T) {
	j := &memory{}
	for _, at := range []time.Duration{0, time.Minute, time.Hour} {
		h := http.Header{}
		sig.Svix.Set(h, "msg_1", noon.Add(at), "v1,x")
		j.keep(model.Delivery{ID: "msg_1", Source: model.SourceWebhook, Received: noon.Add(at), Header: h, Body: []byte("{}")})
	}
	_, count := exported(t, j, ExportOptions{Format: "curl", Now: func() time.Time { return noon.Add(time.Hour) }})
	if count.Written != 3 || count.Expired != 2 {
		t.Errorf("%+v", count)
	}
}

// endless makes up deliveries as they are read, and remembers how much memory
// was in use meanwhile.
type endless struct {
	memory
	last, most int64
	peak       uint64
}

func (j *endless) Range(context.Context) (first, last int64, err error) { return 1, j.last, nil }

func (j *endless) After(_ context.Context, seq int64, limit int) ([]model.Delivery, error) {
	j.most = max(j.most, int64(limit))
	if seq%1000 < int64(limit) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		j.peak = max(j.peak, m.HeapAlloc)
	}
	var some []model.Delivery
	for n := seq + 1; n <= min(seq+int64(limit), j.last); n++ {
		d := delivery(fmt.Sprint("msg_", n), 0, strings.Repeat("x", 4000))
		d.Seq, d.Message = n, n
		some = append(some, d)
	}
	return some, nil
}

func TestTheMemoryOfAnExportDoesNotGrowWithTheJournal(t *testing.T) {
	var peaks []uint64
	for _, n := range []int64{2_000, 20_000} { // 8 and 80 MB
		runtime.GC()
		j := &endless{last: n}
		for _, format := range []string{"ndjson", "har"} {
			count, err := Export(t.Context(), ExportOptions{Format: format, Out: io.Discard, Journal: j})
			if err != nil || count.Written != n {
				t.Fatalf("wrote %+v, %v", count, err)
			}
		}
		if j.most > eachBatch {
			t.Errorf("%d deliveries were read at once", j.most)
		}
		peaks = append(peaks, j.peak)
	}
	if peaks[1] > peaks[0]+24<<20 {
		t.Errorf("at most %d MB were in use for a journal of 8 MB, %d MB for one of 80", peaks[0]>>20, peaks[1]>>20)
	}
}

func TestAnExportThatNobodyReadsEndsQuietly(t *testing.T) {
	in, out := io.Pipe()
	in.Close()
	if _, err := Export(t.Context(), ExportOptions{Out: out, Journal: kept()}); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Export(ctx, ExportOptions{Out: io.Discard, Journal: kept()}); err == nil {
		t.Error("an export that was cut short pretends to be complete")
	}
}

func TestKeptRejectionsAreExportedByTheirTimeAndHiddenWhenRedacted(t *testing.T) {
	rejected := []model.Rejected{ // newest first
		{At: noon.Add(time.Hour), ID: "msg_late", Verdict: model.Verdict{Reason: model.NoMatch, Detail: "no secret matches"},
			Header: map[string][]string{"Svix-Id": {"msg_late"}}, Body: []byte("seen"), Size: 9000},
		{At: noon.Add(-time.Hour), ID: "msg_early", Path: "/pre", Method: "PUT", Verdict: model.Verdict{Reason: model.WrongPath, Detail: "wrong path"}},
		{At: noon.Add(-2 * time.Hour), ID: "msg_old", Verdict: model.Verdict{Reason: model.NoMatch}},
	}
	o := ExportOptions{Rejected: rejected, Since: noon.Add(-90 * time.Minute)}
	text, count := exported(t, kept(), o)
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if count.Rejected != 2 || len(lines) != 8 || !strings.Contains(lines[0], `"path":"/pre","method":"PUT"`) ||
		!strings.Contains(lines[7], `"headers":{"Svix-Id":["msg_late"]},"body":"seen","body_base64":null,"size":9000}`) {
		t.Errorf("%+v:\n%s", count, text)
	}
	doc := readDocument(t)
	for _, line := range lines {
		doc.check(t, line)
	}
	o.MaskUsers = true
	text, _ = exported(t, kept(), o)
	if strings.Contains(text, "/pre") || strings.Contains(text, `"seen"`) || strings.Contains(text, `["msg_late"]`) || !strings.Contains(text, `"reason":"wrong_path"`) {
		t.Errorf("redacted:\n%s", text)
	}
}
