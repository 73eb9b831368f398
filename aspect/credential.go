package aspect

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Credential is an API key or a signing secret. However it is printed, logged or
// encoded, only [Credential.Masked] is shown; only [Credential.Reveal] returns the
// text. The zero Credential is empty.
type Credential struct {
	// text is behind a pointer because fmt does not follow pointers inside a
	// struct: even where it cannot call the methods below, in an unexported
	// field of something else, it prints an address and not the text.
	text *string
}

// NewCredential trims white space, such as a trailing newline in a file.
func NewCredential(text string) Credential {
	text = strings.TrimSpace(text)
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
