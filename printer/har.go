package printer

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

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
	var o object
	o.begin('{')
	o.key("log")
	o.begin('{')
	o.text("version", "1.2")
	o.key("creator")
	o.begin('{')
	o.text("name", "aspectop")
	o.text("version", a.version)
	o.end('}')
	o.key("entries")
	o.begin('[')
	a.out.Write(append(o, '\n'))
}

func (a *archive) end() { a.out.WriteString("]}}\n") }

func (a *archive) delivery(d *model.Delivery) {
	if a.further {
		a.out.WriteByte(',')
	}
	a.further = true
	o := object(a.out.AvailableBuffer())
	o.begin('{')
	o.instant("startedDateTime", d.Received)
	o.number("time", 0)
	a.request(&o, d)
	o.key("response")
	o = append(o, `{"status":204,"statusText":"No Content","httpVersion":"HTTP/1.1","cookies":[],"headers":[],`+
		`"content":{"size":0,"mimeType":"x-unknown"},"redirectURL":"","headersSize":-1,"bodySize":0}`...)
	o.key("cache")
	o = append(o, `{}`...)
	o.key("timings")
	o = append(o, `{"send":0,"wait":0,"receive":0}`...)
	o.text("comment", fmt.Sprintf("delivery %d, arrival %d of message %s; times were not measured", d.Seq, d.Attempt, d.ID))
	o.end('}')
	a.out.Write(append(o, '\n'))
}

func (a *archive) request(o *object, d *model.Delivery) {
	o.key("request")
	o.begin('{')
	o.text("method", "POST")
	o.text("url", a.to)
	o.text("httpVersion", "HTTP/1.1")
	o.key("cookies")
	*o = append(*o, `[]`...)
	o.key("headers")
	o.begin('[')
	for _, name := range slices.Sorted(maps.Keys(d.Header)) {
		for _, value := range d.Header[name] {
			o.next()
			o.begin('{')
			o.text("name", name)
			o.text("value", value)
			o.end('}')
		}
	}
	o.end(']')
	o.key("queryString")
	*o = append(*o, `[]`...)
	o.key("postData")
	o.begin('{')
	mime := "application/octet-stream"
	if types := d.Header["Content-Type"]; len(types) > 0 {
		mime = types[0]
	}
	o.text("mimeType", mime)
	if utf8.Valid(d.Body) {
		o.text("text", string(d.Body))
	} else {
		// HAR has an encoding for answers, but not for requests.
		o.text("text", base64.StdEncoding.EncodeToString(d.Body))
		o.text("comment", "base64, because the body is not UTF-8")
	}
	o.end('}')
	o.number("headersSize", -1)
	o.number("bodySize", int64(len(d.Body)))
	o.end('}')
}
