package printer

import (
	"bytes"
	"encoding/base64"
	"maps"
	"slices"
	"unicode/utf8"

	"aspectop/jsonl"
	"aspectop/model"
)

// deliveryLines writes NDJSON: deliveries as the journal keeps them.
type deliveryLines struct{ out *bytes.Buffer }

func (l *deliveryLines) begin()                     {}
func (l *deliveryLines) end()                       {}
func (l *deliveryLines) takes(*model.Delivery) bool { return true }

func (l *deliveryLines) delivery(d *model.Delivery) {
	j := &jsonLines{l.out}
	o := j.line("delivery", d.Received)
	o.Number("seq", d.Seq)
	o.Number("message", d.Message)
	o.Number("attempt", int64(d.Attempt))
	o.Bool("differs", d.Differs)
	o.Text("id", d.ID)
	o.Text("source", string(d.Source))
	o.TextOrNull("secret", d.Secret)
	o.Key("headers")
	o.Begin('{')
	for _, name := range slices.Sorted(maps.Keys(d.Header)) {
		o.Key(name)
		o.Begin('[')
		for _, value := range d.Header[name] {
			o.Next()
			*o = jsonl.AppendText(*o, value)
		}
		o.End(']')
	}
	o.End('}')
	switch {
	case d.Body == nil:
		o.Null("body")
		o.Null("body_base64")
	case utf8.Valid(d.Body):
		o.Text("body", string(d.Body))
		o.Null("body_base64")
	default:
		o.Null("body")
		o.Text("body_base64", base64.StdEncoding.EncodeToString(d.Body))
	}
	j.finish(o)
}

// curlLines writes shell commands.
type curlLines struct {
	out     *bytes.Buffer
	to      string
	privacy Privacy
}

func (c *curlLines) begin()                       {}
func (c *curlLines) end()                         {}
func (c *curlLines) takes(d *model.Delivery) bool { return fromWebhook(d) }

func (c *curlLines) delivery(d *model.Delivery) {
	c.out.WriteString(curl(d, c.to, c.privacy.WithCredentials))
	c.out.WriteByte('\n')
}

// fromWebhook reports whether the delivery was an HTTP request to us.
func fromWebhook(d *model.Delivery) bool { return d.Source == model.SourceWebhook }
