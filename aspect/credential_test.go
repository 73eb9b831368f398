package aspect

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestCredentialsNeverPrint(t *testing.T) {
	for _, text := range []string{testKey, testSecret, "short"} {
		credential := NewCredential("\ufeff " + text + "\u200b\n")
		if credential.Reveal() != text {
			t.Errorf("reveals %q", credential.Reveal())
		}
		type holder struct {
			Shown  Credential
			hidden Credential
			list   []Credential
			saved  savedSecret
		}
		held := holder{credential, credential, []Credential{credential}, savedSecret{credential}}
		for _, v := range []any{credential, &credential, held, &held, map[string]any{"k": held}} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p"} {
				if got := fmt.Sprintf(verb, v); shows(got, text) {
					t.Errorf("%s of %T prints %s", verb, v, got)
				}
			}
			var b strings.Builder
			slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", v)
			slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
			if shows(b.String(), text) {
				t.Errorf("slog of %T prints %s", v, b.String())
			}
		}
	}
	if got := NewCredential(testKey).Masked(); got != "****WXYZ" {
		t.Errorf("masked: %s", got)
	}
	if got := NewCredential("short").Masked(); got != "****" {
		t.Errorf("a short one masked: %s", got)
	}
}

// shows reports whether more than the last four characters of text stand in s,
// plain, in hexadecimal or as numbers.
func shows(s, text string) bool {
	const piece = 5
	for i := 0; i+piece <= len(text); i++ {
		p := text[i : i+piece]
		for _, form := range []string{p, fmt.Sprintf("%x", p), fmt.Sprintf("%X", p), strings.Trim(fmt.Sprint([]byte(p)), "[]")} {
			if strings.Contains(s, form) {
				return true
			}
		}
	}
	return false
}

// holdsNothingSecret looks through an error and all that it wraps.
func holdsNothingSecret(t *testing.T, err error) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		if s := fmt.Sprintf(verb, err); strings.Contains(s, testKey) || strings.Contains(s, testSecret) {
			t.Errorf("an error holds a credential: %s", s)
		}
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			holdsNothingSecret(t, inner)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			holdsNothingSecret(t, inner)
		}
	}
}
