package forward

import (
	"bytes"
	"slices"
	"strconv"
	"sync"

	"aspectop/sig"
	"aspectop/words"
)

// maxFacts is how many acceptances are known of a handler.
const maxFacts = 20

// form is how the JSON of a body is written, as far as handlers trip over it.
type form string

const (
	minimal form = "minimal JSON"                       // as JSON.stringify writes it
	python  form = `JSON with ", " and ": "`            // as json.dumps writes it
	spaced  form = "JSON with other white space"        // between its values
	odd     form = "JSON with other escapes or numbers" // \u00e9, \/, 1.0, 1e5, 20 digits
	notJSON form = "no JSON"
)

// formOf looks at the body once, and trusts that it is valid.
func formOf(body []byte) form {
	if len(body) == 0 || body[0] != '{' && body[0] != '[' {
		return notJSON
	}
	blanks, pythons := 0, 0 // white space outside strings, and what json.dumps writes of it
	for i := 0; i < len(body); i++ {
		switch c := body[i]; c {
		case '"':
			for i++; i < len(body) && body[i] != '"'; i++ {
				if body[i] == '\\' && i+1 < len(body) {
					if i++; body[i] == 'u' || body[i] == '/' {
						return odd
					}
				}
			}
		case ',', ':':
			if i+2 < len(body) && body[i+1] == ' ' && body[i+2] > ' ' {
				pythons++
			} else {
				pythons -= len(body)
			}
		case ' ', '\t', '\n', '\r':
			blanks++
		default:
			n := i
			for n < len(body) && (body[n] >= '0' && body[n] <= '9' || bytes.IndexByte([]byte("+-.eE"), body[n]) >= 0) {
				n++
			}
			if n > i && isOdd(body[i:n]) {
				return odd
			}
			i = max(i, n-1)
		}
	}
	switch blanks {
	case 0:
		return minimal
	case pythons:
		return python
	}
	return spaced
}

// isOdd reports whether a number changes when it is read and written again.
func isOdd(number []byte) bool {
	value, err := strconv.ParseFloat(string(number), 64)
	// An e alone is part of true or false.
	return err == nil && (string(number) == "-0" || strconv.FormatFloat(value, 'f', -1, 64) != string(number))
}

// kind is what may decide how a handler answers a message.
type kind struct {
	key    string // of the secret that it is signed with
	family string // of its headers
	form   form
	event  string // the event's type
}

// fact is that a handler accepted a message.
type fact struct {
	kind
	id   string
	size int // of its body, in bytes; the largest
	// doubted is whether the handler refused a message like one that it had accepted
	// since: it may not be the same any more.
	doubted bool
}

type known struct {
	mu    sync.Mutex
	facts []fact // the oldest first
}

// factOf is what would be known if the message were accepted.
func factOf(p *Post) fact {
	family, id := "svix-*", p.Header.Get(sig.Svix.ID)
	if id == "" {
		family, id = "webhook-*", p.Header.Get(sig.Webhook.ID)
	}
	return fact{kind{p.Key, family, formOf(p.Body), eventOf(p.Body)}, id, len(p.Body), false}
}

// eventOf is the event type of a body, "" if it has none.
func eventOf(body []byte) string {
	_, rest, _ := bytes.Cut(body, []byte(`"event_type"`))
	rest = bytes.TrimLeft(rest, " \t\r\n:")
	if len(rest) == 0 || rest[0] != '"' {
		return ""
	}
	name, _, _ := bytes.Cut(rest[1:], []byte(`"`))
	return words.Name(string(name))
}

// note keeps that a message was accepted or refused, and returns what was known before.
func (k *known) note(m fact, accepted, refused bool) []fact {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := slices.Clone(k.facts)
	at := slices.IndexFunc(k.facts, func(f fact) bool { return f.kind == m.kind })
	switch {
	case refused && at >= 0 && k.facts[at].size >= m.size/2 && k.facts[at].id != m.id:
		for i := range k.facts {
			k.facts[i].doubted = true
		}
	case accepted && at >= 0:
		m.size = max(m.size, k.facts[at].size)
		k.facts = slices.Delete(k.facts, at, at+1)
		fallthrough
	case accepted:
		if k.facts = append(k.facts, m); len(k.facts) > maxFacts {
			k.facts = slices.Delete(k.facts, 0, 1)
		}
	}
	return before
}
