package cdn

import (
	"bytes"
	"compress/gzip"
	"strings"
	"sync"
)

// worthCoding is the least number of bytes that are compressed. A playlist of two hours
// with a signature on every line has 177 KB, and compressed 6: on a phone, that is the
// difference between waiting and not.
const worthCoding = 2 << 10

var gzips = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // it is a level
	return w
}}

// zipped is b as gzip.
func zipped(b []byte) []byte {
	w := gzips.Get().(*gzip.Writer)
	defer gzips.Put(w)
	var out bytes.Buffer
	w.Reset(&out)
	w.Write(b) // memory does not fail
	w.Close()
	return out.Bytes()
}

// takesGzip reads an Accept-Encoding (RFC 9110, section 12.5.3).
func takesGzip(accept string) bool {
	for one := range strings.SplitSeq(accept, ",") {
		name, weight, _ := strings.Cut(one, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			weight = strings.ReplaceAll(weight, " ", "")
			return !strings.HasPrefix(weight, "q=0") || strings.Trim(weight[3:], ".0") != ""
		}
	}
	return false
}
