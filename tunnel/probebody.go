package tunnel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"aspectop/clean"
	"aspectop/sig"
)

// probeSize is the size of a full probe's body, in bytes: that of a usual event, and more
// than the smallest buffers.
const probeSize = 2 << 10

// What decoding and encoding JSON changes, in a full probe's body.
var fragile = []struct{ text, name string }{
	{`": "`, "the spaces"},
	{`\u00e9`, `the \u escapes`},
	{`1.0,`, "1.0"},
	{`12345678901234567890`, "the 20-digit integer"},
	{`Grüße 世界`, "the non-ASCII characters"},
}

func probeBody(id string) []byte {
	start := fmt.Sprintf(`{"event_type": "ping", "event_id": "%s", "success": true, "name": "caf\u00e9 \u2603",`+
		` "ratio": 1.0, "size": 12345678901234567890, "text": "Grüße 世界", "filler": "`, id)
	const end = `"}`
	return []byte(start + strings.Repeat("0123456789abcdef", probeSize/16)[:probeSize-len(start)-len(end)] + end)
}

// compare says what of a probe has changed on the way, "" if nothing.
func (f *flight) compare(r *http.Request, body []byte) string {
	between := "something between " + f.host + " and here"
	if r.Method != http.MethodPost {
		return fmt.Sprintf("method: the probe arrived here as %s: %s turns POST into %[1]s, perhaps by following a redirect;"+
			" it must pass the method on", clean.Line(r.Method), between)
	}
	switch path := clean.Line(r.URL.EscapedPath()); {
	case path == f.Prober.path:
	case path == clean.Line(f.path):
		return fmt.Sprintf("path: the probe arrived here as %s, but this receiver takes %s: use --path %[1]s, or a public URL that ends in %s",
			path, f.Prober.path, f.Prober.path)
	default:
		return fmt.Sprintf("path: the probe arrived here as %s, but this receiver takes %s: use --path %[1]s, or let %[3]s leave the path as it is",
			path, f.Prober.path, f.host)
	}
	if missing := sig.Svix.Missing(r.Header); len(missing) > 0 {
		return fmt.Sprintf("signature: the probe arrived here without %s: %s removes headers; it must pass all svix-* headers on",
			strings.Join(missing, ", "), between)
	}
	for _, name := range []string{sig.Svix.Stamp, sig.Svix.Signature} {
		if !slices.Equal(r.Header[name], f.header[name]) {
			return fmt.Sprintf("signature: the probe arrived here with another %s: %s changes headers; it must pass all svix-* headers on",
				strings.ToLower(name), between)
		}
	}
	if change := changeOf(f.body, body); change != "" {
		return fmt.Sprintf("body: %s %s; a signature matches only a body that is passed on byte for byte", between, change)
	}
	return ""
}

// changeOf says what was done to a body, "" if nothing.
func changeOf(sent, got []byte) string {
	switch trimmed := bytes.TrimSpace(got); {
	case bytes.Equal(sent, got):
		return ""
	case len(sent) == 0:
		return fmt.Sprintf("adds a body of %d bytes to an empty one", len(got))
	case len(got) == 0:
		return "removes the body"
	case bytes.HasPrefix(sent, got):
		return "cuts bodies at " + sizeInWords(len(got))
	case bytes.HasPrefix(got, []byte("\x1f\x8b")):
		return "compresses bodies (gzip)"
	case bytes.Equal(sent, trimmed):
		return "adds white space to bodies"
	case bytes.Equal(ascii(sent), ascii(got)):
		return "changes the encoding of non-ASCII characters"
	case json.Valid(got):
		var lost []string
		for _, f := range fragile {
			if !bytes.Contains(got, []byte(f.text)) {
				lost = append(lost, f.name)
			}
		}
		if lost == nil {
			return "re-serialises JSON"
		}
		return "re-serialises JSON (lost: " + strings.Join(lost, ", ") + ")"
	}
	return fmt.Sprintf("alters bodies (%d bytes became %d)", len(sent), len(got))
}

// ascii is a text's ASCII characters, without the question marks that may replace others.
func ascii(text []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if r > 0x7e || r == '?' {
			return -1
		}
		return r
	}, text)
}

func sizeInWords(n int) string {
	if n%1024 == 0 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
