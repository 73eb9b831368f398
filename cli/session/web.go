package session

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/spf13/pflag"

	"aspectop/cli/exit"
	"aspectop/receiver"
	"aspectop/share/web"
)

// webFlags say how browsers may watch.
type webFlags struct {
	web      string
	webCert  string
	webKey   string
	webProxy string
}

func (f *webFlags) flags(set *pflag.FlagSet) {
	set.StringVar(&f.web, "web", "", "serve a read-only live page for browsers on the `address`, such as 127.0.0.1:8788")
	set.StringVar(&f.webCert, "web-cert", "", "`file` with the certificate for --web, to serve HTTPS")
	set.StringVar(&f.webKey, "web-key", "", "`file` with the private key of that certificate")
	set.StringVar(&f.webProxy, "web-proxy", "", "`URL` of a reverse proxy in front of --web that requires a login; the page then needs no token")
}

// webServer serves the live page.
type webServer struct {
	web.Config
	listener net.Listener
}

// serveWeb prepares to serve the live page, if that was asked for.
func (s *Session) serveWeb(f webFlags) error {
	if f.web == "" {
		if f.webCert != "" || f.webKey != "" || f.webProxy != "" {
			return exit.Usage("--web-cert, --web-key and --web-proxy need --web, such as --web 127.0.0.1:8788")
		}
		return nil
	}
	if (f.webCert == "") != (f.webKey == "") {
		return exit.Usage("--web-cert and --web-key go together")
	}
	var proxy *url.URL
	if f.webProxy != "" {
		var err error
		if proxy, err = url.Parse(f.webProxy); err != nil || proxy.Host == "" || proxy.Scheme != "https" && proxy.Scheme != "http" || proxy.User != nil {
			return exit.Usage("invalid --web-proxy %q: must be a URL for browsers, such as https://status.example.com/aspectop/", f.webProxy)
		}
	}
	if receiver.Public(f.web) && f.webCert == "" && proxy == nil {
		return exit.Usage("--web %s is open to the network, where plain HTTP shows the page's address to others: give --web-cert and --web-key, or name the proxy in front of it with --web-proxy", f.web)
	}
	w := &webServer{Config: web.Config{Filter: s.filter, Since: s.output.since.At}}
	if f.webCert != "" {
		certificate, err := tls.LoadX509KeyPair(f.webCert, f.webKey)
		if err != nil {
			return exit.Setup(fmt.Errorf("--web-cert, --web-key: %w", err))
		}
		w.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	}
	var err error
	if w.listener, _, err = listen("web", f.web, false); err != nil {
		return err
	}
	s.web = w
	address := w.listener.Addr()
	remark := "live page: "
	if proxy != nil {
		w.Hosts = web.Hosts(proxy, address)
		remark += strings.TrimSuffix(proxy.String(), "/") + "/"
	} else {
		w.Token = web.NewToken()
		remark += w.url()
	}
	if receiver.Public(address.String()) {
		remark = fmt.Sprintf("%s is open to the network: %s", address, remark)
	}
	s.Remark(remark)
	if s.mode() == onScreen { // where a remark goes by, and this is to be found again
		s.notice(remark)
	}
	return nil
}

// socket is the listener, nil if there is none.
func (w *webServer) socket() net.Listener {
	if w == nil {
		return nil
	}
	return w.listener
}

// token is the secret in the live page's address, "" if there is none.
func (s *Session) token() string {
	if s.web == nil {
		return ""
	}
	return s.web.Token
}

// url is the page's address. Whoever has it sees the page.
func (w *webServer) url() string {
	scheme := "http"
	if w.TLS != nil {
		scheme = "https"
	}
	return fmt.Sprintf("%s://%s/%s/", scheme, w.listener.Addr(), w.Token)
}

// shareWeb serves the live page until the returned function is called.
func (s *Session) shareWeb() (stop func()) {
	if s.web == nil {
		return func() {}
	}
	s.web.Feed, s.web.Journal = s.Feed, s.rows
	if s.names != nil {
		s.web.Name = func(asset string) string {
			name, _ := s.names.Get(asset)
			return name
		}
	}
	server := web.New(s.web.Config)
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := server.Serve(s.web.listener); err != nil {
			s.notice("web server failed: " + err.Error())
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), disconnectTime)
		defer cancel()
		server.Shutdown(ctx)
		<-served
	}
}
