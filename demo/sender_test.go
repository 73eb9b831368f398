package demo

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aspectop/forward"

	svix "github.com/svix/svix-webhooks/go"
)

// request is what came over real HTTP.
type request struct {
	method string
	header http.Header
	body   []byte
}

// receive posts m over real HTTP and returns what arrived.
func receive(t *testing.T, m Message) request {
	t.Helper()
	var got request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = request{r.Method, r.Header, body}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	sign := signer(library(t))
	status, err := (&Sender{URL: server.URL + "/webhooks/aspect", Sign: sign}).Post(context.Background(), m)
	if err != nil || status != http.StatusNoContent {
		t.Fatalf("Post: status %d, error %v", status, err)
	}
	return got
}

// byHand is the signature as Svix's manual describes it, without its library.
func byHand(header http.Header, body []byte) string {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(header.Get("svix-id") + "." + header.Get("svix-timestamp") + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func library(t *testing.T) *svix.Webhook {
	t.Helper()
	w, err := svix.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestAPostLooksAndVerifiesLikeOneOfSvix(t *testing.T) {
	m := Message{ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", Body: []byte(`{"test": 2432232314}`)}
	got := receive(t, m)
	if err := library(t).Verify(got.body, got.header); err != nil {
		t.Errorf("the Svix library: %v", err)
	}
	if want := byHand(got.header, got.body); got.header.Get("svix-signature") != want {
		t.Errorf("signature %s, by hand %s", got.header.Get("svix-signature"), want)
	}
	if got.method != http.MethodPost || !bytes.Equal(got.body, m.Body) {
		t.Errorf("%s of %q", got.method, got.body)
	}
	for name, want := range map[string]string{
		"Content-Type":    "application/json",
		"Accept":          "*/*",
		"Accept-Encoding": "",
		"User-Agent":      "Svix-Webhooks/1.84.0 (sender-9YMgn; +https://www.svix.com/http-sender/)",
		"Svix-Id":         m.ID,
		"Content-Length":  "20",
	} {
		if got.header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.header.Get(name), want)
		}
	}
}

func TestASignatureIsThatOfThePublishedTestVector(t *testing.T) {
	sign := signer(library(t))
	got := sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAMessageIsStampedWithItsInstant(t *testing.T) {
	at := time.Now().Add(-3 * time.Minute)
	got := receive(t, Message{ID: "msg_1", At: at, Body: []byte("{}")})
	if got.header.Get("svix-timestamp") != strconv.FormatInt(at.Unix(), 10) {
		t.Errorf("svix-timestamp is %s, want %d", got.header.Get("svix-timestamp"), at.Unix())
	}
	if err := library(t).Verify(got.body, got.header); err != nil {
		t.Error(err)
	}
}

func TestEveryWayToBeWrongIsRefused(t *testing.T) {
	body := []byte(`{"event_type":"task.progress","data":{}}`)
	for _, b := range Breaks {
		got := receive(t, Message{ID: "msg_1", Body: body, Break: b})
		if library(t).Verify(got.body, got.header) == nil {
			t.Errorf("%s: the Svix library accepts it", b)
		}
		rightlySigned := library(t).VerifyIgnoringTimestamp(got.body, got.header) == nil
		if want := b == BreakTimestamp || b == BreakFuture; rightlySigned != want {
			t.Errorf("%s: rightly signed is %v, want %v", b, rightlySigned, want)
		}
		if altered := !bytes.Equal(got.body, body); altered != (b == BreakBody) {
			t.Errorf("%s: the body is altered: %v", b, altered)
		}
		var sent, arrived any
		if json.Unmarshal(body, &sent) != nil || json.Unmarshal(got.body, &arrived) != nil || !reflect.DeepEqual(sent, arrived) {
			t.Errorf("%s: the body became other JSON: %s", b, got.body)
		}
		if sig, ok := strings.CutPrefix(got.header.Get("svix-signature"), "v1,"); (ok && len(sig) == 44) == (b == BreakHeaders || b == BreakMalformed) {
			t.Errorf("%s: the signature is %s", b, got.header.Get("svix-signature"))
		}
	}
}

func TestEachHeaderIsMissingInTurn(t *testing.T) {
	var missing []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Svix-Id", "Svix-Timestamp", "Svix-Signature"} {
			if r.Header.Get(name) == "" {
				missing = append(missing, name)
			}
		}
		w.WriteHeader(http.StatusBadRequest)
	}))
	defer server.Close()
	var told []string
	s := &Sender{URL: server.URL, Sign: signer(library(t)), Observe: func(m Message, _ forward.Answer, _ error) { told = append(told, m.Without) }}
	status, err := s.Post(t.Context(), Message{ID: "msg_1", Break: BreakHeaders})
	want := []string{"Svix-Id", "Svix-Timestamp", "Svix-Signature"}
	if status != 400 || err != nil || !slices.Equal(missing, want) || !slices.Equal(told, want) {
		t.Errorf("%d (%v), without %v; told %v", status, err, missing, told)
	}
}

func TestAnEmptyBodyCanBeBrokenToo(t *testing.T) {
	got := receive(t, Message{ID: "msg_1", Break: BreakBody})
	if library(t).Verify(got.body, got.header) == nil {
		t.Error("the Svix library accepts it")
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	sign := signer(library(t))
	status, err := (&Sender{URL: server.URL, Sign: sign}).Post(context.Background(), Message{ID: "msg_1"})
	if err != nil || status != http.StatusTemporaryRedirect || asked != 1 {
		t.Errorf("status %d, error %v, %d requests; want 307 after one", status, err, asked)
	}
}

func TestAnUnreachableReceiverIsNamedWithItsURL(t *testing.T) {
	url := "http://" + closedPort(t) + "/webhooks/aspect"
	sign := signer(library(t))
	_, err := (&Sender{URL: url, Sign: sign}).Post(context.Background(), Message{ID: "msg_1"})
	if err == nil || strings.Count(err.Error(), url) != 1 || !strings.Contains(err.Error(), "refused") {
		t.Errorf("error %v, want one that names %s once and says why", err, url)
	}
}

func TestAURLThatIsNoneIsAnError(t *testing.T) {
	sign := signer(library(t))
	for _, url := range []string{"", ":8787", "localhost", "http://a b/", "ftp://localhost/x"} {
		if _, err := (&Sender{URL: url, Sign: sign}).Post(context.Background(), Message{ID: "msg_1"}); err == nil {
			t.Errorf("%q was posted to", url)
		} else if !strings.Contains(err.Error(), url) {
			t.Errorf("%q: the error does not name it: %v", url, err)
		}
	}
}

// closedPort is an address on loopback where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestEveryAttemptIsObservedWithItsAnswer(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("svix-id") == "msg_wrong" {
			http.Error(w, strings.Repeat("no", 1000), http.StatusBadRequest)
		}
	}))
	var told []string
	s := &Sender{URL: receiver.URL, Sign: otherSigner(), Observe: func(m Message, a forward.Answer, err error) {
		if (err != nil) != (m.ID == "msg_gone") {
			t.Errorf("%s: %v", m.ID, err)
		}
		told = append(told, fmt.Sprint(a.Status, " ", a.Said))
	}}
	for _, id := range []string{"msg_right", "msg_wrong"} {
		s.Post(t.Context(), Message{ID: id})
	}
	receiver.Close()
	s.Post(t.Context(), Message{ID: "msg_gone"})
	want := []string{"200 ", "400 " + strings.Repeat("no", 1000)[:1021] + "…", "0 "}
	if !slices.Equal(told, want) {
		t.Errorf("observed %v", told)
	}
}

func TestOnlyARefusalIsTheRightAnswerToWhatIsWrong(t *testing.T) {
	for status, wrong := range map[int]bool{204: false, 302: false, 400: true, 401: true, 403: true, 404: false, 405: false, 408: false, 429: false, 500: false, 0: false} {
		a := forward.Answer{Status: status}
		if BreakBody.Right(a) != wrong || Break("").Right(a) != (status == 204) {
			t.Errorf("%d is right: to what is wrong %v, to what is right %v", status, BreakBody.Right(a), Break("").Right(a))
		}
	}
}
