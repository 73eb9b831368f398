package printer

import (
	"bytes"
	"encoding/base64"
	"maps"
	"slices"
	"unicode/utf8"

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
	o.number("seq", d.Seq)
	o.number("message", d.Message)
	o.number("attempt", int64(d.Attempt))
	o.truth("differs", d.Differs)
	o.text("id", d.ID)
	o.text("source", string(d.Source))
	o.textOrNull("secret", d.Secret)
	o.key("headers")
	o.begin('{')
	for _, name := range slices.Sorted(maps.Keys(d.Header)) {
		o.key(name)
		o.begin('[')
		for _, value := range d.Header[name] {
			o.next()
			*o = appendText(*o, value)
		}
		o.end(']')
	}
	o.end('}')
	switch {
	case d.Body == nil:
		o.null("body")
		o.null("body_base64")
	case utf8.Valid(d.Body):
		o.text("body", string(d.Body))
		o.null("body_base64")
	default:
		o.null("body")
		o.text("body_base64", base64.StdEncoding.EncodeToString(d.Body))
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
