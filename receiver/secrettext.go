package receiver

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"aspectop/clean"
)

// shortest is the size in bytes of the shortest key that Svix makes; the longest has 64.
const shortest = 24

// secretFields splits a text with one or more secrets. It leaves out what is known to
// get around them and means nothing: invisible characters, "export" before an
// assignment, and "v1", the version of a signature.
func secretFields(text string) ([]string, error) {
	if strings.ContainsRune(text, 0) || strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
		return nil, errors.New("the text is encoded as UTF-16, as PowerShell's > writes it: save it as UTF-8")
	}
	fields := strings.FieldsFunc(clean.Text(text), func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	var kept []string
	for i, field := range fields {
		last := i == len(fields)-1
		if last || field != "v1" && (field != "export" || !strings.Contains(fields[i+1], "=")) {
			kept = append(kept, field)
		}
	}
	return kept, nil
}

// cutPrefix takes whsec_ off a secret, in capitals too.
func cutPrefix(value string) (encoded string, found bool) {
	if n := len(secretPrefix); len(value) >= n && strings.EqualFold(value[:n], secretPrefix) {
		return value[n:], true
	}
	return value, false
}

// misplaced says what a field is that is known to stand beside secrets, nil if it is
// none of that.
func misplaced(field string) error {
	switch word := strings.ToLower(strings.TrimSuffix(field, ":")); {
	case strings.HasPrefix(field, "#"), strings.HasPrefix(field, ";"), field == "//", field == "--":
		return errors.New("is a comment: leave nothing but the secrets")
	case slices.Contains([]string{"bearer", "basic", "authorization"}, word):
		return errors.New("is a part of an Authorization header (Bearer …): give the secret alone")
	case strings.HasPrefix(word, "sk_"):
		return errors.New("is an API key (sk_…): put it into ASPECT_API_KEY, and the endpoint's secret, whsec_…, here")
	case strings.HasPrefix(word, "whsec"):
		return errors.New("begins with whsec, but without the '_' after it")
	}
	return nil
}

// undecodable says why a secret is not base64. It completes "secret 1 of 2 …".
func undecodable(encoded string, prefixed bool) error {
	_, afterName, _ := strings.Cut(encoded, "=")
	_, notURL := base64.RawURLEncoding.DecodeString(strings.TrimRight(encoded, "="))
	switch {
	case strings.ContainsAny(encoded, "\"'`‘’‚‛“”„‟«»"):
		return errors.New("is not base64: take the quotation marks away")
	case strings.ContainsFunc(encoded, func(r rune) bool { return r > unicode.MaxASCII }):
		return foreign(encoded)
	case strings.Trim(afterName, "=") != "":
		return errors.New("is not base64: it continues after a '=' (a name needs the prefix after it: name=whsec_…)")
	case strings.Trim(encoded, "=") == "":
		return errors.New("is empty")
	case notURL == nil && strings.ContainsAny(encoded, "-_"):
		return errors.New("looks like base64url ('-' or '_' in it); Svix secrets are standard base64 ('+' and '/')")
	case !prefixed && len(encoded) < base64.StdEncoding.EncodedLen(shortest):
		return errors.New("is not base64, and shorter than any secret: take away what is not a secret")
	case strings.Trim(encoded, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") != "":
		return errors.New("is not base64: it has a character in it that base64 does not have")
	case len(encoded)%4 != 0:
		return errors.New("is not base64: its length is not a multiple of four, so some of it is missing")
	}
	return errors.New("is not base64")
}

// foreign names the first character that is not ASCII. It tells nothing about a key,
// which has none.
func foreign(encoded string) error {
	what := "a character that is not ASCII"
	switch r := []rune(strings.TrimLeftFunc(encoded, func(r rune) bool { return r <= unicode.MaxASCII }))[0]; {
	case r == unicode.ReplacementChar:
		what = "a byte that is not UTF-8"
	case unicode.Is(unicode.Cyrillic, r):
		what = "a Cyrillic letter, which may look like a Latin one,"
	case unicode.Is(unicode.Greek, r):
		what = "a Greek letter, which may look like a Latin one,"
	case '！' <= r && r <= '～':
		what = "a full-width character"
	}
	return fmt.Errorf("is not base64: it has %s in it; copy it again", what)
}

// Warning says that the secret is shorter than those of Svix, "" if it is not.
func (s Secret) Warning() string {
	if s.key == nil || s.key.size >= shortest {
		return ""
	}
	return fmt.Sprintf("the secret %q is short, %d bytes: Svix makes secrets of 24 to 64, so most likely some of it is missing", s.Name, s.key.size)
}
