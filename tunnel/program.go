package tunnel

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"runtime"
	"slices"
)

// FindProgram returns the path of cloudflared: of name or, if empty, of the first on
// PATH. Its error says how to install it on this system.
func FindProgram(name string) (string, error) {
	if name != "" {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", fmt.Errorf("--cloudflared %s cannot be run: %w", name, cause(err))
		}
		return path, nil
	}
	path, err := exec.LookPath("cloudflared")
	if err == nil {
		return path, nil
	}
	if errors.Is(err, exec.ErrDot) {
		return "", errors.New("cloudflared in the current directory is not trusted: use --cloudflared ./cloudflared")
	}
	return "", fmt.Errorf("cloudflared is not installed: %s; or use --tunnel=svix, which needs no program",
		installation(runtime.GOOS, runtime.GOARCH))
}

// cause removes the name that LookPath adds to an error.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*exec.Error](err); ok {
		return e.Err
	}
	return err
}

// installation says how to get cloudflared on a system.
func installation(system, arch string) string {
	const releases = "https://github.com/cloudflare/cloudflared/releases/latest"
	switch {
	case system == "darwin":
		return "brew install cloudflared"
	case system == "windows":
		return "winget install --id Cloudflare.cloudflared"
	case system == "linux" && slices.Contains([]string{"amd64", "arm64", "386", "arm"}, arch):
		return fmt.Sprintf("get a package from https://pkg.cloudflare.com, or save %s/download/cloudflared-linux-%s"+
			" as an executable named cloudflared in a directory on PATH", releases, arch)
	}
	return "see " + releases
}
