package receiver

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"aspectop/model"
	"aspectop/sig"
)

const (
	secretA = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	secretB = "whsec_plJ3nmyCDGBKInavdOK15jsl"
)

func TestSecretsAreNamedOnlyBeforeTheWhsecPrefix(t *testing.T) {
	bare := strings.TrimPrefix(secretA, "whsec_")
	for _, c := range []struct{ text, names string }{
		{secretA, "default"},
		{bare, "default"},
		{bare + ",\n\t" + secretB + "  ", "default default-2"},
		{"old=" + secretA + " " + secretB, "old default"},
		{secretA + "," + "new.key_2-a=" + secretB, "default new.key_2-a"},
		{"dGVzdA==", "default"},       // padding is no name
		{"whsec_dGVzdHM=", "default"}, // nor here
		{"old=whsec_dGVzdA==", "old"}, // the first '=' separates
		{"a=" + secretA + " b=" + secretA, "a b"},
		// What gets around a secret by copying.
		{"\ufeff" + secretA + "\r\n", "default"},
		{"\u200b" + secretA[:20] + "\u2060" + secretA[20:] + "\u200d", "default"},
		{"\u00a0" + secretA + "\u202f", "default"},
		{"\x1b[200~"[:1] + secretA, "default"},
		{"v1," + secretA, "default"},
		{"v1, " + secretA + " " + secretB, "default default-2"},
		{"export ASPECT=" + secretA, "ASPECT"},
		{"export A=" + secretA + "\nexport B=" + secretB, "A B"},
		{"WHSEC_" + bare, "default"},
		{"new=Whsec_" + bare, "new"},
	} {
		secrets, err := ParseSecrets(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		var names []string
		for _, s := range secrets {
			names = append(names, s.Name)
		}
		if got := strings.Join(names, " "); got != c.names {
			t.Errorf("%q: named %q, want %q", c.text, got, c.names)
		}
	}
}

func TestBareAndPrefixedSecretsAreTheSameKey(t *testing.T) {
	bare := mustParse(t, strings.TrimPrefix(secretA, "whsec_"))[0]
	for _, text := range []string{"x=" + secretA, "\ufeffWHSEC_" + secretA[6:], "export x=" + secretA, "v1," + secretA} {
		if bare.Sign("msg_1", now, nil) != mustParse(t, text)[0].Sign("msg_1", now, nil) {
			t.Errorf("%q signs differently", text)
		}
	}
}

func TestRefusedSecretIsNamedByPositionAndReason(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "no secret given"},
		{" ,\n", "no secret given"},
		{secretA + " whsk_c2VjcmV0", "secret 2 of 2 is the private key"},
		{"whsk1_c2VjcmV0", "secret 1 of 1 is the private key"},
		{"whpk_c2VjcmV0", "secret 1 of 1 is a public key"},
		{"prod=whpk_c2VjcmV0", "secret 1 of 1 is a public key"},
		{"whsec_", "secret 1 of 1 is empty after whsec_"},
		{"a=whsec_ " + secretA, "secret 1 of 2 is empty after whsec_"},
		{"==", "secret 1 of 1 is empty"},
		{`"` + secretA + `"`, "quotation marks"},
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_", "base64url"},
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "some of it is missing"},
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2Laäö", "is not base64"},
		{"prod=MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "a name needs the prefix after it"},
		{"=" + secretA, "no usable name"},
		{"a b=" + secretA, "secret 1 of 2 is not base64, and shorter than any secret"},
		{"\xff\xfew\x00h\x00", "UTF-16"},
		{"\xfe\xff\x00w\x00h", "UTF-16"},
		{"w\x00h\x00s\x00e\x00c\x00_\x00", "UTF-16"}, // without a byte order mark
		{"whse\u0441_" + secretA[6:], "Cyrillic letter"},
		{"whsec_\u041cfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "Cyrillic letter"},
		{"whsec_\u0391fKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "Greek letter"},
		{"ｗｈｓｅｃ＿" + secretA[6:], "full-width"},
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa\xe4w", "not UTF-8"},
		{"“" + secretA + "”", "quotation marks"},
		{"Bearer " + secretA, "secret 1 of 2 is a part of an Authorization header"},
		{"Authorization: Bearer " + secretA, "secret 1 of 3 is a part of an Authorization header"},
		{"sk_live_qwrtzuiopghjklyvWXYZ", "secret 1 of 1 is an API key (sk_…): put it into ASPECT_API_KEY"},
		{"# prod\n" + secretA, "secret 1 of 3 is a comment"},
		{secretA + " // prod", "secret 2 of 3 is a comment"},
		{"whsec-" + secretA[6:], "without the '_'"},
		{"whsec" + secretA[6:], "without the '_'"},
		{"whsec_MfKQ9r8GKYqr_wjUPD8ILPZIo2LaLaS", "base64url"}, // which it is
		{"whsec_MfKQ9r8GKYqr*wjUPD8ILPZIo2LaLaS_", "a character in it that base64 does not have"},
		{"WHSK_c2VjcmV0", "the private key"},
		{"naïve=" + secretA, "no usable name"},
		{secretA + "=" + secretB, "separate two secrets"},
		{"whsec_dGVzdHM=" + secretB, "separate two secrets"},
		{strings.Repeat("n", 32) + "=" + secretB, "no usable name"},
		{"a=" + secretA + " a=" + secretB, "secrets 1 and 2 of 2 have the same name"},
		{"default=" + secretA + " " + secretB, "secrets 1 and 2 of 2 have the same name"},
	} {
		secrets, err := ParseSecrets(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want one with %q", c.text, err, c.want)
		}
		if secrets != nil {
			t.Errorf("%q: gave %d secrets with the error", c.text, len(secrets))
		}
	}
}

func TestSecretNeverPrintsItsKey(t *testing.T) {
	secret := mustParse(t, "studio="+secretA)[0]
	encoded := strings.TrimPrefix(secretA, "whsec_")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	forbidden := []string{
		encoded[:8], encoded[len(encoded)-5:], // the last four may be shown, a fifth not
		string(raw[:4]),
		hex.EncodeToString(raw[:4]), strings.ToUpper(hex.EncodeToString(raw[:4])),
		strings.Trim(fmt.Sprint(raw[:4]), "[]"),
		strings.Trim(fmt.Sprintf("%#v", raw[:4]), "[]byte{}"),
		fmt.Sprintf("% x", raw[:4]),
	}
	verifier := mustVerifier(t, secret)
	config := Config{Secrets: []Secret{secret}, Journal: &memory{}, Status: model.NewStatusLog(1)}
	server, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{
		"Secret": secret, "*Secret": &secret, "[]Secret": []Secret{secret}, "map": map[string]Secret{"a": secret},
		"unexported": struct{ inner Secret }{secret},
		"Config":     config, "*Verifier": verifier, "*Server": server,
	}
	prints := map[string]func(any) string{
		"json": func(v any) string { b, err := json.Marshal(v); return fmt.Sprintf("%s %v", b, err) },
		"slog": func(v any) string {
			var out bytes.Buffer
			slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v)
			slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v)
			return out.String()
		},
		"error": func(v any) string { return errors.Join(fmt.Errorf("failed with %v", v)).Error() },
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%40s", "%.3v"} {
		prints[verb] = func(v any) string { return fmt.Sprintf(verb, v) }
	}
	for what, value := range values {
		for how, print := range prints {
			text := print(value)
			for _, f := range forbidden {
				if strings.Contains(text, f) {
					t.Errorf("%s printed by %s shows the key", what, how)
				}
			}
		}
	}
	for how, text := range map[string]string{
		"Masked": secret.Masked(), "String": secret.String(),
		"%v": fmt.Sprint(secret), "%#v": fmt.Sprintf("%#v", secret),
	} {
		if text != "whsec_…LaSw" {
			t.Errorf("%s is %q, want the masked form", how, text)
		}
	}
	if text := fmt.Sprint(Secret{}); text != "whsec_…" {
		t.Errorf("the zero Secret prints as %q", text)
	}
}

func TestFreshSecretsDifferAndVerify(t *testing.T) {
	a, b := NewSecret("a"), NewSecret("b")
	if a.Sign("msg_1", now, nil) == b.Sign("msg_1", now, nil) {
		t.Error("two fresh secrets sign alike")
	}
	body := []byte("x")
	_, verdict := mustVerifier(t, a, b).Verify(sealed(sig.Families[0], b, "msg_1", now, body), body, now)
	if want := (model.Verdict{Reason: model.Verified, Secret: "b"}); verdict != want {
		t.Errorf("got %+v, want %+v", verdict, want)
	}
}

func TestSignCutsTheTimeToWholeSeconds(t *testing.T) {
	s := NewSecret("a")
	if s.Sign("msg_1", now, nil) != s.Sign("msg_1", now.Add(999*time.Millisecond), nil) {
		t.Error("fractions of a second change the signature")
	}
}

func TestASecretShorterThanThoseOfSvixIsWarnedAbout(t *testing.T) {
	for text, warned := range map[string]bool{
		"whsec_abcd": true, "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 23)): true, "dGVzdA==": true,
		"whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 24)): false, secretA: false,
		base64.StdEncoding.EncodeToString(make([]byte, 25)): false, base64.StdEncoding.EncodeToString(make([]byte, 64)): false,
	} {
		warning := mustParse(t, text)[0].Warning()
		if (warning != "") != warned || warned && !strings.Contains(warning, "short") {
			t.Errorf("%s: warned %q", text, warning)
		}
	}
	if NewSecret("a").Warning() != "" || (Secret{}).Warning() != "" {
		t.Error("our own secret is warned about")
	}
}
