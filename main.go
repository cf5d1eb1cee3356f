// Picora is a self-hosted media host: one program, one port.
package main

import (
	"os"

	"picora/app/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], pages)) }
