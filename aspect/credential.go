package aspect

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"aspectop/clean"
)

// Credential is an API key or a signing secret. Printed, logged or encoded it is
// [Credential.Masked]; only [Credential.Reveal] returns the text. The zero Credential is
// empty.
type Credential struct {
	text *string // fmt prints the address where it cannot call the methods below: in unexported fields
}

// NewCredential removes what surrounds a key by copying: white space and invisible
// characters.
func NewCredential(text string) Credential {
	text = strings.TrimSpace(clean.Text(text))
	if text == "" {
		return Credential{}
	}
	return Credential{text: &text}
}

// Reveal returns the text. Do not pass it to anything that prints.
func (c Credential) Reveal() string {
	if c.text == nil {
		return ""
	}
	return *c.text
}

// Empty reports whether there is no text.
func (c Credential) Empty() bool { return c.text == nil }

// Masked shows at most the last four characters, and none of a short text.
func (c Credential) Masked() string {
	text := c.Reveal()
	switch {
	case text == "":
		return "(none)"
	case len(text) < 16:
		return "****"
	}
	return "****" + text[len(text)-4:]
}

// fingerprint distinguishes keys without revealing them.
func (c Credential) fingerprint() string {
	sum := sha256.Sum256([]byte(c.Reveal()))
	return hex.EncodeToString(sum[:8])
}

func (c Credential) String() string   { return c.Masked() }
func (c Credential) GoString() string { return c.Masked() }

// Format covers all verbs of fmt, including %x and %d.
func (c Credential) Format(s fmt.State, _ rune) { io.WriteString(s, c.Masked()) }

func (c Credential) LogValue() slog.Value { return slog.StringValue(c.Masked()) }

// MarshalText covers JSON, XML and the other encodings.
func (c Credential) MarshalText() ([]byte, error) { return []byte(c.Masked()), nil }
