//go:build unix

package e2e

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestTheEndpointGoesWhenNobodyReadsTheLines(t *testing.T) {
	api := aspectAPI(t)
	p := registered(t, api)
	p.stdout.Close()
	if code := p.ends(); code != 0 {
		t.Errorf("it ended with %d: %s", code, p.errors())
	}
	if left := api.registered(); len(left) > 0 {
		t.Errorf("it left the endpoints %v", left)
	}
}

func TestNobodyReadsAnyMore(t *testing.T) {
	journal := t.TempDir() + "/journal.db"
	writer := inPipe(t, watching(t, "--json", "--journal", journal))
	writer.next("ready")
	for name, c := range map[string]struct {
		cmd    *exec.Cmd
		stderr bool // goes to the same reader
	}{
		"watch --plain":         {watching(t, "--plain"), false},
		"stderr too":            {watching(t, "--json"), true},
		"without the tunnel up": {watching(t, "--json", "--public-url", "http://"+freeAddress(t)), false},
		"view":                  {program(t, "view", "--journal", journal), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			if c.cmd.Stdout = w; c.stderr {
				c.cmd.Stderr = w
			}
			if err := c.cmd.Start(); err != nil {
				t.Fatal(err)
			}
			w.Close()
			r.Read(make([]byte, 1)) // the first line is there, or stderr's
			r.Close()
			late := time.AfterFunc(patience, func() { c.cmd.Process.Kill() })
			defer late.Stop()
			if err := c.cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}
