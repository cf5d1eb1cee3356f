package main

import (
	_ "embed"

	"picora/app/dashboard"
)

// The files that browsers get; this is the only place that knows where they lie.
var (
	//go:embed web/start.html
	startPage string
	//go:embed web/setup.html
	setupPage string
	//go:embed web/setup.js
	setupScript string
)

var pages = dashboard.Pages{Start: startPage, Setup: setupPage, SetupScript: setupScript}
