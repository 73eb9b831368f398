package forward

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aspectop/sig"
)

// nodeHandler starts a handler that verifies with Svix's library for Node, and
// returns its URL and what it says of each request. Without Node or that library
// the test is skipped, or fails if ASPECTOP_REQUIRE_NODE is 1.
func nodeHandler(t *testing.T, secret string) (url string, said func() (id, complaint string)) {
	t.Helper()
	lack := t.Skip
	if os.Getenv("ASPECTOP_REQUIRE_NODE") == "1" {
		lack = t.Fatal
	}
	packages, err := filepath.Abs(filepath.Join("..", "receiver", "testdata", "svix-node"))
	if err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("node")
	if err != nil {
		lack("the independent handler needs Node, and there is no node in PATH")
	}
	if _, err := os.Stat(filepath.Join(packages, "node_modules", "svix")); err != nil {
		lack("the independent handler needs its packages: run npm ci in receiver/testdata/svix-node")
	}
	cmd := exec.Command(program, filepath.Join("testdata", "handler.mjs"), packages, secret)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("the handler does not start: %v", lines.Err())
	}
	return "http://127.0.0.1:" + lines.Text() + "/webhooks", func() (string, string) {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("the handler has ended: %v", lines.Err())
		}
		var line struct{ ID, Error string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		return line.ID, line.Error
	}
}

// awkward is JSON with what has broken signatures before.
func awkward(r *rand.Rand) []byte {
	alphabet := []rune("aZ09 {}[]\",:\\/<>&'\n\r\t\x00\x1b\x7f\u0085äé\u200b\u202e\u2028\u2029\ufeff\ufffd漢🎬")
	var text strings.Builder
	for range r.IntN(500) {
		text.WriteRune(alphabet[r.IntN(len(alphabet))])
	}
	body, err := json.Marshal(map[string]string{"text": text.String()})
	if err != nil {
		panic(err)
	}
	return append(body, strings.Repeat(" ", r.IntN(3))+"\n"...)
}

func TestSvixForNodeVerifiesWhatIsForwardedAtTheHandler(t *testing.T) {
	for _, c := range []struct {
		name, secret string
		own          sig.Signer
		age          time.Duration
	}{
		{"as Svix signed it", aspectSecret, nil, 0},
		{"re-signed for its age", aspectSecret, nil, time.Hour},
		{"signed with the handler's own secret", handlerSecret, signerOf(handlerSecret), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			url, said := nodeHandler(t, c.secret)
			r := forwardTo(t, url, func(o *Options) { o.Sign = c.own })
			random := rand.New(rand.NewPCG(3, 4))
			at := time.Now().Add(-c.age)
			for n := range 50 {
				d := messageAt("", n, at)
				d.Body = awkward(random)
				d.Header["Svix-Signature"] = []string{signerOf(aspectSecret)(d.ID, at, d.Body)}
				r.append(d)
			}
			ids := map[string]bool{}
			for range 50 {
				id, complaint := said()
				if ids[id] = true; complaint != "" {
					t.Errorf("%s: %s", id, complaint)
				}
			}
			if len(ids) != 50 {
				t.Errorf("%d different messages", len(ids))
			}
			r.idle()
			if f := r.outcome(1); f.Status != 204 || f.Resigned != (c.own != nil || c.age > 0) {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestSvixForNodeVerifiesReplaysUnlessTheyAreVerbatimAndOld(t *testing.T) {
	url, said := nodeHandler(t, handlerSecret)
	d := messageAt("t", 1, time.Now().Add(-time.Hour))
	d.Body = []byte(`{"edited": true}`)
	for _, c := range []struct {
		options ReplayOptions
		taken   bool
	}{
		{ReplayOptions{Sign: signerOf(handlerSecret)}, true},
		{ReplayOptions{Sign: signerOf(handlerSecret), NewID: true}, true},
		{ReplayOptions{}, false},
	} {
		c.options.URL = url
		p, err := NewReplay(c.options)
		if err != nil {
			t.Fatal(err)
		}
		f := p.Post(t.Context(), d)
		id, complaint := said()
		if taken := complaint == ""; taken != c.taken || f.Delivered() != c.taken {
			t.Errorf("%+v: the handler said %q, the outcome is %+v", c.options.NewID, complaint, f)
		}
		if (id == d.ID) == c.options.NewID {
			t.Errorf("it came as %s", id)
		}
		if !c.taken {
			has(t, f.Hint, "1h0m", "--verbatim")
			sameText(t, "the answer's body", string(f.Body), "Message timestamp too old")
		}
	}
}
