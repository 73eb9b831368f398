package printer

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"aspectop/model"
)

// A stand-in for curl prints what it got, one argument a line, then its stdin.
const fakeCurl = `curl() { for a in "$@"; do printf '[%s]\n' "$a"; done; cat; }; `

func TestCurlPostsTheVeryBytesWithTheHeadersOfTheMessage(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("runs where there is a POSIX shell")
	}
	body := []byte("{\"name\":\"it's $HOME `id` \x00\xff\n\"}")
	out, err := exec.Command(sh, "-c", fakeCurl+Curl(&model.Delivery{
		Header: map[string][]string{
			"Svix-Id":        {"msg_'; rm -rf /"},
			"Svix-Signature": {"v1,abc v1,def"},
			"Content-Type":   {"application/json"},
			"Authorization":  {"Bearer secret"},
			"Cookie":         {"secret"},
			"Cf-Ray":         {"1"},
		},
		Body: body,
	}, "http://127.0.0.1:1/webhooks/aspect?a=1&b='2'")).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"[Svix-Id: msg_'; rm -rf /]\n", "[Svix-Signature: v1,abc v1,def]\n", "[Content-Type: application/json]\n",
		"[http://127.0.0.1:1/webhooks/aspect?a=1&b='2']\n",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("curl did not get %q:\n%s", want, out)
		}
	}
	if strings.Contains(string(out), "secret") || strings.Contains(string(out), "Cf-Ray") {
		t.Errorf("curl got headers that are not the message's:\n%s", out)
	}
	if !bytes.HasSuffix(out, append([]byte("]\n"), body...)) {
		t.Errorf("curl read another body than %q:\n%q", body, out)
	}
}

func TestCurlIsOneLine(t *testing.T) {
	line := Curl(&model.Delivery{Header: map[string][]string{"Svix-Id": {"a\nb\x1b[2J"}}, Body: []byte("a\nb")}, "http://x")
	if strings.ContainsAny(line, "\n\x1b") {
		t.Errorf("a control character is left in %q", line)
	}
}
