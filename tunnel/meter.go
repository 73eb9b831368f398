package tunnel

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"aspectop/clean"
)

// meterAnswer is the maximum size of an answer, in bytes.
const meterAnswer = 1 << 20

// meter reads cloudflared's state from its metrics server.
type meter struct {
	address string
	client  http.Client
}

func newMeter(address string, timeout time.Duration) *meter {
	return &meter{address, http.Client{Transport: &http.Transport{MaxIdleConns: 1}, Timeout: timeout}} // without a proxy
}

func (m *meter) close() { m.client.CloseIdleConnections() }

// get returns the body, whatever the status.
func (m *meter) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.address+path, nil)
	if err != nil {
		return nil, err
	}
	res, err := m.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(io.LimitReader(res.Body, meterAnswer))
}

func (m *meter) decode(ctx context.Context, path string, into any) error {
	body, err := m.get(ctx, path)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

func (m *meter) connections(ctx context.Context) (int, error) {
	var ready struct{ ReadyConnections *int }
	if err := m.decode(ctx, "/ready", &ready); err != nil {
		return 0, err
	}
	if ready.ReadyConnections == nil {
		return 0, fmt.Errorf("%s/ready does not contain the number of connections", m.address)
	}
	return *ready.ReadyConnections, nil
}

// quickHost returns the public host of a quick tunnel, "" if there is none yet.
func (m *meter) quickHost(ctx context.Context) (string, error) {
	var quick struct{ Hostname string }
	if err := m.decode(ctx, "/quicktunnel", &quick); err != nil {
		return "", err
	}
	if u, err := url.Parse("https://" + quick.Hostname); quick.Hostname != "" && (err != nil || u.Host != quick.Hostname || clean.Line(u.Host) != u.Host) {
		return "", fmt.Errorf("cloudflared names a host that is none: %q", clean.Line(quick.Hostname))
	}
	return quick.Hostname, nil
}

type rule struct {
	Hostname string
	Path     *string
	Service  string
}

// rules returns the active ingress rules, and whether they come from Cloudflare's
// dashboard.
func (m *meter) rules(ctx context.Context) (rules []rule, remote bool, err error) {
	config := struct {
		Version int
		Config  struct{ Ingress []rule }
	}{Version: -1}
	if err := m.decode(ctx, "/config", &config); err != nil {
		return nil, false, err
	}
	return config.Config.Ingress, config.Version >= 0, nil
}

// refusals returns how often the edge rejected the registration of a connection. With
// QUIC this counter is the only sign of that. It also counts interrupted
// registrations, so a few prove nothing.
func (m *meter) refusals(ctx context.Context) (int, error) {
	body, err := m.get(ctx, "/metrics")
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for line := range strings.Lines(string(body)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if strings.HasPrefix(name, "cloudflared_tunnel_tunnel_register_fail{") && strings.Contains(name, `error="server_error"`) {
			n, _ := strconv.ParseFloat(value, 64)
			sum += n
		}
	}
	return int(sum), nil
}
