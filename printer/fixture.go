package printer

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"aspectop/jsonl"
	"aspectop/model"
)

// fixture writes a runnable test of a handler: the code of one of the files in
// fixtures/, with the deliveries as a list in the middle. The test re-signs them with
// its own secret, because the signatures are too old by then, and the real secret must
// not be in a file.
type fixture struct {
	out      *bytes.Buffer
	language *language
	privacy  Privacy
}

func newFixture(out *bytes.Buffer, o *ExportOptions) form {
	language := slices.IndexFunc(languages, func(l language) bool { return l.name == o.Language })
	return &fixture{out: out, language: &languages[max(0, language)], privacy: o.Privacy}
}

// language is the language of a fixture.
type language struct {
	name     string
	code     string // with a line fixtureMark for the deliveries
	delivery func(out *bytes.Buffer, d *model.Delivery, headers [][2]string)
}

// fixtureMark is the line that the deliveries replace.
const fixtureMark = "DELIVERIES\n"

//go:embed fixtures/handler_test.go.txt
var goCode string

//go:embed fixtures/handler.test.mjs.txt
var nodeCode string

var languages = []language{{"go", goCode, goDelivery}, {"node", nodeCode, nodeDelivery}}

// Languages are the languages of fixtures, the default first.
func Languages() []string {
	var names []string
	for _, l := range languages {
		names = append(names, l.name)
	}
	return names
}

// takes only messages, not repeats.
func (f *fixture) takes(d *model.Delivery) bool { return fromWebhook(d) && !d.Repeat() }

func (f *fixture) begin() {
	code, _, _ := strings.Cut(f.language.code, fixtureMark)
	f.out.WriteString(code)
}

func (f *fixture) end() {
	_, code, _ := strings.Cut(f.language.code, fixtureMark)
	f.out.WriteString(code)
}

func (f *fixture) delivery(d *model.Delivery) {
	var headers [][2]string
	for _, name := range slices.Sorted(maps.Keys(d.Header)) {
		signed := strings.HasPrefix(strings.ToLower(name), "svix-") || strings.HasPrefix(strings.ToLower(name), "webhook-")
		if signed || !belongsToMessage(name) && !(f.privacy.WithCredentials && isCredential(name)) {
			continue
		}
		for _, value := range d.Header[name] {
			headers = append(headers, [2]string{name, value})
		}
	}
	f.language.delivery(f.out, d, headers)
}

// family is the prefix of the signature headers.
func family(d *model.Delivery) string {
	if len(d.Header["Svix-Signature"]) == 0 && len(d.Header["Webhook-Signature"]) > 0 {
		return "webhook"
	}
	return "svix"
}

func goDelivery(out *bytes.Buffer, d *model.Delivery, headers [][2]string) {
	fmt.Fprintf(out, "\t{\n\t\t%s, %q,\n\t\t[][2]string{", strconv.Quote(d.ID), family(d))
	for i, h := range headers {
		if i > 0 {
			out.WriteString(", ")
		}
		fmt.Fprintf(out, "{%s, %s}", strconv.Quote(h[0]), strconv.Quote(h[1]))
	}
	fmt.Fprintf(out, "},\n\t\t%s,\n\t},\n", goText(string(d.Body)))
}

// goText is a Go literal of the text, as readable as possible.
func goText(s string) string {
	plain := func(r rune) bool { return r != '`' && (' ' <= r && r <= '~' || r == '\n') }
	if strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return strconv.Quote(s)
	}
	return "`" + s + "`"
}

func nodeDelivery(out *bytes.Buffer, d *model.Delivery, headers [][2]string) {
	text := func(s string) string { return string(jsonl.AppendText(nil, s)) }
	fmt.Fprintf(out, "  {\n    id: %s,\n    family: %s,\n    headers: [", text(d.ID), text(family(d)))
	for i, h := range headers {
		if i > 0 {
			out.WriteString(", ")
		}
		fmt.Fprintf(out, "[%s, %s]", text(h[0]), text(h[1]))
	}
	body := text(string(d.Body))
	if !utf8.Valid(d.Body) {
		body = "Buffer.from(" + text(base64.StdEncoding.EncodeToString(d.Body)) + ", 'base64')"
	}
	fmt.Fprintf(out, "],\n    body: %s,\n  },\n", body)
}
