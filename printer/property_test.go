package printer

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"aspectop/model"
)

// hostile are texts that would act on a terminal or tear a line.
var hostile = []string{
	"plain", "\x1b[2J\x1b]0;title\x07", "a\u0080b\u009b31m\u009f", "\x7f", "right\u202eleft\u2066\u061c\u200f",
	"two\nlines\r\n", "\xff\xfe\xc3", "quote\"back\\slash", "\u2028\u2029", "日本語 👩‍💻", "<&>", strings.Repeat("long", 50),
}

// message is one message as the test made it, to be judged by the rules of the
// design alone.
type message struct {
	seq      int64
	task     string
	updated  int64
	stamp    int64
	rank     int
	eventID  string
	sum      [32]byte
	features map[string]string
}

// newer reports whether m has the greater key.
func (m *message) newer(n *message) bool {
	if m.updated != n.updated {
		return m.updated > n.updated
	}
	if m.stamp != n.stamp {
		return m.stamp > n.stamp
	}
	if m.rank != n.rank {
		return m.rank > n.rank
	}
	if a, b := m.terminal(), n.terminal(); a != b {
		return a > b
	}
	if m.eventID != n.eventID {
		return m.eventID > n.eventID
	}
	return bytes.Compare(m.sum[:], n.sum[:]) > 0
}

func (m *message) terminal() (count int) {
	for _, s := range m.features {
		if s == "completed" || s == "failed" || s == "cancelled" || s == "na" {
			count++
		}
	}
	return count
}

// quote writes a JSON string that keeps every byte JSON can keep raw.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ':
			fmt.Fprintf(&b, `\u%04x`, c)
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			fallthrough
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// valid is s with every byte that is no UTF-8 replaced.
func valid(s string) string { return string([]rune(s)) }

// shown is s with every byte that is no UTF-8 as it stands in an id.
func shown(s string) string {
	var b strings.Builder
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[0])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// randomJournal makes a journal, and the messages of tasks in it by number.
func randomJournal(r *rand.Rand) (*memory, map[int64]*message) {
	pick := func(texts []string) string { return texts[r.IntN(len(texts))] }
	stamp := func(n int64) string { return noon.Add(time.Duration(n) * time.Second).Format(time.RFC3339) }
	journal, messages := new(memory), map[int64]*message{}
	states := []string{"queued", "processing", "completed", "failed", "cancelled", "na", "paused", hostile[1], hostile[6]}
	for seq, last := int64(1), r.Int64N(60); seq <= last; seq++ {
		id := fmt.Sprintf("msg_%d_%s", seq, pick(hostile))
		switch r.IntN(10) {
		case 0:
			journal.keep(delivery(id, int(seq), pick([]string{`{"success":true}`, "\x1b[2J", `{"event_type":"asset.\u001b"}`, "", "{}"})))
			continue
		case 1, 2:
			if seq > 1 {
				of := 1 + r.Int64N(seq-1)
				if first := journal.kept[of-1]; !first.Repeat() {
					d := repeat(of, first.ID, 2+r.IntN(3), int(seq))
					d.Differs = r.IntN(2) == 0
					journal.keep(d)
					continue
				}
			}
		}
		m := &message{
			seq: seq, task: pick([]string{taskA, taskB, hostile[1], hostile[6]}), updated: r.Int64N(6), stamp: r.Int64N(3),
			eventID: pick([]string{"a", "b", taskA, hostile[4]}), features: map[string]string{},
		}
		typ := pick([]string{"task.progress", "task.completed", "task.failed", "task." + pick(hostile)})
		m.rank = 1
		if typ == "task.completed" || typ == "task.failed" {
			m.rank = 2
		}
		for range r.IntN(5) {
			m.features[pick([]string{"proxy", "preview", "visual", "transcription", "scene_detect", hostile[4], hostile[6]})] = pick(states)
		}
		var features []string
		for name, state := range m.features {
			features = append(features, quote(name)+`:{"state":`+quote(state)+`}`)
		}
		slices.Sort(features)
		task := fmt.Sprintf(`{"id":%s,"asset_id":%s,"features":{%s},"updated":%q}`,
			quote(m.task), quote(pick(hostile)), strings.Join(features, ","), stamp(m.updated))
		body := fmt.Sprintf(`{"timestamp":%q,"event_id":%s,"event_type":%s,"data":{"task":%s}}`,
			stamp(m.stamp), quote(m.eventID), quote(typ), task)
		d := delivery(id, int(seq), body)
		d.Secret = pick(hostile)
		if r.IntN(8) == 0 {
			d.Body, d.Source = []byte(task), model.SourceAPI
			m.rank, m.stamp, m.eventID = 0, -1<<63, ""
		}
		journal.keep(d)
		m.sum = sha256.Sum256(d.Body)
		m.eventID = shown(m.eventID)
		told := map[string]string{}
		for name, state := range m.features {
			told[shown(name)] = shown(state)
		}
		m.features = told
		messages[seq] = m
	}
	return journal, messages
}

// meaning works out anew what a message meant when it arrived.
func meaning(messages map[int64]*message, m *message) (late bool, changes map[string][2]string, board *message) {
	var newest *message
	for seq := int64(1); seq < m.seq; seq++ {
		if n := messages[seq]; n != nil && n.task == m.task && (newest == nil || !newest.newer(n)) {
			newest = n
		}
	}
	changes = map[string][2]string{}
	if newest != nil && newest.newer(m) {
		return true, changes, newest
	}
	for name, to := range m.features {
		changes[name] = [2]string{"", to}
	}
	if newest != nil {
		for name, from := range newest.features {
			changes[name] = [2]string{from, m.features[name]}
		}
	}
	maps.DeleteFunc(changes, func(_ string, c [2]string) bool { return c[0] == c[1] })
	return false, changes, m
}

// untilTheEnd prints a whole journal, with silent deliveries folded first.
func untilTheEnd(t *testing.T, f Format, journal *memory, silent int) []string {
	t.Helper()
	var out bytes.Buffer
	err := upToReady(t.Context(), Options{
		Format: f, Out: &out,
		Since: noon.Add(time.Duration(silent)*time.Second + time.Millisecond), Now: func() time.Time { return noon },
	}, journal)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(strings.Lines(out.String()))
}

func TestEveryLineOfAnyJournalIsSafeAndTrue(t *testing.T) {
	doc := readDocument(t)
	for seed := range uint64(300) {
		journal, messages := randomJournal(rand.New(rand.NewPCG(seed, 1)))
		all := untilTheEnd(t, JSON, journal, 0)
		if len(all) != len(journal.kept)+2 {
			t.Fatalf("seed %d: %d lines for %d deliveries", seed, len(all), len(journal.kept))
		}
		for i, line := range all {
			doc.check(t, line)
			checkSafe(t, line)
			if i < len(journal.kept) {
				checkTrue(t, line, &journal.kept[i], messages)
			}
		}
		silent := int(seed) % (len(journal.kept) + 1)
		if rest := untilTheEnd(t, JSON, journal, silent); !slices.Equal(rest, all[silent:]) {
			t.Errorf("seed %d: behind %d silent deliveries, other lines are printed:\n%s\nthan\n%s", seed, silent, rest, all[silent:])
		}
		sentences := untilTheEnd(t, Plain, journal, 0)
		if len(sentences) != len(all) {
			t.Errorf("seed %d: %d sentences for %d lines:\n%s", seed, len(sentences), len(all), sentences)
		}
		for _, line := range sentences {
			checkSafe(t, line)
			if utf8.RuneCountInString(line) > 2000 {
				t.Errorf("a sentence nobody hears to its end: %s", line)
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func checkSafe(t *testing.T, line string) {
	t.Helper()
	text, ok := strings.CutSuffix(line, "\n")
	if !ok || !utf8.ValidString(text) {
		t.Errorf("no line of UTF-8: %q", line)
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }); i >= 0 {
		t.Errorf("%q stands raw in %q", text[i:i+1], text)
	}
}

func checkTrue(t *testing.T, text string, d *model.Delivery, messages map[int64]*message) {
	t.Helper()
	var line struct {
		Type, ID     string
		Seq, Attempt int64
		Secret       string
		Late         bool
		TaskID       *string `json:"task_id"`
		Changes      []struct{ Feature, From, To string }
		Task         *struct{ Features map[string]string }
	}
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		t.Errorf("%v: %s", err, text)
	}
	if line.ID != shown(d.ID) || line.Seq != d.Message || line.Attempt != int64(d.Attempt) {
		t.Errorf("delivery %d of message %d is told as %s", d.Seq, d.Message, text)
	}
	if d.Repeat() {
		if line.Type != "duplicate" {
			t.Errorf("a repeat is told as %s", text)
		}
		return
	}
	m := messages[d.Seq]
	if line.Type != "event" || line.Secret != valid(d.Secret) || (m == nil) != (line.TaskID == nil) || (m == nil) != (line.Task == nil) {
		t.Errorf("a message is told as %s", text)
		return
	}
	if m == nil {
		return
	}
	late, changes, board := meaning(messages, m)
	got := map[string][2]string{}
	for _, c := range line.Changes {
		got[c.Feature] = [2]string{c.From, c.To}
	}
	if *line.TaskID != shown(m.task) || line.Late != late || !maps.Equal(got, changes) || !maps.Equal(line.Task.Features, board.features) {
		t.Errorf("want late %v, changes %q, features %q: %s", late, changes, board.features, text)
	}
}
