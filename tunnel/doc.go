// Package tunnel makes the receiver reachable from outside and says truthfully
// whether it is. There are three ways: cloudflared as a child process, Svix's
// relay over a websocket, and a URL that the user provides. Whichever it is,
// only a signed request of our own that comes back through the public URL
// counts as proof; see [Prober].
//
// It is not a server and judges no delivery: it knows the receiver by its
// local URL only. It registers the public URL with nobody; who did that is
// told by [Options.Report] when the URL changes.
package tunnel
