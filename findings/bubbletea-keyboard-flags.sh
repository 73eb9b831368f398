#!/bin/sh
# charm.land/bubbletea/v2 v2.1.1
#
# Bubble Tea turns the kitty keyboard protocol on by itself, with flag 1 only. From then on
# ctrl+c on a Russian or Greek keyboard is no longer the byte 3, but a key with the letter
# of that keyboard, and a program that compares with "ctrl+c" cannot be ended by it. View.
# KeyboardEnhancements.ReportAlternateKeys asks for the base key as well (flags 5), and
# KeyPressMsg.String then tells that one. But it does so for all keyboards: ctrl+c on a
# Dvorak keyboard becomes "ctrl+i", ctrl+z on a German one "ctrl+y".
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
	"bytes"
	"fmt"
	"io"
	"regexp"
	"time"

	tea "charm.land/bubbletea/v2"
)

type model struct {
	alternate bool
	keys      []string
}

func (model) Init() tea.Cmd { return nil }

func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		if k.Code == tea.KeyF1 {
			return m, tea.Quit
		}
		m.keys = append(m.keys, k.String())
	}
	return m, nil
}

func (m model) View() tea.View {
	v := tea.NewView("a frame")
	v.KeyboardEnhancements.ReportAlternateKeys = m.alternate
	return v
}

func run(alternate bool, keys ...string) {
	in, typing := io.Pipe()
	var out bytes.Buffer
	go func() {
		time.Sleep(time.Second / 5) // until the first frame
		for _, k := range append(keys, "\x1bOP") {
			io.WriteString(typing, k)
		}
	}()
	m, err := tea.NewProgram(model{alternate: alternate}, tea.WithInput(in), tea.WithOutput(&out), tea.WithWindowSize(80, 24)).Run()
	fmt.Printf("%q %q %v\n", regexp.MustCompile("\x1b\\[>[0-9]+u").FindString(out.String()), m.(model).keys, err)
}

func main() {
	// ctrl and the key in the place of c, on a Russian and a Greek keyboard
	run(false, "\x1b[1089;5u", "\x1b[968;5u")
	run(true, "\x1b[1089::99;5u", "\x1b[968::99;5u")
	// Dvorak ctrl+c, German ctrl+z
	run(true, "\x1b[99::105;5u", "\x1b[122::121;5u")
}
GO
want='"\x1b[>1u" ["ctrl+с" "ctrl+ψ"] <nil>
"\x1b[>5u" ["ctrl+c" "ctrl+c"] <nil>
"\x1b[>5u" ["ctrl+i" "ctrl+y"] <nil>'
seen=$(go run .)
echo "$seen"
[ "$seen" = "$want" ]
