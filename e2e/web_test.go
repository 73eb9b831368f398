//go:build unix

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// webPage is the address of the live page that the program announces.
func (p *piped) webPage() string {
	p.t.Helper()
	return p.says(`live page: (\S+)`)
}

// fetched is what a URL answers.
func fetched(t *testing.T, client *http.Client, url string) (status int, body string) {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestTheLivePageFollowsInABrowser(t *testing.T) {
	t.Parallel()
	watch := inPipe(t, watching(t, "--json", "--web", "127.0.0.1:0"))
	url, _ := watch.next("ready")["url"].(string)
	page := watch.webPage()
	b := inBrowser(t)
	b.size(1280, 900, "light")
	b.open(page)
	b.until(`document.body.classList.contains("live")`)

	for _, d := range some() {
		keeps(t, url, d)
	}
	b.until(`document.querySelector("#failed li") && document.querySelector("#completed li")`)
	if order := value[string](b, `[...document.querySelectorAll(".group")].map((g) => g.id).join(" ")`); order != "failed completed" {
		t.Errorf("the groups are %s", order)
	}
	b.click("#failed summary")
	b.until(`document.querySelector("#failed .timeline rect") && document.querySelector("#failed .events")`)
	if text := b.text(); !strings.Contains(text, "msg_2") || strings.Contains(text, "3f5d7e38") {
		t.Errorf("the details are %s", text)
	}
	// What is open stays open while news come, and shows them.
	keeps(t, url, delivery{id: "msg_9", body: tells(upload, "task.progress", time.Now().Add(2*time.Second), feature("visual", "failed")+","+feature("proxy", "completed"))})
	b.until(`document.querySelector("#failed details[open]").textContent.includes("msg_9")`)

	b.do(chromedp.SendKeys(chromedp.CSS("input[name=filter]"), "completed"))
	b.until(`document.querySelector("output").textContent === "2 of 2 tasks" || document.querySelector("output").textContent === "1 of 2 tasks"`)
	b.run(`document.querySelector("input[name=filter]").value = ""; document.dispatchEvent(new Event("aspectop:renewed"))`)
	for i, text := range hostileTexts {
		keeps(t, url, delivery{id: fmt.Sprint("msg_hostile_", i), body: string(hostileBody(time.Now(), text, []string{"failed", "completed"}[i%2]))})
	}
	b.until(fmt.Sprintf(`document.querySelectorAll(".tasks > li").length === %d`, 2+len(hostileTexts)))
	b.run(`document.querySelectorAll("details").forEach((d) => d.open = true)`)
	b.until(`document.querySelectorAll(".events").length === document.querySelectorAll("details").length`)
	b.harmless()
	b.run(`document.querySelectorAll("details").forEach((d, i) => d.open = i === 0)`)
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{360, 1280, 2560} {
			b.size(width, 1200, scheme)
			b.run("scrollTo(0, 0)")
			b.picture(fmt.Sprintf("live-%d-%s", width, scheme))
			if over := value[int](b, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
				t.Errorf("at %d the page is %d pixels too wide", width, over)
			}
		}
		b.size(1280, 1200, scheme)
		b.accessible()
	}
	watch.signal(syscall.SIGINT)
	if code := watch.ends(); code != 0 {
		t.Errorf("ended with %d: %s", code, watch.errors())
	}
	b.until(`document.body.classList.contains("lost") && document.getElementById("live").textContent.startsWith("The program has ended; this is how things stood at ")`)
	b.picture("live-lost")
	b.accessible()
	if cookies := value[string](b, "document.cookie"); cookies != "" {
		t.Errorf("cookies: %s", cookies)
	}
	b.stays(page)
}

func TestTheLivePageSaysWhenItHasLostTheProgramAndFindsItAgain(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	page := "http://" + address + "/"
	journal, url, _ := journalOf(t, some()...)
	// Behind a proxy the address has no token, so it is the same after a restart.
	view := func() *piped {
		v := inPipe(t, program(t, "view", "--json", "--journal", journal, "--web", address, "--web-proxy", page))
		v.next("ready")
		return v
	}
	first := view()
	b := inBrowser(t)
	b.size(1280, 900, "dark")
	b.open(page)
	b.until(`document.body.classList.contains("live")`)
	first.signal(syscall.SIGKILL)
	first.ends()
	b.until(`document.body.classList.contains("lost") && document.getElementById("live").textContent.startsWith("The program does not answer; this is how things stood at ")`)
	keeps(t, url, delivery{id: "msg_7", body: tells("3e1c7e42-0000-4000-8000-00000000000c", "task.progress", time.Now(), feature("proxy", "queued"))})
	second := view()
	b.until(`document.body.classList.contains("live") && document.body.textContent.includes("3e1c7e42")`)
	second.signal(syscall.SIGINT)
	second.ends()
	b.stays(page)
}

func TestTheLivePageIsNotOnTheReceiversPort(t *testing.T) {
	watch := inPipe(t, watching(t, "--json", "--web", "127.0.0.1:0"))
	url, _ := watch.next("ready")["url"].(string)
	page := watch.webPage()
	_, path, _ := strings.Cut(strings.TrimPrefix(page, "http://"), "/")
	receiver := strings.TrimSuffix(url, "/webhooks/aspect")
	if status, body := fetched(t, http.DefaultClient, receiver+"/"+path); status != http.StatusNotFound || strings.Contains(body, "Aspect") {
		t.Errorf("the receiver answers %d, %s", status, body)
	}
	if status, body := fetched(t, http.DefaultClient, page); status != http.StatusOK || !strings.Contains(body, "Aspect media tasks") {
		t.Errorf("the page itself: %d, %s", status, body)
	}
	_, stderr, code := finished(t, watching(t, "--json", "--journal", "memory", "--listen", strings.TrimPrefix(receiver, "http://"), "--web", "127.0.0.1:0"))
	if code != 3 {
		t.Errorf("the receiver's port is taken, and it ends with %d: %s", code, stderr)
	}
	_, stderr, code = finished(t, watching(t, "--json", "--journal", "memory", "--web", strings.TrimPrefix(receiver, "http://")))
	if code != 3 {
		t.Errorf("on the receiver's port, it ends with %d", code)
	}
	says(t, stderr, "--web: ")
}

func TestTheAddressOfTheLivePageIsFoundOnTheScreenAndInNoRecordingOrPicture(t *testing.T) {
	demo := program(t, "demo", "--web", "127.0.0.1:0", "--record", "demo.cast")
	demo.Dir = t.TempDir()
	screen := inTerminal(t, 160, 50, demo)
	screen.press("3")
	page := screen.find(`live page: (http://127\.0\.0\.1:\d+/[\w-]{32}/)`)
	if status, body := fetched(t, http.DefaultClient, page); status != http.StatusOK || !strings.Contains(body, "Aspect media tasks") {
		t.Errorf("there is %d, %s", status, body)
	}
	screen.press("S")
	screen.shows("wrote a picture")
	screen.press("?")
	screen.shows("Said at the start")
	screen.press("\x03")
	screen.ends(0)
	secret := page[len(page)-33 : len(page)-1]
	pictures, err := filepath.Glob(filepath.Join(demo.Dir, "*.svg"))
	if err != nil || len(pictures) != 1 {
		t.Fatalf("the pictures are %v, %v", pictures, err)
	}
	for _, path := range []string{filepath.Join(demo.Dir, "demo.cast"), pictures[0]} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text = regexp.MustCompile(`</?tspan[^>]*>`).ReplaceAll(text, nil) // around the words of a picture
		if !strings.Contains(string(text), "live page: ") || !strings.Contains(string(text), "/********") {
			t.Errorf("%s does not show the page at all, so this tests nothing", path)
		}
		for part := range 32 - 6 {
			if strings.Contains(string(text), secret[part:part+6]) {
				t.Errorf("%s tells of the token", path)
				break
			}
		}
	}
}

// certificate makes a certificate for 127.0.0.1 and its key, in two files.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	cert, key = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for path, block := range map[string][]byte{cert: certPEM, key: pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})} {
		if err := os.WriteFile(path, block, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return cert, key, pool
}

func TestBeyondLoopbackTheLivePageNeedsTLSOrAProxy(t *testing.T) {
	cert, key, pool := certificate(t)
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"--web 0.0.0.0:0", 2, "--web-cert and --web-key"}, {"--web :0", 2, "open to the network"}, {"--web [::]:0", 2, "open to the network"},
		{"--web-cert " + cert, 2, "need --web"}, {"--web-proxy https://x.example/", 2, "need --web"},
		{"--web 127.0.0.1:0 --web-cert " + cert, 2, "go together"}, {"--web 127.0.0.1:0 --web-proxy x.example", 2, "invalid --web-proxy"},
		{"--web 127.0.0.1:0 --web-proxy ftp://x.example", 2, "invalid --web-proxy"}, {"--web 127.0.0.1:0 --web-proxy https://a:b@x.example", 2, "invalid --web-proxy"},
		{"--web 127.0.0.1:0 --web-cert " + key + " --web-key " + key, 3, "--web-cert"}, {"--web 127.0.0.1:0 --web-cert /none --web-key /none", 3, "/none"},
		{"--web 127.0.0.1:x", 2, "--web: "},
	} {
		stdout, stderr, code := finished(t, program(t, append([]string{"demo", "--json"}, strings.Fields(c.args)...)...))
		if code != c.code || stdout != "" {
			t.Errorf("%s: ended with %d and wrote %q", c.args, code, stdout)
		}
		says(t, stderr, c.says)
	}
	demo := inPipe(t, program(t, "demo", "--json", "--web", "0.0.0.0:0", "--web-cert", cert, "--web-key", key))
	demo.next("ready")
	page := demo.says(`open to the network: live page: (https://\S+)`)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	u, err := url.Parse(page)
	if err != nil || u.Hostname() == "0.0.0.0" {
		t.Fatalf("nobody can open %s: %v", page, err)
	}
	rest := u.Port() + u.Path
	if status, body := fetched(t, client, "https://127.0.0.1:"+rest); status != http.StatusOK || !strings.Contains(body, "Aspect media tasks") {
		t.Errorf("over TLS: %d, %s", status, body)
	}
	client.CloseIdleConnections()
	proxied := inPipe(t, program(t, "demo", "--json", "--web", "0.0.0.0:0", "--web-proxy", "https://status.example.com/aspectop"))
	proxied.next("ready")
	proxied.says(`open to the network: live page: (https://status.example.com/aspectop/)`)
}
