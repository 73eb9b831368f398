package printer

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/base64"
	"fmt"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"aspectop/clean"
	"aspectop/jsonl"
	"aspectop/model"
)

// newArchive writes an HTTP Archive 1.2 of the deliveries' requests. Each was answered
// 204, in an unknown time.
func newArchive(o *ExportOptions) form {
	separator := ""
	return form{
		before: `{"log":{"version":"1.2","creator":{"name":"aspectop","version":` + jsonText(o.Version) + `},"entries":[` + "\n",
		after:  "]}}\n",
		takes:  fromWebhook,
		delivery: func(out *bytes.Buffer, d *model.Delivery) {
			out.WriteString(separator)
			separator = ","
			writeEntry(out, d, o.To)
		},
	}
}

func writeEntry(out *bytes.Buffer, d *model.Delivery, url string) {
	var headers jsonl.Object
	headers.Begin('[')
	eachHeader(d, func(name, value string) {
		headers.Next()
		headers.Begin('{')
		headers.Text("name", name)
		headers.Text("value", value)
		headers.End('}')
	})
	headers.End(']')
	var data jsonl.Object
	data.Begin('{')
	data.Text("mimeType", cmp.Or(textproto.MIMEHeader(d.Header).Get("Content-Type"), "application/octet-stream"))
	if utf8.Valid(d.Body) {
		data.Text("text", string(d.Body))
	} else { // HAR has an encoding for answers, but not for requests
		data.Text("text", base64.StdEncoding.EncodeToString(d.Body))
		data.Text("comment", "base64, because the body is not UTF-8")
	}
	data.End('}')
	received, _ := jsonl.Time(d.Received).MarshalJSON()
	fmt.Fprintf(out, `{"startedDateTime":%s,"time":0,"request":{"method":"POST","url":%s,"httpVersion":"HTTP/1.1",`+
		`"cookies":[],"headers":%s,"queryString":[],"postData":%s,"headersSize":-1,"bodySize":%d},`+
		`"response":{"status":204,"statusText":"No Content","httpVersion":"HTTP/1.1","cookies":[],"headers":[],`+
		`"content":{"size":0,"mimeType":"x-unknown"},"redirectURL":"","headersSize":-1,"bodySize":0},`+
		`"cache":{},"timings":{"send":0,"wait":0,"receive":0},"comment":%s}`+"\n",
		received, jsonText(url), headers, data, len(d.Body),
		jsonText(fmt.Sprintf("delivery %d, arrival %d of message %s; times were not measured", d.Seq, d.Attempt, model.ValidText(d.ID))))
}

func jsonText(s string) string { return string(jsonl.AppendText(nil, s)) }

// Curl returns a one-line shell command that posts the delivery to url again, with the
// same bytes and Svix headers. It is not re-signed, so receivers reject it five minutes
// after it was signed. Headers added by proxies, and credentials, are omitted.
func Curl(d *model.Delivery, url string) string { return curl(d, url, false) }

func curl(d *model.Delivery, url string, withCredentials bool) string {
	var b strings.Builder
	b.WriteString("printf %s ")
	b.WriteString(shellQuote(base64.StdEncoding.EncodeToString(d.Body)))
	b.WriteString(" | base64 --decode | curl -sS -X POST --data-binary @-")
	eachHeader(d, func(name, value string) {
		if isSignature(name) || belongsToMessage(name, withCredentials) {
			b.WriteString(" -H " + shellQuote(clean.Text(name+": "+value)))
		}
	})
	fmt.Fprintf(&b, ` -w ' %%{http_code} #%d\n' %s`, d.Seq, shellQuote(clean.Text(url)))
	return b.String()
}

func isSignature(name string) bool {
	lower := strings.ToLower(name)
	return strings.HasPrefix(lower, "svix-") || strings.HasPrefix(lower, "webhook-")
}

// belongsToMessage reports whether a header belongs to the message, not to the
// transport.
func belongsToMessage(name string, withCredentials bool) bool {
	return strings.EqualFold(name, "Content-Type") || strings.EqualFold(name, "User-Agent") ||
		withCredentials && clean.IsCredential(name)
}

func shellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

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
