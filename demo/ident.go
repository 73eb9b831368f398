package demo

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"math/rand/v2"
	"time"
)

// uuid draws a random UUID (version 4) in its usual spelling.
func uuid(r *rand.Rand) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], r.Uint64())
	binary.BigEndian.PutUint64(b[8:], r.Uint64())
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// messageID draws a Svix message id: "msg_" and a KSUID, 27 base62 characters
// that sort by time (seconds since ksuidEpoch, then 16 random bytes).
func messageID(r *rand.Rand, at time.Time) string {
	const ksuidEpoch = 1_400_000_000
	var b [20]byte
	binary.BigEndian.PutUint32(b[:4], uint32(at.Unix()-ksuidEpoch))
	binary.BigEndian.PutUint64(b[4:12], r.Uint64())
	binary.BigEndian.PutUint64(b[12:], r.Uint64())
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var n, digit big.Int
	n.SetBytes(b[:])
	base := big.NewInt(int64(len(digits)))
	var id [27]byte
	for i := len(id) - 1; i >= 0; i-- {
		n.DivMod(&n, base, &digit)
		id[i] = digits[digit.Int64()]
	}
	return "msg_" + string(id[:])
}
