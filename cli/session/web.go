package session

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/pflag"

	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/receiver"
	"aspectop/share/web"
)

// webFlags say how browsers may watch.
type webFlags struct {
	web      string
	webCert  string
	webKey   string
	webProxy string
	set      *pflag.FlagSet
}

func (f *webFlags) flags(set *pflag.FlagSet) {
	f.set = set
	set.StringVar(&f.web, "web", "", "serve a read-only live page for browsers on the `address`, such as 127.0.0.1:8788")
	settings.PathVar(set, &f.webCert, "web-cert", "`file` with the certificate for --web, to serve HTTPS", nil)
	settings.PathVar(set, &f.webKey, "web-key", "`file` with the private key of that certificate", nil)
	set.StringVar(&f.webProxy, "web-proxy", "", "`URL` of a reverse proxy in front of --web that requires a login; the page then needs no token")
}

// check validates the flags and returns the proxy and the certificate, if any.
func (f *webFlags) check() (proxy *url.URL, secure *tls.Config, err error) {
	if f.web == "" {
		if (f.webCert != "" || f.webKey != "" || f.webProxy != "") && !settings.Waits(f.set, "web-cert", "web-key", "web-proxy") {
			return nil, nil, exit.Usage("--web-cert, --web-key and --web-proxy need --web, such as --web 127.0.0.1:8788")
		}
		return nil, nil, nil
	}
	if (f.webCert == "") != (f.webKey == "") {
		return nil, nil, exit.Usage("--web-cert and --web-key go together")
	}
	if f.webProxy != "" {
		if proxy, err = url.Parse(f.webProxy); err != nil || proxy.Host == "" || proxy.Scheme != "https" && proxy.Scheme != "http" || proxy.User != nil {
			return nil, nil, exit.Usage("invalid --web-proxy %q: must be a URL for browsers, such as https://status.example.com/aspectop/", f.webProxy)
		}
	}
	if receiver.Public(f.web) && f.webCert == "" && proxy == nil {
		return nil, nil, exit.Usage("--web %s is open to the network, where plain HTTP shows the page's address to others: give --web-cert and --web-key, or name the proxy in front of it with --web-proxy", f.web)
	}
	if f.webCert != "" {
		certificate, err := tls.LoadX509KeyPair(f.webCert, f.webKey)
		if err != nil {
			return nil, nil, exit.Setup(fmt.Errorf("--web-cert, --web-key: %w", err))
		}
		secure = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	}
	return proxy, secure, nil
}

// serveWeb prepares to serve the live page, if that was asked for.
func (s *Session) serveWeb(f webFlags) error {
	proxy, secure, err := f.check()
	if err != nil || f.web == "" {
		return err
	}
	config := web.Config{Feed: s.Feed, Journal: s.rows, Filter: s.Filter, Since: s.Output.since.At, Title: s.Output.title}
	if s.names != nil {
		config.Name = func(asset string) string {
			name, _ := s.names.Get(asset)
			return name
		}
	}
	scheme := "http"
	if secure != nil {
		config.TLS, scheme = secure, "https"
	}
	l, _, err := s.listeners.Open("web", f.web, false)
	if err != nil {
		return err
	}
	if proxy != nil {
		config.Hosts = web.Hosts(proxy, l.Addr())
		s.livePage = strings.TrimSuffix(proxy.String(), "/") + "/"
	} else {
		s.token = web.NewToken()
		config.Token = s.token
		s.livePage = fmt.Sprintf("%s://%s/%s/", scheme, receiver.Reachable(l.Addr()), s.token) // gives access to the page
	}
	remark := "live page: " + s.livePage
	if network := openToNetwork(l); network != "" {
		remark = network + ": " + remark
	}
	s.Remark(remark)
	if s.mode() == onScreen { // where a remark scrolls away, and this is to be found again
		s.notice(remark)
	}
	page := web.New(config)
	s.servers = append(s.servers, server{"web", page.Serve, page.Shutdown, l})
	return nil
}
