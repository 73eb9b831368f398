package printer

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"aspectop/model"
)

// newFixture writes a runnable test of a handler: the code of one of the files in
// fixtures/, with the deliveries as a list in the middle. The test re-signs them with
// its own secret, because the signatures are too old by then, and the real secret must
// not be in a file. Repeats are not in it.
func newFixture(o *ExportOptions) form {
	i := slices.IndexFunc(languages, func(l language) bool { return l.name == o.Language })
	l := languages[max(0, i)]
	before, after, _ := strings.Cut(l.code, "DELIVERIES\n")
	return form{
		before: before,
		after:  after,
		takes:  func(d *model.Delivery) bool { return fromWebhook(d) && !d.Repeat() },
		delivery: func(out *bytes.Buffer, d *model.Delivery) {
			var headers [][2]string
			eachHeader(d, func(name, value string) {
				if !isSignature(name) && belongsToMessage(name, o.WithCredentials) {
					headers = append(headers, [2]string{name, value})
				}
			})
			l.write(out, d, headers)
		},
	}
}

// language is the language of a fixture.
type language struct {
	name     string
	code     string // with a line DELIVERIES that they replace
	delivery string // format of id, prefix of the signature headers, headers and body
	header   string // format of name and value
	quote    func(string) string
	body     func([]byte) string
}

//go:embed fixtures/handler_test.go.txt
var goCode string

//go:embed fixtures/handler.test.mjs.txt
var nodeCode string

var languages = []language{
	{"go", goCode, "\t{\n\t\t%s, %s,\n\t\t[][2]string{%s},\n\t\t%s,\n\t},\n", "{%s, %s}", strconv.Quote, goBody},
	{"node", nodeCode, "  {\n    id: %s,\n    family: %s,\n    headers: [%s],\n    body: %s,\n  },\n", "[%s, %s]", jsonText, nodeBody},
}

func (l *language) write(out *bytes.Buffer, d *model.Delivery, headers [][2]string) {
	pairs := make([]string, len(headers))
	for i, h := range headers {
		pairs[i] = fmt.Sprintf(l.header, l.quote(h[0]), l.quote(h[1]))
	}
	family := "svix"
	if len(d.Header["Svix-Signature"]) == 0 && len(d.Header["Webhook-Signature"]) > 0 {
		family = "webhook"
	}
	fmt.Fprintf(out, l.delivery, l.quote(d.ID), l.quote(family), strings.Join(pairs, ", "), l.body(d.Body))
}

// Languages are the languages of fixtures, the default first.
func Languages() []string {
	var names []string
	for _, l := range languages {
		names = append(names, l.name)
	}
	return names
}

// goBody is a Go literal, as readable as possible.
func goBody(body []byte) string {
	unreadable := func(r rune) bool { return r == '`' || (r < ' ' || r > '~') && r != '\n' }
	if s := string(body); !strings.ContainsFunc(s, unreadable) {
		return "`" + s + "`"
	}
	return strconv.Quote(string(body))
}

func nodeBody(body []byte) string {
	if utf8.Valid(body) {
		return jsonText(string(body))
	}
	return "Buffer.from(" + jsonText(base64.StdEncoding.EncodeToString(body)) + ", 'base64')"
}
