#!/bin/sh
# charm.land/bubbletea/v2 v2.1.1, github.com/creack/pty v1.1.24
#
# A program asks the terminal for modes 2026 and 2027 and for the flags of its keyboard
# when it starts. If it ends before the answers have come, here 250 ms later, they are
# typed into what runs next: a shell, or an editor that takes them for commands.
# Run does not wait for them, and no option makes it. Program.shutdown cancels the reader
# of the input at once (tea.go, "p.cancelReader.Cancel()").
#
# Seen: cat, which runs after the program, reads
#   \x1b[?2026;2$y\x1b[?2027;0$y\x1b[?0u
set -eu
d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT
cd "$d"
export GOFLAGS='-mod=mod -modcacherw' GOMODCACHE="$d/mod"
go mod init finding
go get charm.land/bubbletea/v2@v2.1.1 github.com/creack/pty@v1.1.24
mkdir program
cat > program/main.go <<'GO'
package main

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

type model struct{}

func (model) Init() tea.Cmd                         { return tea.Tick(time.Second/10, func(time.Time) tea.Msg { return tea.Quit() }) }
func (m model) Update(tea.Msg) (tea.Model, tea.Cmd) { return m, nil }
func (model) View() tea.View                        { return tea.NewView("a frame") }

func main() { tea.NewProgram(model{}).Run() }
GO
cat > main.go <<'GO'
// A terminal whose answers take 250 ms.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/creack/pty"
)

func main() {
	cmd := exec.Command("sh", "-c", `./program.bin; stty raw -echo; echo "[next]"; exec timeout 2 cat`)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color")
	terminal, err := pty.Start(cmd)
	if err != nil {
		panic(err)
	}
	written, buf, answered := "", make([]byte, 4096), map[string]bool{}
	for {
		n, err := terminal.Read(buf)
		if err != nil {
			break
		}
		written += string(buf[:n])
		delay := 250 * time.Millisecond
		for _, a := range [][2]string{{"\x1b[?2026$p", "\x1b[?2026;2$y"}, {"\x1b[?2027$p", "\x1b[?2027;0$y"}, {"\x1b[?u", "\x1b[?0u"}} {
			if strings.Contains(written, a[0]) && !answered[a[0]] {
				answered[a[0]] = true
				delay += 10 * time.Millisecond
				time.AfterFunc(delay, func() { terminal.WriteString(a[1]) })
			}
		}
	}
	_, next, _ := strings.Cut(written, "[next]")
	fmt.Printf("%q\n", strings.TrimSpace(next))
}
GO
go build -o program.bin ./program
seen=$(go run .)
echo "what runs next reads $seen"
[ "$seen" = '"\x1b[?2026;2$y\x1b[?2027;0$y\x1b[?0u"' ]
