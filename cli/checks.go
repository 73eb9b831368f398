package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"

	"aspectop/receiver"
	"aspectop/tunnel"
)

// othersMay reports whether other users may read or write a file.
func othersMay(path string) (mode fs.FileMode, may bool) {
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS == "windows" { // where access lists decide
		return 0, false
	}
	return info.Mode().Perm(), info.Mode().Perm()&0o066 != 0
}

// checkConfig tells of the config file; err is why it could not be applied.
func checkConfig(err error) finding {
	path := configPath()
	switch {
	case err != nil:
		return finding{failure, err.Error(), ""}
	case path == "":
		return finding{fine, "no config file, and no place for one", ""}
	}
	if _, err := os.Stat(path); err != nil {
		return finding{fine, "no config file (it would be " + path + ")", ""}
	}
	if open := openToOthers("the config file", path); open != nil {
		return *open
	}
	return finding{fine, path, ""}
}

func (d *doctor) checkSecrets() finding {
	secrets, err := readSecrets(d.secretFile)
	switch {
	case errors.Is(err, errNothingToWatch) && apiKey().Empty():
		return finding{warning, "none is set", "copy the endpoint's signing secret (whsec_...) from Aspect's dashboard into " + secretVariable + ", or set " + keyVariable}
	case errors.Is(err, errNothingToWatch):
		return finding{fine, "none is set; with the API key, watch gets one for an endpoint of its own (--tunnel), or polls", ""}
	case err != nil:
		return finding{failure, err.Error(), "copy it again from the endpoint's page in Aspect's dashboard"}
	}
	if d.secretFile != "" {
		if open := openToOthers("the file", d.secretFile); open != nil {
			return *open
		}
	}
	names := make([]string, len(secrets))
	for i, s := range secrets {
		names[i] = s.Name
	}
	return finding{fine, fmt.Sprintf("%d of the right form: %s", len(secrets), strings.Join(names, ", ")), ""}
}

// checkPort takes the port for an instant.
func (d *doctor) checkPort() finding {
	l, moved, err := receiver.Listen(d.listen, !d.listenGiven)
	if err != nil {
		return finding{failure, err.Error(), ""}
	}
	next := l.Addr().String()
	l.Close()
	switch {
	case moved:
		return finding{warning, "another program has " + d.listen, "watch would receive on " + next + "; where the address matters, stop that program or give --listen"}
	case receiver.Public(d.listen):
		return finding{warning, d.listen + " is free, and open to the network", "unless that is meant, listen on " + defaultListen}
	}
	return finding{fine, d.listen + " is free", ""}
}

func (d *doctor) checkJournal() finding {
	h, err := homeOf(d.journal)
	if err != nil {
		return finding{failure, err.Error(), ""}
	}
	return h.check()
}

// checkLeases counts the notes of endpoints that were registered. To look into
// them would be to take them from their owner.
func (d *doctor) checkLeases() finding {
	state, err := stateDir()
	if err != nil {
		return finding{skipped, err.Error(), ""}
	}
	folder := filepath.Join(state, "endpoints")
	notes, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err == nil && len(notes) == 0 {
		return finding{fine, "no run of watch has left one registered", ""}
	}
	words := fmt.Sprintf("%d registered by watch, noted in %s", len(notes), folder)
	if watchRuns(state) {
		return finding{fine, words + "; a watch is running, which may own one", ""}
	}
	return finding{warning, words, "the next watch with the same key and a tunnel takes one over and deletes the others; those of --keep-endpoint stay"}
}

// checkCloudflared runs the program for its version, with nothing of ours in its
// environment.
func (d *doctor) checkCloudflared(ctx context.Context) finding {
	path, err := tunnel.FindProgram(d.cloudflared)
	switch {
	case err != nil && d.cloudflared != "":
		return finding{failure, err.Error(), ""}
	case err != nil:
		return finding{warning, err.Error(), "only --tunnel needs it"}
	}
	ctx, cancel := within(ctx)
	defer cancel()
	ask := exec.CommandContext(ctx, path, "--version")
	ask.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	ask.WaitDelay = askTime / 10
	out, err := ask.Output()
	if err != nil {
		return finding{warning, fmt.Sprintf("%s does not tell its version: %v", path, err), "is it cloudflared?"}
	}
	version, _, _ := bytes.Cut(bytes.TrimSpace(out), []byte("\n"))
	const longest = 100
	return finding{fine, fmt.Sprintf("%s, %s", path, version[:min(len(version), longest)]), ""}
}

// checkTerminal tells what a screen could be drawn with. It asks the terminal
// nothing.
func checkTerminal() finding {
	if !isTerminal() {
		return finding{fine, "stdout is none, so watch would print sentences", ""}
	}
	words := []string{cmp.Or(os.Getenv("TERM"), "TERM is not set")}
	w, h, err := term.GetSize(os.Stdout.Fd())
	known := err == nil && w > 0 && h > 0
	if known {
		words = append(words, fmt.Sprintf("%dx%d", w, h))
	}
	if os.Getenv("NO_COLOR") != "" {
		words = append(words, "no colours (NO_COLOR)")
	} else {
		words = append(words, "colours: "+colorprofile.Detect(os.Stdout, os.Environ()).String())
	}
	if !saysUTF8() {
		return finding{warning, strings.Join(append(words, "no UTF-8"), ", "), "set LANG to a locale such as C.UTF-8, or use --ascii"}
	}
	words = append(words, "UTF-8")
	if known && (w < 40 || h < 10) {
		return finding{warning, strings.Join(words, ", "), "the screen needs 40x10 at least"}
	}
	return finding{fine, strings.Join(words, ", "), ""}
}

// saysUTF8 reports whether the locale's encoding is UTF-8; Windows has no such
// variables, and draws it.
func saysUTF8() bool {
	locale := cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_CTYPE"), os.Getenv("LANG"))
	locale = strings.ReplaceAll(strings.ToLower(locale), "-", "")
	return runtime.GOOS == "windows" || strings.Contains(locale, "utf8")
}
