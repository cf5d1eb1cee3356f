// Package byterange reads the Range header, for the surfaces that serve files.
package byterange

import (
	"strconv"
	"strings"
)

// Span is a stretch of a file: N bytes from Off on.
type Span struct{ Off, N int64 }

// Parse reads a Range header for a file of size bytes (RFC 9110, section
// 14). Whole means: send everything, because there is no range, it is malformed,
// of another unit, or there are several, which a server may answer with the
// whole. Unmet means that it asks for nothing that is there (416).
func Parse(header string, size int64) (s Span, whole, unmet bool) {
	set, ok := cutPrefixFold(header, "bytes=")
	if !ok || strings.Contains(set, ",") {
		return s, true, false
	}
	first, last, ok := strings.Cut(strings.Trim(set, " \t"), "-")
	if !ok {
		return s, true, false
	}
	if first == "" { // the last n bytes
		n, ok := digits(last)
		if !ok {
			return s, true, false
		}
		n = min(n, size)
		return Span{size - n, n}, false, n == 0
	}
	from, ok := digits(first)
	if !ok {
		return s, true, false
	}
	to := size - 1
	if last != "" {
		l, ok := digits(last)
		if !ok || l < from {
			return s, true, false
		}
		to = min(to, l)
	}
	if from >= size {
		return s, false, true
	}
	return Span{from, to - from + 1}, false, false
}

// digits reads a number as RFC 9110 writes it: digits and nothing else. One too
// large for an int64 is as good as the largest.
func digits(s string) (int64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		n = 1<<63 - 1
	}
	return n, true
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
