package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"

	"aspectop/cli/session"
	"aspectop/receiver"
	"aspectop/tunnel"
)

// checkCloudflared asks the program for its version, without our environment.
func (d *doctor) checkCloudflared(ctx context.Context) finding {
	path, err := tunnel.FindProgram(d.watch.Cloudflared)
	switch {
	case err != nil && (d.watch.Cloudflared != "" || d.watch.UsesCloudflared()):
		return finding{failure, err.Error(), ""}
	case err != nil:
		return finding{warning, err.Error(), "only --tunnel needs it"}
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	ask := exec.CommandContext(ctx, path, "--version")
	ask.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	ask.WaitDelay = askTime / 10
	out, err := ask.Output()
	if err != nil {
		return finding{warning, fmt.Sprintf("cannot get the version of %s: %v", path, err), "is it cloudflared?"}
	}
	version, _, _ := bytes.Cut(bytes.TrimSpace(out), []byte("\n"))
	const longest = 100
	return finding{fine, fmt.Sprintf("%s, %s", path, version[:min(len(version), longest)]), ""}
}

// checkReach opens the port and the tunnel, and sends a probe through the public URL,
// also where watch would not start for other reasons. fixed says that the port must not
// change.
func (d *doctor) checkReach(ctx context.Context, fixed bool) finding {
	err := d.watch.ExposureFlags.Check()
	var exposure *session.Exposure
	if err == nil {
		exposure, err = d.watch.Exposure(nil)
	}
	switch {
	case err != nil:
		return finding{skipped, "not tested: " + err.Error(), ""}
	case exposure == nil:
		return finding{skipped, "none: neither --tunnel nor --public-url is set", ""}
	case d.watch.UsesCloudflared():
		if _, err := tunnel.FindProgram(d.watch.Cloudflared); err != nil {
			return finding{skipped, "not tested without cloudflared", ""}
		}
	}
	l, moved, err := receiver.Listen(d.watch.listen, !fixed)
	if (err != nil || moved) && d.watchRuns() {
		if err == nil {
			l.Close()
		}
		return finding{skipped, "not tested: the running watch has the port, and tests the URL itself", ""}
	}
	if err != nil {
		return finding{skipped, "not tested without the port", ""}
	}
	state, err := exposure.Try(ctx, l, d.watch.path)
	switch {
	case err != nil:
		return finding{failure, err.Error(), ""}
	case state.Probe == nil:
		return finding{skipped, state.PublicURL + " is not checked (--probe=off)", ""}
	case state.Doubt != "":
		return finding{warning, fmt.Sprintf("a test request came back through %s", state.PublicURL), state.Doubt}
	}
	return finding{fine, fmt.Sprintf("a test request came back through %s in %d ms", state.PublicURL, state.Probe.RoundTrip.Milliseconds()), ""}
}
