package cdn

import "picora/app/byterange"

// span is a stretch of a file: n bytes from off on.
type span struct{ off, n int64 }

// parseRange is byterange.Parse.
func parseRange(header string, size int64) (s span, whole, unmet bool) {
	r, whole, unmet := byterange.Parse(header, size)
	return span{r.Off, r.N}, whole, unmet
}
