package receiver

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"aspectop/model"
)

// Svix's published test vectors.
var vectors = []struct{ secret, id, stamp, body, signature string }{
	{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
		`{"test": 2432232314}`, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
	{"whsec_plJ3nmyCDGBKInavdOK15jsl", "msg_loFOjxBNrRLzqYUf", "1731705121",
		`{"event_type":"ping","data":{"success":true}}`, "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="},
}

func mustParse(t testing.TB, text string) []Secret {
	t.Helper()
	secrets, err := ParseSecrets(text)
	if err != nil {
		t.Fatal(err)
	}
	return secrets
}

func mustVerifier(t testing.TB, secrets ...Secret) *Verifier {
	t.Helper()
	v, err := NewVerifier(secrets)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestPublishedVectorsVerifyUnderBothFamilies(t *testing.T) {
	for _, vec := range vectors {
		secrets := mustParse(t, vec.secret)
		seconds, err := strconv.ParseInt(vec.stamp, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Unix(seconds, 0)
		if got := secrets[0].Sign(vec.id, at, []byte(vec.body)); got != vec.signature {
			t.Errorf("Sign = %s, want %s", got, vec.signature)
		}
		for _, f := range families {
			h := http.Header{f.id: {vec.id}, f.stamp: {vec.stamp}, f.signature: {vec.signature}}
			id, verdict := mustVerifier(t, secrets...).Verify(h, []byte(vec.body), at)
			want := model.Verdict{Reason: model.Verified, Secret: "default"}
			if id != vec.id || verdict != want {
				t.Errorf("%s: got %s, %+v, want %s, %+v", f.id, id, verdict, vec.id, want)
			}
		}
	}
}
