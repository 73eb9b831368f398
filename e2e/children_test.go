//go:build unix

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// canary adds to a command variables of the user's, and secrets that no child may see.
func canary(cmd *exec.Cmd) *exec.Cmd {
	return with(cmd, "CHAT_URL=https://chat.example.com/x", "KUBECONFIG=/k", "SSH_AUTH_SOCK=/s", "NVIM_APPNAME=n", "COLORTERM=truecolor",
		"ASPECT_URL=http://127.0.0.1:1/canary", "TUNNEL_TOKEN=canary", "HANDLER=whsec_canaryCanaryCanaryCanaryCanary00", "ASPECTOP_FORWARD_SECRET_ENV=HANDLER",
		"SENDING=canary", "ASPECTOP_SECRET_ENV=SENDING", "ASPECTOP_TO=http://me:canary@127.0.0.1/")
}

// seen waits until a child has written its environment to the file, and checks it.
func seen(t *testing.T, file string) {
	t.Helper()
	var text []byte
	for end := time.Now().Add(patience); len(text) == 0; time.Sleep(10 * time.Millisecond) {
		if text, _ = os.ReadFile(file); time.Now().After(end) {
			t.Fatal("waited in vain for the child")
		}
	}
	says(t, string(text), "CHAT_URL=https://chat.example.com/x", "KUBECONFIG=/k", "SSH_AUTH_SOCK=/s", "NVIM_APPNAME=n", "COLORTERM=truecolor", "HOME=")
	if strings.Contains(strings.ToLower(string(text)), "canary") || strings.Contains(string(text), secret) {
		t.Errorf("a child sees a secret:\n%s", text)
	}
}

func TestACommandGetsTheUsersEnvironmentWithoutASecret(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	p := inPipe(t, canary(watching(t, "--json", "--journal", "memory", "--exec", "env > "+out+".part && mv "+out+".part "+out)))
	keeps(t, p.next("ready")["url"].(string), some()[2])
	seen(t, out)
}

func TestTheEditorGetsTheUsersEnvironmentWithoutASecret(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	editor := filepath.Join(t.TempDir(), "editor")
	if err := os.WriteFile(editor, []byte("#!/bin/sh\nenv > "+out+".part && mv "+out+".part "+out+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	handler := newHandler(t, nil)
	screen := inTerminal(t, 100, 24, with(canary(watching(t, "--journal", "memory", "--forward-to", handler.URL)), "EDITOR="+editor, "VISUAL="))
	keeps(t, screen.find(`receiving on (http://\S+)`), some()[0])
	screen.shows(upload[:8])
	screen.press("e")
	seen(t, out)
	screen.press("q")
	screen.ends(0)
}
