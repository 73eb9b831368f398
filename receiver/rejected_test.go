package receiver

import (
	"slices"
	"strings"
	"testing"
)

func TestLittleIsHeldOfARejectedRequest(t *testing.T) {
	r := newRig(t)
	body := strings.Repeat("b", 10_000)
	q := r.signed("msg_"+strings.Repeat("1", 3000), body)
	q.Header.Set("svix-signature", "v1,x")
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie"} {
		q.Header[name] = []string{"hidden 1", "hidden 2"}
	}
	q.Header.Set("A-Long-One", strings.Repeat("a", 20_000))
	r.do(t, q)
	held := r.rejected()[0]
	if len(held.Body) != 8<<10 || held.Size != 10_000 || len(held.ID) != 256 {
		t.Errorf("holds %d bytes of the body (of %d) and %d of the id, want 8192 (10000) and 256", len(held.Body), held.Size, len(held.ID))
	}
	size := 0
	for name, values := range held.Header {
		for _, v := range values {
			size += len(name) + len(v)
		}
	}
	if size > 4<<10 || size < 4<<10-100 {
		t.Errorf("holds %d bytes of headers, want at most and about 4096", size)
	}
	if held.Header["Svix-Signature"][0] != "v1,x" {
		t.Error("a long header pushed out the signature")
	}
	if q.Header.Get("Cookie") != "hidden 1" {
		t.Error("the request itself was changed")
	}
}

func TestCredentialsOfRejectedRequestsAreRedacted(t *testing.T) {
	r := newRig(t)
	q := r.signed("msg_1", "body")
	q.Header.Set("svix-signature", "v1,x")
	for _, name := range []string{"Authorization", "Cookie", "X-Api-Key"} {
		q.Header[name] = []string{"hidden 1", "hidden 2"}
	}
	r.do(t, q)
	for _, name := range []string{"Authorization", "Cookie", "X-Api-Key"} {
		if got := r.rejected()[0].Header[name]; !slices.Equal(got, []string{"[redacted]"}) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
