package model

import "time"

// TunnelState says in one word how reachable the receiver is from outside.
type TunnelState string

const (
	TunnelOff          TunnelState = "off"          // not wanted, or ended
	TunnelStarting     TunnelState = "starting"     // the first attempt is under way
	TunnelConnected    TunnelState = "connected"    // the way is open; whether requests come through is the probe's to say
	TunnelReconnecting TunnelState = "reconnecting" // no way in at present; it is being tried again
	TunnelFailed       TunnelState = "failed"       // it stays so until what Detail says is done
)

// Tunnel is how the receiver can be reached from outside at one moment, in words that
// can be shown. It does not change.
type Tunnel struct {
	Kind  string // cloudflared, svix or url
	State TunnelState
	// PublicURL is the address for the sender, path included; "" as long as
	// there is none. It may differ after a reconnect.
	PublicURL string
	// Detail is one line of text: "1 of 1" connections, or why there is none
	// and what to do.
	Detail string
	// NextTry is when it will be tried again, the zero time if nothing waits.
	NextTry time.Time
	// Probe is the newest probe of PublicURL whose outcome counts, nil before
	// there is one.
	Probe *Probe
}

// Probe is the outcome of one request of our own to the public URL.
type Probe struct {
	At        time.Time // when it was sent
	OK        bool      // it came through to this process, and its answer came back
	RoundTrip time.Duration
	Detail    string // if not OK: the hop that is broken, and what to do
}
