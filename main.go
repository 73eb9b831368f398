// Aspectop is top for Aspect media tasks: it receives Aspect's signed webhooks,
// verifies and keeps them, and shows them live.
package main

import (
	"os"

	"aspectop/cli"
)

func main() { os.Exit(cli.Main()) }
