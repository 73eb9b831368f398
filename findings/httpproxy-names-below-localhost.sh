#!/bin/sh
# golang.org/x/net v0.58.0, the same code as net/http's ProxyFromEnvironment
#
# RFC 6761 makes every name below localhost this machine. With HTTP_PROXY set, a request to
# http://localhost goes there, and one to http://app.localhost to the proxy, whose own
# machine it then means.
#
# Seen: as below in want.
set -eu
d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT
cd "$d"
export GOFLAGS='-mod=mod -modcacherw' GOMODCACHE="$d/mod"
go mod init finding
go get golang.org/x/net@v0.58.0
cat > main.go <<'GO'
package main

import (
	"fmt"
	"net/url"

	"golang.org/x/net/http/httpproxy"
)

func main() {
	proxy := (&httpproxy.Config{HTTPProxy: "http://proxy.example:3128"}).ProxyFunc()
	for _, host := range []string{"localhost", "127.0.0.1", "app.localhost", "localhost."} {
		through, err := proxy(&url.URL{Scheme: "http", Host: host})
		fmt.Println(host, through, err)
	}
}
GO
want='localhost <nil> <nil>
127.0.0.1 <nil> <nil>
app.localhost http://proxy.example:3128 <nil>
localhost. http://proxy.example:3128 <nil>'
seen=$(go run .)
echo "$seen"
[ "$seen" = "$want" ]
