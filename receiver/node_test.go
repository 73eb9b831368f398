package receiver

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"aspectop/sig"
)

// letter is one line to sign.mjs, and sealing the line it answers.
type letter struct {
	Secret    string `json:"secret"`
	ID        string `json:"id"`
	Seconds   int64  `json:"seconds"`
	Body      string `json:"body"`
	Signature string `json:"signature,omitempty"`
}

type sealing struct {
	Signature string `json:"signature"`
	OK        bool   `json:"ok"`
	Error     string `json:"error"`
}

// node hands the letters to Svix's own library for Node. Without Node or that
// library the test is skipped, or fails if ASPECTOP_REQUIRE_NODE is 1.
func node(t *testing.T, letters []letter) (answers []sealing) {
	t.Helper()
	lack := t.Skip
	if os.Getenv("ASPECTOP_REQUIRE_NODE") == "1" {
		lack = t.Fatal
	}
	dir := filepath.Join("testdata", "svix-node")
	program, err := exec.LookPath("node")
	if err != nil {
		lack("the independent signer needs Node, and there is no node in PATH")
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "svix")); err != nil {
		lack("the independent signer needs its packages: run npm ci in receiver/" + filepath.ToSlash(dir))
	}
	var in, complaints bytes.Buffer
	lines := json.NewEncoder(&in)
	for _, l := range letters {
		if err := lines.Encode(l); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, "sign.mjs")
	cmd.Dir, cmd.Stdin, cmd.Stderr = dir, &in, &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("sign.mjs: %v\n%s", err, &complaints)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var s sealing
		if err := decoder.Decode(&s); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, s)
	}
	if len(answers) != len(letters) {
		t.Fatalf("%d answers to %d lines", len(answers), len(letters))
	}
	return answers
}

// randomText is up to 2,000 characters of what has broken signatures before:
// line ends, control characters, bidi marks, everything beyond ASCII. (Node's
// library takes text, so it is valid UTF-8.)
func randomText(r *rand.Rand) string {
	alphabet := []rune("aZ09 {}[]\",:\\/<>&'\n\n\r\t\x00\x1b\x7f\u0085\u00a0äßé\u200b\u202e\u2028\u2029\ufeff\ufffd漢字🎬👩‍💻\U0010ffff")
	var text strings.Builder
	for range r.IntN(2000) {
		text.WriteRune(alphabet[r.IntN(len(alphabet))])
	}
	return text.String()
}

func randomLetters(n int, body func(*rand.Rand) string) []letter {
	r := rand.New(rand.NewPCG(1, 2))
	letters := make([]letter, n)
	for i := range letters {
		key := make([]byte, 24+r.IntN(41)) // as long as Svix allows
		for j := range key {
			key[j] = byte(r.Uint32())
		}
		letters[i] = letter{
			Secret:  "whsec_" + base64.StdEncoding.EncodeToString(key),
			ID:      fmt.Sprintf("msg_%d", i),
			Seconds: time.Now().Unix() + int64(r.IntN(401)-200),
			Body:    body(r),
		}
	}
	return letters
}

func TestReceiverTakesWhatSvixForNodeSigned(t *testing.T) {
	letters := randomLetters(300, randomText)
	var secrets strings.Builder
	for _, l := range letters[:8] {
		fmt.Fprintf(&secrets, "%s ", l.Secret)
	}
	for i := range letters {
		letters[i].Secret = letters[i%8].Secret
	}
	answers := node(t, letters)
	r, addr := online(t, func(c *Config) { c.Secrets, c.Now = mustParse(t, secrets.String()), time.Now })
	for i, l := range letters {
		f := sig.Families[i%2]
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+DefaultPath, strings.NewReader(l.Body))
		if err != nil {
			t.Fatal(err)
		}
		q.Header = http.Header{f.ID: {l.ID}, f.Stamp: {strconv.FormatInt(l.Seconds, 10)}, f.Signature: {answers[i].Signature}}
		a, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		if a.StatusCode != http.StatusNoContent {
			t.Errorf("%q was answered %d", l.Body, a.StatusCode)
		}
	}
	for i, d := range r.journal.deliveries() {
		if string(d.Body) != letters[i].Body || d.ID != letters[i].ID {
			t.Errorf("kept %s %q, sent %s %q", d.ID, d.Body, letters[i].ID, letters[i].Body)
		}
	}
}

func TestSvixForNodeTakesWhatSecretSigned(t *testing.T) {
	letters := randomLetters(200, func(r *rand.Rand) string { // it insists on JSON
		body, err := json.Marshal(map[string]string{"text": randomText(r)})
		if err != nil {
			panic(err)
		}
		return string(body)
	})
	for i := range letters {
		l := &letters[i]
		l.Signature = mustParse(t, l.Secret)[0].Sign(l.ID, time.Unix(l.Seconds, 0), []byte(l.Body))
	}
	letters[0].Body += " " // so that a check that accepts everything is noticed
	for i, a := range node(t, letters) {
		if want := i != 0; a.OK != want {
			t.Errorf("line %d: accepted %v (%s), want %v", i, a.OK, a.Error, want)
		}
	}
}
