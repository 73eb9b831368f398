package tunnel

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"aspectop/private"
)

// grace is how long cloudflared may serve requests in flight when it is to end.
const grace = 3 * time.Second

// configuration is the text of the config file that cloudflared is given. There
// always is one: otherwise it reads the user's own, whose ingress rules would
// take the place of ours.
//
// Only flags that every version knows are given as flags, because cloudflared
// ends with exit code 0 at one it does not know; in this file it ignores them.
//   - protocol, max-edge-addr-retries: a quick tunnel otherwise tries QUIC for
//     ever where UDP is blocked; so it turns to HTTP/2 within 15 s.
//   - keepAliveTimeout: less than the 10 s after which the receiver closes an
//     idle connection, so that no request is sent into a closing one.
func configuration(local, path string) string {
	return fmt.Sprintf(`protocol: auto
max-edge-addr-retries: 1
no-prechecks: true
grace-period: %s
ingress:
  - path: %s
    service: %s
    originRequest:
      keepAliveTimeout: 5s
  - service: http_status:404
`, grace, quoted(pathPattern(path)), quoted(local))
}

// pathPattern matches an escaped path alone. cloudflared compares the decoded
// one.
func pathPattern(path string) string {
	if decoded, err := url.PathUnescape(path); err == nil {
		path = decoded
	}
	return "^" + regexp.QuoteMeta(path) + "$"
}

// quoted is a string in YAML, of which JSON's are a kind.
func quoted(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has a form
	}
	return string(text)
}

// writeConfig puts the config file into a temporary folder of its own. Each run
// of cloudflared gets a new one, because the system may clear such folders away
// while this process lives.
func writeConfig(local, path string) (file string, folder *private.Temp, err error) {
	folder, err = private.NewTemp("tunnel")
	if err != nil {
		return "", nil, fmt.Errorf("cannot write cloudflared's config file: %w", err)
	}
	file = filepath.Join(folder.Path, "config.yml")
	if err := os.WriteFile(file, []byte(configuration(local, path)), 0o600); err != nil {
		folder.Remove()
		return "", nil, fmt.Errorf("cannot write cloudflared's config file: %w", err)
	}
	return file, folder, nil
}

// arguments of cloudflared. A quick tunnel needs --url to be one; where it
// leads to is said by the config file.
func arguments(config, local string, named bool) []string {
	args := []string{"tunnel", "--config", config, "--no-autoupdate", "--metrics", "127.0.0.1:0"}
	if named {
		return append(args, "run")
	}
	return append(args, "--url", local)
}

// inherited are the variables that cloudflared gets from our environment if
// they are set. It logs the value of every other variable with TUNNEL_ in its
// name, and some would make it do something else.
var inherited = [...]string{
	"PATH", "HOME", "USER", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"SystemRoot", "SystemDrive", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "TEMP", "TMP",
	"TUNNEL_EDGE", "TUNNEL_CACERT", "TUNNEL_EDGE_IP_VERSION", "TUNNEL_EDGE_BIND_ADDRESS", "TUNNEL_REGION",
	"TUNNEL_TRANSPORT_PROTOCOL",
}

// environment of cloudflared. TUNNEL_RETRIES caps the pauses of its reconnects,
// which otherwise grow to minutes.
func environment(token string) []string {
	env := []string{"TUNNEL_LOG_OUTPUT=json", "TUNNEL_RETRIES=1"}
	for _, name := range inherited {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	if token != "" {
		env = append(env, "TUNNEL_TOKEN="+token)
	}
	return env
}

// checkToken refuses what is not a tunnel's token, without quoting it.
func checkToken(token string) error {
	var fields struct{ A, S, T string }
	raw, err := base64.StdEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(raw, &fields)
	}
	if err != nil || fields.A == "" || fields.S == "" || fields.T == "" {
		return errors.New("invalid tunnel token: copy the complete text after --token from the tunnel's page" +
			" in Cloudflare's dashboard")
	}
	return nil
}

// checkLocal refuses a local address that a config file or a flag could take
// for something else.
func checkLocal(local string) error {
	u, err := url.Parse(local)
	if err != nil || u.Scheme != "http" || u.Port() == "" || strings.TrimPrefix(local, "http://") != u.Host {
		return fmt.Errorf("%q is not a receiver's address: it must look like http://127.0.0.1:8787", local)
	}
	return nil
}
