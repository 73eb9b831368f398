#!/bin/sh
# charm.land/bubbletea/v2 v2.1.1
#
# A sequence whose bytes come more than 50 ms apart, as on a mobile connection, is taken for
# keys: the rest of a pasted text's first bytes is typed, and an answer of the terminal
# presses what it contains, such as "/". The time is uv.TerminalReader.EscTimeout, which
# Bubble Tea does not let a program set (tty.go, initInputReader). A lone Esc is a key only
# when it has passed, and is drawn with the next frame.
#
# Seen: as below in want.
set -eu
d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT
cd "$d"
export GOFLAGS='-mod=mod -modcacherw' GOMODCACHE="$d/mod"
go mod init finding
go get charm.land/bubbletea/v2@v2.1.1
cat > main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"
)

type model []string

func (model) Init() tea.Cmd { return nil }

func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		if msg.Code == tea.KeyF1 {
			return m, tea.Quit
		}
		m = append(m, msg.String())
	case tea.PasteMsg, tea.BackgroundColorMsg:
		m = append(m, fmt.Sprintf("%T", msg))
	}
	return m, nil
}

func (model) View() tea.View { return tea.NewView("a frame") }

func run(pieces ...string) {
	in, typing := io.Pipe()
	go func() {
		for _, p := range append(pieces, "\x1bOP") {
			time.Sleep(time.Second / 5)
			io.WriteString(typing, p)
		}
	}()
	m, err := tea.NewProgram(model{}, tea.WithInput(in), tea.WithOutput(io.Discard), tea.WithWindowSize(80, 24)).Run()
	fmt.Printf("%q %v\n", m, err)
}

func main() {
	run("\x1b[200~ab\x1b[201~")
	run("\x1b[20", "0~ab", "\x1b[201~")
	run("\x1b]11;rgb:1e1e/2e2e/3e3e\a")
	run("\x1b]11;rgb:1e1e", "/2e2e/3e3e\a")
}
GO
want='["tea.PasteMsg"] <nil>
["0" "~" "a" "b" "tea.PasteMsg"] <nil>
["tea.BackgroundColorMsg"] <nil>
["/" "2" "e" "2" "e" "/" "3" "e" "3" "e" "ctrl+g"] <nil>'
seen=$(go run .)
echo "$seen"
[ "$seen" = "$want" ]
