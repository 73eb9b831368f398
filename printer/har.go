package printer

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"aspectop/jsonl"
	"aspectop/model"
)

// archive writes an HTTP Archive 1.2 of the deliveries' requests. Each was answered
// 204, in an unknown time.
type archive struct {
	out     *bytes.Buffer
	to      string
	version string
	further bool // an entry was written
}

func (a *archive) takes(d *model.Delivery) bool { return fromWebhook(d) }

func (a *archive) begin() {
	var o jsonl.Object
	o.Begin('{')
	o.Key("log")
	o.Begin('{')
	o.Text("version", "1.2")
	o.Key("creator")
	o.Begin('{')
	o.Text("name", "aspectop")
	o.Text("version", a.version)
	o.End('}')
	o.Key("entries")
	o.Begin('[')
	a.out.Write(append(o, '\n'))
}

func (a *archive) end() { a.out.WriteString("]}}\n") }

func (a *archive) delivery(d *model.Delivery) {
	if a.further {
		a.out.WriteByte(',')
	}
	a.further = true
	o := jsonl.Object(a.out.AvailableBuffer())
	o.Begin('{')
	o.Time("startedDateTime", d.Received)
	o.Number("time", 0)
	a.request(&o, d)
	o.Key("response")
	o = append(o, `{"status":204,"statusText":"No Content","httpVersion":"HTTP/1.1","cookies":[],"headers":[],`+
		`"content":{"size":0,"mimeType":"x-unknown"},"redirectURL":"","headersSize":-1,"bodySize":0}`...)
	o.Key("cache")
	o = append(o, `{}`...)
	o.Key("timings")
	o = append(o, `{"send":0,"wait":0,"receive":0}`...)
	o.Text("comment", fmt.Sprintf("delivery %d, arrival %d of message %s; times were not measured", d.Seq, d.Attempt, d.ID))
	o.End('}')
	a.out.Write(append(o, '\n'))
}

func (a *archive) request(o *jsonl.Object, d *model.Delivery) {
	o.Key("request")
	o.Begin('{')
	o.Text("method", "POST")
	o.Text("url", a.to)
	o.Text("httpVersion", "HTTP/1.1")
	o.Key("cookies")
	*o = append(*o, `[]`...)
	o.Key("headers")
	o.Begin('[')
	for _, name := range slices.Sorted(maps.Keys(d.Header)) {
		for _, value := range d.Header[name] {
			o.Next()
			o.Begin('{')
			o.Text("name", name)
			o.Text("value", value)
			o.End('}')
		}
	}
	o.End(']')
	o.Key("queryString")
	*o = append(*o, `[]`...)
	o.Key("postData")
	o.Begin('{')
	mime := "application/octet-stream"
	if types := d.Header["Content-Type"]; len(types) > 0 {
		mime = types[0]
	}
	o.Text("mimeType", mime)
	if utf8.Valid(d.Body) {
		o.Text("text", string(d.Body))
	} else {
		// HAR has an encoding for answers, but not for requests.
		o.Text("text", base64.StdEncoding.EncodeToString(d.Body))
		o.Text("comment", "base64, because the body is not UTF-8")
	}
	o.End('}')
	o.Number("headersSize", -1)
	o.Number("bodySize", int64(len(d.Body)))
	o.End('}')
}
