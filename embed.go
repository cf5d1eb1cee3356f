package main

import (
	"embed"
	"io/fs"

	"picora/app/dashboard"
)

// The files that browsers get; this is the only place that knows where they lie.
var (
	//go:embed all:web/dist
	dist embed.FS
	//go:embed web/guide
	guide embed.FS
)

var pages = dashboard.Files{Dashboard: under(dist, "web/dist"), Guide: under(guide, "web/guide")}

func under(files fs.FS, dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the path is wrong here
	}
	return sub
}
