#!/bin/sh
# github.com/charmbracelet/colorprofile v0.4.3
#
# By the convention (no-color.org) NO_COLOR turns colours off whatever its value is, unless
# that is empty. It is parsed as a boolean here: "yes" leaves the colours on.
#
# Seen: as below in want.
set -eu
d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT
cd "$d"
export GOFLAGS='-mod=mod -modcacherw' GOMODCACHE="$d/mod"
go mod init finding
go get github.com/charmbracelet/colorprofile@v0.4.3
cat > main.go <<'GO'
package main

import (
	"fmt"

	"github.com/charmbracelet/colorprofile"
)

func main() {
	for _, value := range []string{"1", "true", "yes", "0", ""} {
		fmt.Printf("NO_COLOR=%s %v\n", value, colorprofile.Env([]string{"TERM=xterm-256color", "NO_COLOR=" + value}))
	}
}
GO
want='NO_COLOR=1 Ascii
NO_COLOR=true Ascii
NO_COLOR=yes ANSI256
NO_COLOR=0 ANSI256
NO_COLOR= ANSI256'
seen=$(go run .)
echo "$seen"
[ "$seen" = "$want" ]
