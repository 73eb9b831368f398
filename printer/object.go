package printer

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// object is a JSON object that is written key by key. Encoding by reflection would cost
// as much as receiving and folding an event.
type object []byte

// begin opens an object or an array, end closes it.
func (o *object) begin(bracket byte) { *o = append(*o, bracket) }
func (o *object) end(bracket byte)   { *o = append(*o, bracket) }

// next puts a comma between two members.
func (o *object) next() {
	switch b := *o; b[len(b)-1] {
	case '{', '[':
	default:
		*o = append(b, ',')
	}
}

func (o *object) key(name string) {
	o.next()
	*o = append(appendText(*o, name), ':')
}

func (o *object) null(key string) {
	o.key(key)
	*o = append(*o, "null"...)
}

func (o *object) number(key string, n int64) {
	o.key(key)
	*o = strconv.AppendInt(*o, n, 10)
}

func (o *object) truth(key string, is bool) {
	o.key(key)
	*o = strconv.AppendBool(*o, is)
}

func (o *object) text(key, text string) {
	o.key(key)
	*o = appendText(*o, text)
}

// textOrNull writes null for the empty text.
func (o *object) textOrNull(key, text string) {
	if text == "" {
		o.null(key)
	} else {
		o.text(key, text)
	}
}

// instant writes a time in UTC with microseconds, as precise as the journal's,
// or null for the zero time.
func (o *object) instant(key string, t time.Time) {
	if t.IsZero() {
		o.null(key)
		return
	}
	o.key(key)
	*o = t.UTC().AppendFormat(*o, `"2006-01-02T15:04:05.000000Z"`)
}

// appendText appends s as a JSON string, escaped like [SafeJSON].
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		if r == '"' || r == '\\' {
			b = append(append(b, s[from:i]...), '\\', byte(r))
			from = i + n
		} else if r < ' ' || escaped(r, n) {
			b = fmt.Appendf(append(b, s[from:i]...), `\u%04x`, r)
			from = i + n
		}
		i += n
	}
	return append(append(b, s[from:]...), '"')
}
