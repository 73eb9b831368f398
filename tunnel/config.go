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

	"aspectop/jsonl"
	"aspectop/private"
)

// grace is how long cloudflared may serve requests in flight when it is to end.
const grace = 3 * time.Second

// configuration is cloudflared's config file. Without one it reads the user's own, whose
// ingress rules would replace ours. Settings that not every version knows are here:
// cloudflared exits with code 0 at an unknown flag, but ignores unknown settings.
//   - protocol, max-edge-addr-retries: where UDP is blocked, a quick tunnel turns to
//     HTTP/2 within 15 s instead of trying QUIC for ever.
func configuration(local, path string) string {
	return fmt.Sprintf(`protocol: auto
max-edge-addr-retries: 1
no-prechecks: true
grace-period: %s
ingress:
  - path: %s
    service: %s
  - service: http_status:404
`, grace, quoted(pathPattern(path)), quoted(local))
}

// pathPattern matches only an escaped path. cloudflared compares the decoded one.
func pathPattern(path string) string {
	if decoded, err := url.PathUnescape(path); err == nil {
		path = decoded
	}
	return "^" + regexp.QuoteMeta(path) + "$"
}

// quoted is a string in YAML, which includes JSON's.
func quoted(s string) string { return string(jsonl.AppendText(nil, s)) }

// writeConfig puts the config file into a new temporary folder for each run of
// cloudflared, because the system may delete such folders while this process runs.
func writeConfig(local, path string) (file string, folder *private.Temp, err error) {
	if folder, err = private.NewTemp("tunnel"); err == nil {
		file = filepath.Join(folder.Path, "config.yml")
		if err = os.WriteFile(file, []byte(configuration(local, path)), 0o600); err == nil {
			return file, folder, nil
		}
		folder.Remove()
	}
	return "", nil, fmt.Errorf("cannot write cloudflared's config file: %w", err)
}

// arguments of cloudflared. --url makes it a quick tunnel; the config file says where
// it leads.
func arguments(config, local string, named bool) []string {
	args := []string{"tunnel", "--config", config, "--no-autoupdate", "--metrics", "127.0.0.1:0"}
	if named {
		return append(args, "run")
	}
	return append(args, "--url", local)
}

// inherited are the variables that cloudflared gets from our environment. It logs every
// other one with TUNNEL_ in its name, and some change what it does.
var inherited = [...]string{
	"PATH", "HOME", "USER", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"SystemRoot", "SystemDrive", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "TEMP", "TMP",
	"TUNNEL_EDGE", "TUNNEL_CACERT", "TUNNEL_EDGE_IP_VERSION", "TUNNEL_EDGE_BIND_ADDRESS", "TUNNEL_REGION",
	"TUNNEL_TRANSPORT_PROTOCOL",
}

// environment of cloudflared. TUNNEL_RETRIES keeps the pauses of its reconnects from
// growing to minutes.
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

// checkToken validates a tunnel's token. Its error does not quote it.
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

// checkLocal refuses an address that a config file or a flag could misread.
func checkLocal(local string) error {
	u, err := url.Parse(local)
	if err != nil || u.Scheme != "http" || u.Port() == "" || strings.TrimPrefix(local, "http://") != u.Host {
		return fmt.Errorf("%q is not a receiver's address: it must look like http://127.0.0.1:8787", local)
	}
	return nil
}
