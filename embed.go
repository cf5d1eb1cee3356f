package main

import _ "embed"

// startPage is what a browser sees at the server's root; the only place that
// knows where it lies.
//
//go:embed web/start.html
var startPage string
