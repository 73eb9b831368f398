package printer

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"net/textproto"
	"unicode/utf8"

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
