package session

import (
	"errors"
	"fmt"
	"net"
	"slices"

	"aspectop/cli/exit"
	"aspectop/receiver"
)

// Listeners are those that a command has open.
type Listeners []net.Listener

// Open is [receiver.Listen] for the address that a flag gives, until Close. It is a usage error
// if another one of these has the address.
func (all *Listeners) Open(flag, address string, next bool) (net.Listener, bool, error) {
	l, moved, err := receiver.Listen(address, next)
	switch {
	case errors.As(err, new(*receiver.AddressError)):
		return nil, false, exit.Usage("--%s: %w", flag, err)
	case err != nil && slices.ContainsFunc(*all, func(l net.Listener) bool { return has(l, address) }):
		return nil, false, exit.Usage("--%s: %s is taken by another address of this command; choose another port", flag, address)
	case err != nil:
		return nil, false, exit.Setup(fmt.Errorf("--%s: %w", flag, err))
	}
	*all = append(*all, l)
	return l, moved, nil
}

func (all Listeners) Close() {
	for _, l := range all {
		l.Close()
	}
}

// has reports whether a listener leaves no room for another one on the address.
func has(l net.Listener, address string) bool {
	wanted, err := net.ResolveTCPAddr("tcp", address)
	open := l.Addr().(*net.TCPAddr)
	return err == nil && wanted.Port == open.Port &&
		(wanted.IP == nil || wanted.IP.IsUnspecified() || open.IP.IsUnspecified() || wanted.IP.Equal(open.IP))
}
