package tunnel

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"aspectop/clean"
	"aspectop/loopback"
)

// How far a request came.
const (
	hopDNS int32 = iota
	hopTCP
	hopTLS
	hopEdge
)

// trace follows the request, to name a failure by its hop.
func (f *flight) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectStart:         func(string, string) { f.advance(hopTCP) },
		TLSHandshakeStart:    func() { f.advance(hopTLS) },
		GotConn:              func(httptrace.GotConnInfo) { f.advance(hopEdge) },
		GotFirstResponseByte: func() { f.answered.Store(time.Now().UnixNano()) },
	})
}

// advance never goes back: of two dials at once the further one counts.
func (f *flight) advance(h int32) {
	for {
		old := f.hop.Load()
		if old >= h || f.hop.CompareAndSwap(old, h) {
			return
		}
	}
}

// failure says in words why there is no answer. The same cause has the same words each
// time, so that it is told once.
func (f *flight) failure(ctx context.Context, err error) string {
	host, why, hop := f.host, reason(err), f.hop.Load()
	target := host
	if f.proxy != "" {
		target = "the proxy " + f.proxy
	}
	late := errors.Is(err, context.DeadlineExceeded)
	closed := !late && loopback.Broken(err)
	unasked, secure := false, false
	if refused, ok := errors.AsType[*loopback.ProxyError](err); ok {
		return fmt.Sprintf("proxy: %v; the environment sets it: name %s in NO_PROXY to go without it", refused, clean.Line(f.to.Hostname()))
	}
	switch {
	case hop == hopDNS:
		return fmt.Sprintf("DNS: cannot resolve %s (%s); a new name can take a minute, otherwise check the network", target, why)
	case hop == hopTCP && loopback.Refused(err):
		return fmt.Sprintf("TCP: nothing listens at %s (%s): is it running, and is the port right?", target, why)
	case hop == hopTCP:
		return fmt.Sprintf("TCP: cannot connect to %s (%s); check the network and the firewall", target, why)
	}
	if l := f.arrival(); l != nil {
		if l.fault != "" {
			return l.fault
		}
		return fmt.Sprintf("edge: the probe arrived here, but its answer did not come back through %s (%s)", host, why)
	}
	took := time.Since(f.at)
	looked := closed && f.proxy == "" && took <= lookLongest
	if looked {
		unasked, secure = f.lookAgain(ctx, took+f.wait)
	}
	switch {
	case unasked:
		return fmt.Sprintf("tunnel: %s accepts connections and closes them before anything is sent: the tunnel is up, but nothing"+
			" listens behind it; it must lead to %s", host, f.local)
	case secure && f.to.Scheme == "http":
		return onlyTLS(host)
	case hop == hopTLS:
		return f.insecure(err, why, closed)
	case late:
		return fmt.Sprintf("timeout: %s accepted the request but did not answer within %s, and nothing arrived here; what is behind it hangs",
			host, probeTimeout)
	case closed && !looked:
		return fmt.Sprintf("edge: %s took the request and closed the connection without an answer, and nothing arrived here;"+
			" does it lead to %s?", host, f.local)
	case closed:
		return fmt.Sprintf("edge: %s took the request and closed the connection without an answer, and nothing arrived here;"+
			" a rule there drops it (nginx: return 444), or the program behind it failed", host)
	case strings.Contains(err.Error(), "malformed HTTP") || strings.Contains(err.Error(), "readLoopPeekFail"): // as it happens
		return fmt.Sprintf("edge: what answers at %s is not HTTP; check the port", host)
	}
	return fmt.Sprintf("edge: no answer from %s (%s)", host, why)
}

// insecure says why there is no TLS connection.
func (f *flight) insecure(err error, why string, closed bool) string {
	host := f.host
	expired, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	_, isHost := errors.AsType[x509.HostnameError](err)
	_, isRecord := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case errors.Is(err, http.ErrSchemeMismatch) || isRecord:
		return fmt.Sprintf("TLS: %s speaks no TLS on this port; use its TLS port, or http://%[1]s", host)
	case isInvalid && expired.Reason == x509.Expired:
		return fmt.Sprintf("TLS: the certificate of %s is valid from %s to %s only; renew it, or correct this machine's clock",
			host, expired.Cert.NotBefore.UTC().Format(time.DateOnly), expired.Cert.NotAfter.UTC().Format(time.DateOnly))
	case isHost:
		return fmt.Sprintf("TLS: the certificate of %s is for another name (%s); Svix accepts only one for %s", host, why, f.to.Hostname())
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return fmt.Sprintf("TLS: the certificate of %s is not publicly trusted (%s); Svix accepts only one from a public authority"+
			" such as Let's Encrypt", host, why)
	case closed:
		return fmt.Sprintf("TLS: %s closes connections when TLS begins; use its TLS port, or http:// if it has none", host)
	}
	return fmt.Sprintf("TLS: no secure connection to %s (%s)", host, why)
}

// lookLongest is how long a connection may have lasted to be looked at again; the look
// takes as long.
const lookLongest = 4 * time.Second

// lookAgain opens another connection. unasked reports whether the host closes it within
// patience before anything is sent, as a forwarded port does that leads nowhere while an
// HTTP server waits; secure, whether it speaks TLS.
func (f *flight) lookAgain(ctx context.Context, patience time.Duration) (unasked, secure bool) {
	ctx, cancel := context.WithTimeout(ctx, patience+f.wait)
	defer cancel()
	// net knows the services http and https.
	c, err := f.transport.DialContext(ctx, "tcp", net.JoinHostPort(f.to.Hostname(), cmp.Or(f.to.Port(), f.to.Scheme)))
	if err != nil {
		return false, false
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, err = c.Read(make([]byte, 1)); err == nil || loopback.Broken(err) {
		return err != nil, false
	}
	_ = c.SetReadDeadline(time.Time{})
	err = tls.Client(c, &tls.Config{ServerName: f.to.Hostname(), InsecureSkipVerify: true}).HandshakeContext(ctx) // nothing is sent
	return false, err == nil
}

// reason is the innermost cause: what wraps it repeats the URL.
func reason(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer within " + probeTimeout.String()
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return clean.Line(e.Err)
	}
	if loopback.Broken(err) {
		return "connection closed" // EOF or reset, as it happens
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		err = e.Err
	} else if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e.Err
	} else if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return clean.Line(err.Error())
}
