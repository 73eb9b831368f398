package receiver

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"aspectop/clean"

	svix "github.com/svix/svix-webhooks/go"
)

const (
	secretPrefix = "whsec_"
	defaultName  = "default"
	// maxName is one less than the 32 characters of the shortest secret that
	// Svix makes, so that a secret never passes for a name.
	maxName = 31
)

// Secret is the key of one endpoint, under a name that may be shown. Printing or
// encoding it gives what [Secret.Masked] does. The zero Secret has no key:
// [NewVerifier] refuses it and it must not sign.
type Secret struct {
	Name string
	// key is a pointer because fmt does not follow it where it cannot call Secret's
	// methods: in an unexported field of another struct.
	key *key
}

type key struct {
	hook *svix.Webhook
	text *string // as written, without whsec_; fmt follows key for a wrong verb, and not this
	size int     // in bytes
}

// ParseSecrets reads one or more secrets separated by white space or commas.
// Each is whsec_… or bare base64, and what usually gets around a secret by copying is
// left out (see secretFields); name=whsec_… gives it a name, and the others are called
// default, default-2 and so on. Errors give the position of a secret and never quote
// the text.
func ParseSecrets(text string) ([]Secret, error) {
	fields, err := secretFields(text)
	if err != nil {
		return nil, err
	}
	if len(fields) == 0 {
		return nil, errors.New("no secret given: a Svix secret looks like whsec_…")
	}
	secrets := make([]Secret, 0, len(fields))
	position := make(map[string]int, len(fields)) // of each name
	unnamed := 0
	for i, field := range fields {
		name, value, err := splitName(field)
		if err != nil {
			return nil, fmt.Errorf("secret %d of %d %w", i+1, len(fields), err)
		}
		if name == "" {
			name = defaultName
			if unnamed++; unnamed > 1 {
				name += fmt.Sprintf("-%d", unnamed)
			}
		}
		if first, taken := position[name]; taken {
			return nil, fmt.Errorf("secrets %d and %d of %d have the same name: give each a name of its own",
				first, i+1, len(fields))
		}
		position[name] = i + 1
		k, err := parseKey(value)
		if err != nil {
			return nil, fmt.Errorf("secret %d of %d %w", i+1, len(fields), err)
		}
		secrets = append(secrets, Secret{Name: name, key: k})
	}
	return secrets, nil
}

// splitName takes the name off name=whsec_…; the name is empty if there is none.
func splitName(field string) (name, value string, err error) {
	name, value, found := strings.Cut(field, "=")
	if _, prefixed := cutPrefix(value); !found || !prefixed {
		return "", field, nil
	}
	if _, prefixed := cutPrefix(name); prefixed || name == "" || len(name) > maxName || strings.ContainsFunc(name, notInName) {
		return "", "", fmt.Errorf("has no usable name before its '=': names are 1 to %d letters, digits, '.', '_' or '-'"+
			" (separate two secrets by a space or a comma)", maxName)
	}
	return name, value, nil
}

func notInName(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-", r))
}

// parseKey decodes a secret. The reasons it gives complete "secret 1 of 2 …".
func parseKey(value string) (*key, error) {
	encoded, prefixed := cutPrefix(value)
	if err := misplaced(value); err != nil && !prefixed {
		return nil, err
	}
	_, afterName, _ := strings.Cut(value, "=")
	for _, v := range []string{strings.ToLower(value), strings.ToLower(afterName)} {
		switch {
		case strings.HasPrefix(v, "whsk"):
			return nil, errors.New("is the private key of asymmetric signatures (whsk_…), which belongs to the sender:" +
				" use the endpoint's symmetric secret, whsec_…")
		case strings.HasPrefix(v, "whpk"):
			return nil, errors.New("is a public key of asymmetric signatures (whpk_…), which aspectop does not verify:" +
				" use the endpoint's symmetric secret, whsec_…")
		}
	}
	if encoded == "" {
		return nil, errors.New("is empty after whsec_")
	}
	hook, err := svix.NewWebhook(encoded)
	if err != nil {
		return nil, undecodable(encoded, prefixed)
	}
	size := base64.RawStdEncoding.DecodedLen(len(strings.TrimRight(encoded, "=")))
	return &key{hook: hook, text: &encoded, size: size}, nil
}

// NewSecret returns a fresh random secret of 24 bytes, the size Svix makes.
func NewSecret(name string) Secret {
	raw := make([]byte, 24)
	rand.Read(raw) // never fails
	hook, err := svix.NewWebhookRaw(raw)
	if err != nil {
		panic(err) // only an empty key is refused
	}
	encoded := base64.StdEncoding.EncodeToString(raw)
	return Secret{Name: name, key: &key{hook: hook, text: &encoded, size: len(raw)}}
}

// Sign returns the signature header, "v1,…", of a delivery with this id, time
// (in whole seconds) and body.
func (s Secret) Sign(id string, at time.Time, body []byte) string {
	signature, err := s.key.hook.Sign(id, at, body)
	if err != nil {
		panic(err) // the library declares an error and has none to give
	}
	return signature
}

// Reading is how a handler makes a key of a secret.
type Reading int

const (
	Decoded   Reading = iota // the bytes that the base64 after whsec_ stands for, as is right
	Undecoded                // the characters after whsec_
	WholeText                // all characters
)

// MAC is the HMAC-SHA256 of anything, with the key as a handler may read it.
func (s Secret) MAC(r Reading, content []byte) []byte {
	raw := []byte(*s.key.text)
	switch r {
	case Decoded:
		raw, _ = base64.StdEncoding.DecodeString(*s.key.text) // parseKey has decoded it
	case WholeText:
		raw = []byte(secretPrefix + *s.key.text)
	}
	mac := hmac.New(sha256.New, raw)
	mac.Write(content)
	return mac.Sum(nil)
}

// Redact takes the secret out of a text.
func (s Secret) Redact(text string) string {
	return strings.ReplaceAll(text, *s.key.text, clean.Redacted)
}

// Masked is the secret as it may be shown: at most its last four characters.
func (s Secret) Masked() string {
	if s.key == nil {
		return secretPrefix + "…"
	}
	text := *s.key.text
	return secretPrefix + "…" + text[max(0, len(text)-4):]
}

// The masked form is all that fmt, slog and encoding/json get, for every verb and flag.

func (s Secret) String() string               { return s.Masked() }
func (s Secret) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, s.Masked()) }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(s.Masked()) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.Masked()), nil }
