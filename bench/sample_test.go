//go:build linux

package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The provider's sample is run by Node with express and Svix's library for it, in
// the versions that the lock file in this folder gives.
var sampleFolder = filepath.Join("testdata", "sample")

// installSample returns why the sample cannot be run, nil if it can. What it needs
// is installed once, by npm, into the folder.
func installSample() error {
	if _, err := exec.LookPath("node"); err != nil {
		return fmt.Errorf("it needs Node: %w", err)
	}
	if _, err := os.Stat(filepath.Join(sampleFolder, "node_modules", "svix")); err == nil {
		return nil
	}
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = sampleFolder
	if out, err := cmd.CombinedOutput(); err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("npm cannot install its packages: %w (%s)", err, first)
	}
	return nil
}

func sampleCommand() *exec.Cmd {
	cmd := exec.Command("node", "server.mjs")
	cmd.Dir = sampleFolder
	cmd.Env = append(os.Environ(), "ASPECT_WEBHOOK_SECRET="+secret, "NODE_ENV=production")
	return cmd
}
