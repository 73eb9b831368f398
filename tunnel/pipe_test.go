package tunnel

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// pipes is a network in memory, for tests in virtual time: a real socket's
// reader would hold that time up.
type pipes struct {
	server *http.Server
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes(h http.Handler) *pipes {
	p := &pipes{server: &http.Server{Handler: h}, conns: make(chan net.Conn), closed: make(chan struct{})}
	go p.server.Serve(p)
	return p
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (p *pipes) shut() { p.server.Close() }
