package journal

import (
	"encoding/json"
	"time"

	"aspectop/model"
)

// RejectionsKept is how many rejected requests a journal keeps.
const RejectionsKept = 1000

// EncodeRejected returns what is stored of a rejected request, as JSON, beside its time
// and body: what was found out, and the headers.
func EncodeRejected(r *model.Rejected) (facts, header string) {
	text, _ := json.Marshal(r) // texts and numbers
	return string(text), string(AppendHeader(nil, r.Header, r.ID))
}

// DecodeRejected returns the rejected request that was stored.
func DecodeRejected(at time.Time, facts, header string, body []byte) (r model.Rejected, err error) {
	if err = json.Unmarshal([]byte(facts), &r); err == nil {
		r.At, r.Body = at.UTC(), body
		r.Header, err = ParseHeader(header, r.ID)
	}
	return r, err
}
