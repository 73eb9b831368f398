#!/bin/sh
# github.com/charmbracelet/ultraviolet v0.0.0-20261008173134-6b8d4baf91b4
#
# A key of the kitty keyboard protocol may tell the key that it is with shift and the key in
# its place on an American keyboard: code:shifted:base. The decoder keeps the base key as
# the shifted one too (decoder.go, parseKittyKeyboard, "fallthrough" in case 2), and takes
# that for the text: shift and й types q, not Й. A third parameter, the text, prevents it.
#
# Seen: as below in want.
set -eu
d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT
cd "$d"
export GOFLAGS='-mod=mod -modcacherw' GOMODCACHE="$d/mod"
go mod init finding
go get github.com/charmbracelet/ultraviolet@v0.0.0-20261008173134-6b8d4baf91b4
cat > main.go <<'GO'
package main

import (
	"fmt"

	uv "github.com/charmbracelet/ultraviolet"
)

func main() {
	for _, sent := range []string{"\x1b[1081:1049;2u", "\x1b[1081:1049:113;2u", "\x1b[1081:1049:113;2;1049u"} {
		_, e := new(uv.EventDecoder).Decode([]byte(sent))
		k := e.(uv.KeyPressEvent)
		fmt.Printf("%q types %q, shifted %q\n", sent, k.Text, k.ShiftedCode)
	}
}
GO
want='"\x1b[1081:1049;2u" types "Й", shifted '"'Й'"'
"\x1b[1081:1049:113;2u" types "q", shifted '"'q'"'
"\x1b[1081:1049:113;2;1049u" types "Й", shifted '"'q'"
seen=$(go run .)
echo "$seen"
[ "$seen" = "$want" ]
