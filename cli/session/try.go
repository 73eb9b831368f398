package session

import (
	"context"
	"errors"
	"net"
	"os"

	"aspectop/cli/exit"
	"aspectop/model"
	"aspectop/receiver"
	"aspectop/tunnel"
)

// keepsNothing has genuine deliveries answered 503, so that Svix sends them again.
type keepsNothing struct{}

func (keepsNothing) Append(context.Context, *model.Delivery) error {
	return errors.New("this receiver only tests the way to it")
}

// Try makes a receiver on l public, as a run would, and returns the tunnel's state when a
// probe has come through, or why none did. It registers and keeps nothing, and closes l.
func (e *Exposure) Try(ctx context.Context, l net.Listener, path string) (model.Tunnel, error) {
	defer l.Close()
	o := e.options
	if o.Mode == tunnel.SvixRelay { // its own folder has the URL of real runs
		folder, err := os.MkdirTemp("", "aspectop-relay-")
		if err != nil {
			return model.Tunnel{}, err
		}
		defer os.RemoveAll(folder)
		o.StateDir = folder
	}
	o.Local, o.Path, o.Report = "http://"+l.Addr().String(), path, func(model.Tunnel) {}
	o.Prober = tunnel.NewProber(receiver.NewSecret("probe").Sign, receiver.Reachable(l.Addr()), path)
	server, err := receiver.New(receiver.Config{
		Path: path, Secrets: []receiver.Secret{receiver.NewSecret("probe")}, Journal: keepsNothing{},
		Status: model.NewStatusLog(1), Probed: o.Prober.Saw, Foreign: o.Prober.Foreign,
	})
	if err != nil {
		return model.Tunnel{}, exit.Usage("%w", err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	defer func() {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_ = server.Shutdown(ended) // cuts what is left
		<-served
	}()
	t, err := tunnel.Start(ctx, o)
	if err != nil {
		return model.Tunnel{}, err
	}
	defer t.Stop()
	if err := t.Ready(ctx, e.patience()); err != nil {
		return model.Tunnel{}, err
	}
	return t.State(), nil
}
