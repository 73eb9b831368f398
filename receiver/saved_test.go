package receiver

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"aspectop/model"
	"aspectop/sig"
)

func TestSavedRequestsAreJudgedAsTheReceiverJudges(t *testing.T) {
	secret := NewSecret("a")
	body := `{"a":"ë"}`
	good := sealed(sig.Families[0], secret, "msg_1", now, []byte(body))
	stamp, signature := good.Get("svix-timestamp"), good.Get("svix-signature")
	head := "svix-id: msg_1\r\nsvix-timestamp: " + stamp + "\r\nsvix-signature: " + signature + "\r\n"
	raw := func(method, more, body string) string {
		return method + " /webhooks/aspect?x=1 HTTP/1.1\r\nHost: x\r\n" + head + more + "\r\n" + body
	}
	length := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	line := func(headers any, rest string) string {
		h, _ := json.Marshal(headers)
		return `{"type":"delivery","time":"` + now.Format(time.RFC3339) + `","headers":` + string(h) + "," + rest + "}\n"
	}
	text, _ := json.Marshal(body)
	kept := `"body":` + string(text) + `,"body_base64":null`
	har := func(request string) string {
		return `{"log":{"entries":[{"startedDateTime":"` + now.Format(time.RFC3339) + `","request":{"method":"POST","headers":[` +
			`{"name":"svix-id","value":"msg_1"},{"name":"svix-timestamp","value":"` + stamp + `"},{"name":"svix-signature","value":"` + signature + `"}],` + request + `}}]}}`
	}
	for _, c := range []struct{ name, text, want string }{
		{"a raw request", raw("POST", length, body), "request 1 verified"},
		{"with line feeds alone and no length", strings.ReplaceAll(raw("POST", "", body), "\r\n", "\n"), "request 1 verified"},
		{"chunked", raw("POST", "Transfer-Encoding: chunked\r\n", chunks(body, 3)), "request 1 verified"},
		{"two, with an empty line between", raw("POST", length, body) + "\r\n\r\n" + raw("PUT", length, body+"\n"), "request 1 verified, request 2 verified"},
		{"cut", raw("POST", length, body[:4]), "request 1 cut: 4 of 10 bytes of the body are there"},
		{"with a newline of the editor", raw("POST", "", body+"\n"), "request 1 no_match without_newline"},
		{"another method", raw("GET", length, body), "request 1 wrong_method"},
		{"too large", raw("POST", "", strings.Repeat("x", MaxBody+1)), "request 1 too_large"},
		{"no request", "hello\n", "request 1 unreadable"},

		{"a line of an export", line(good, kept), "line 1 verified"},
		{"of a rejection", strings.Replace(line(good, kept), "delivery", "rejection", 1), "line 1 verified"},
		{"with lower case names", line(map[string][]string{"svix-id": {"msg_1"}, "svix-timestamp": {stamp}, "svix-signature": {signature}}, kept), "line 1 verified"},
		{"in base64", line(good, `"body":null,"body_base64":"eyJhIjoiw6sifQ=="`), "line 1 verified"},
		{"two lines and an empty one", line(good, kept) + "\n" + line(good, `"body":"{}"`), "line 1 verified, line 3 no_match"},
		{"without its body", line(good, `"body":null,"body_base64":null`), "line 1 cut"},
		{"with half of it", line(good, `"body":"{","body_base64":null,"size":10`), "line 1 cut"},
		{"with a redacted header", line(map[string][]string{"Svix-Id": {"msg_1"}, "Svix-Timestamp": {stamp}, "Svix-Signature": {"[redacted]"}}, kept), "line 1 redacted"},
		{"with another redacted header", line(with(sealed(sig.Families[0], secret, "msg_1", now, []byte(body)), "Cookie", "[redacted]"), kept), "line 1 verified"},
		{"with masked users", line(good, `"body":"{\"user_id\":\"00000000-0000-0000-0000-000000000000\"}"`), "line 1 redacted"},
		{"of a body that broke off", line(good, `"reason":"malformed","detail":"malformed: the body broke off after 1 bytes","body":"{","size":1`), "line 1 cut"},
		{"of a body that was too large to be read", line(good, `"reason":"too_large","detail":"too large","body":null,"size":0`), "line 1 cut"},
		{"of what was no request", line(map[string][]string{}, `"reason":"not_http","body":null,"size":0`), "line 1 redacted"},
		{"of the API", line(good, `"source":"api",`+kept), "line 1 unreadable"},
		{"of a watch", `{"type":"event","time":"2026-11-23T12:00:00Z","id":"msg_1"}`, "line 1 unreadable"},
		{"half a line", line(good, kept)[:50], "line 1 unreadable"},

		{"an archive", har(`"bodySize":10,"postData":{"text":` + string(text) + `}`), "entry 1 verified"},
		{"one entry", strings.TrimSuffix(strings.TrimPrefix(har(`"postData":{"text":`+string(text)+`}`), `{"log":{"entries":[`), "]}}"), "entry 1 verified"},
		{"in base64 as export marks it", har(`"postData":{"text":"eyJhIjoiw6sifQ==","comment":"base64, because"}`), "entry 1 verified"},
		{"cut archive", har(`"bodySize":10,"postData":{"text":"{"}`), "entry 1 cut"},
		{"without the body", har(`"bodySize":-1,"headers":[{"name":"content-length","value":"10"},{"name":"svix-id","value":"msg_1"},` +
			`{"name":"svix-timestamp","value":"` + stamp + `"},{"name":"svix-signature","value":"` + signature + `"}]`), "entry 1 cut"},
		{"nothing", " \n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, s := range ReadSaved([]byte(c.text)) {
				id, verdict := mustVerifier(t, secret).Judge(&s, now)
				result := string(verdict.Reason)
				if verdict.Evidence != "" {
					result += " " + verdict.Evidence
				}
				if s.Problem != "" {
					if result = s.Problem; verdict != (model.Verdict{}) {
						t.Errorf("%q has a verdict: %+v", s.Problem, verdict)
					}
				} else if id != "msg_1" {
					t.Errorf("id %q", id)
				}
				got = append(got, s.Place+" "+result)
			}
			want := strings.Split(c.want, ", ")
			for i, one := range got {
				if len(want) != len(got) || !strings.HasPrefix(one, want[i]) {
					t.Errorf("got %q, want %q", got, c.want)
				}
			}
			if len(got) == 0 && c.want != "" {
				t.Errorf("got nothing, want %q", c.want)
			}
		})
	}
}

func TestASavedRequestHasTheTimeOfItsRecord(t *testing.T) {
	for text, want := range map[string]bool{
		`{"type":"delivery","time":"2026-11-23T12:00:00Z","headers":{"Svix-Id":["m"]},"body":"x"}`: true,
		`{"request":{"method":"POST"},"startedDateTime":"2026-11-23T12:00:00.000Z"}`:               true,
		"POST / HTTP/1.1\r\n\r\nx": false,
		`{"log":{"entries":[{"request":{"method":"POST"},"startedDateTime":"yesterday"}]}}`: false,
	} {
		if s := ReadSaved([]byte(text)); len(s) != 1 || s[0].Problem != "" || s[0].Received.Equal(now) != want || s[0].Received.IsZero() == want {
			t.Errorf("%s: %+v", text, s)
		}
	}
}

func FuzzReadSaved(f *testing.F) {
	f.Add([]byte("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab"))
	f.Add([]byte(`{"log":{"entries":[{"request":{"postData":{"text":"a","encoding":"base64"}}}]}}`))
	f.Add([]byte("{\"headers\":{\"svix-id\":[\"m\"]},\"body\":\"x\"}\n{"))
	v := mustVerifier(f, NewSecret("a"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, s := range ReadSaved(text) {
			if _, verdict := v.Judge(&s, now); verdict.OK() || s.Place == "" || (s.Problem == "") == (verdict.Reason == "") {
				t.Errorf("%+v became %+v", s, verdict)
			}
		}
	})
}
