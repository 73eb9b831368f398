package check_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aspectop/check"
	"aspectop/receiver"

	svix "github.com/svix/svix-webhooks/go"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// hook verifies as the handlers here do: by the provider's library.
var hook = func() *svix.Webhook {
	w, err := svix.NewWebhook(secret)
	if err != nil {
		panic(err)
	}
	return w
}()

// checked runs a check of a handler that listens on the loopback.
func checked(t *testing.T, h http.HandlerFunc, change ...func(*check.Options)) (*check.Report, []check.Probe) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, usedConn{}, new(atomic.Bool))
	}
	s.Start()
	defer s.Close()
	return checkedAt(t, s.URL+"/hook", change...)
}

func secretOf(t *testing.T) receiver.Secret {
	t.Helper()
	secrets, err := receiver.ParseSecrets(secret)
	if err != nil {
		t.Fatal(err)
	}
	return secrets[0]
}

func checkedAt(t *testing.T, address string, change ...func(*check.Options)) (*check.Report, []check.Probe) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	var probes []check.Probe
	o := check.Options{URL: u, Secret: secretOf(t), ObserveFor: time.Second, Tell: func(p check.Probe) { probes = append(probes, p) }}
	if o.Place, err = check.Resolve(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(&o)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return check.Run(ctx, o), probes
}

// codesOf are the findings, each with its form. Where this machine has other work, any handler
// may seem to do one thing at a time.
func codesOf(r *check.Report) (names []string) {
	for _, f := range r.Findings {
		if f.Code == "serial" && len(r.Findings) > 1 {
			continue
		}
		name := f.Code
		if f.Form != "" {
			name += ":" + f.Form
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// body reads a request.
func body(r *http.Request) []byte {
	b, _ := io.ReadAll(r.Body)
	return b
}

// verifying is a handler that works; verify is what it verifies of a body.
func verifying(verify func(b []byte) []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := hook.Verify(verify(body(r)), r.Header); err != nil {
			http.Error(w, "Invalid signature", http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func raw(b []byte) []byte { return b }

// mac is a signature made by hand, "" where it is wrong.
func mac(key []byte, content string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(content))
	return m.Sum(nil)
}

var key, _ = base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))

// byHand verifies without a library.
func byHand(expect func(id, stamp, body string) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		stamp := r.Header.Get("svix-timestamp")
		seconds, _ := strconv.ParseInt(stamp, 10, 64)
		if age := time.Since(time.Unix(seconds, 0)); age > 5*time.Minute || age < -5*time.Minute {
			http.Error(w, "too old", 400)
			return
		}
		want := expect(r.Header.Get("svix-id"), stamp, string(body(r)))
		for part := range strings.FieldsSeq(r.Header.Get("svix-signature")) {
			if hmac.Equal([]byte(part), []byte(want)) {
				return
			}
		}
		http.Error(w, "no", http.StatusUnauthorized)
	}
}

func b64(b []byte) string   { return base64.StdEncoding.EncodeToString(b) }
func hexed(b []byte) string { return hex.EncodeToString(b) }

// compact is minimal JSON in the order as sent.
func compact(b []byte) []byte {
	var raw json.RawMessage
	if json.Unmarshal(b, &raw) != nil {
		return b
	}
	out, _ := json.Marshal(raw) // compacts, and escapes < > &
	return out
}
