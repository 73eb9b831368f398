package aspect

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Credential is an API key or a webhook's signing secret. No way of printing,
// logging or encoding it gives more than [Credential.Masked]; only
// [Credential.Reveal] gives the text. The zero Credential is empty.
type Credential struct {
	// text is behind a pointer because fmt does not follow pointers inside a
	// struct: even where it cannot call the methods below, in an unexported
	// field of something else, it prints an address and not the text.
	text *string
}

// NewCredential keeps text, without the white space around it (a file's last
// line break).
func NewCredential(text string) Credential {
	text = strings.TrimSpace(text)
	if text == "" {
		return Credential{}
	}
	return Credential{text: &text}
}

// Reveal returns the text itself. Hand it to nothing that prints.
func (c Credential) Reveal() string {
	if c.text == nil {
		return ""
	}
	return *c.text
}

// Empty reports whether there is no text.
func (c Credential) Empty() bool { return c.text == nil }

// Masked shows at most the last four characters, and none of a text so short
// that four would be a good part of it.
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

// fingerprint tells accounts' keys apart without giving one away.
func (c Credential) fingerprint() string {
	sum := sha256.Sum256([]byte(c.Reveal()))
	return hex.EncodeToString(sum[:8])
}

func (c Credential) String() string   { return c.Masked() }
func (c Credential) GoString() string { return c.Masked() }

// Format keeps every verb of fmt, %x and %d too, from the text.
func (c Credential) Format(s fmt.State, _ rune) { io.WriteString(s, c.Masked()) }

func (c Credential) LogValue() slog.Value { return slog.StringValue(c.Masked()) }

// MarshalText covers JSON, XML and the other encodings.
func (c Credential) MarshalText() ([]byte, error) { return []byte(c.Masked()), nil }
