package cdn

import "testing"

func TestAcceptEncodingIsReadAsItIsMeant(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "gzip, deflate, br, zstd": true, "br;q=1.0, gzip;q=0.8": true, "gzip;q=0": false, "gzip; q=0.000": false, "gzip;q=0.001": true,
		"identity": false, "*": false, "xgzip": false, "deflate,gzip": true,
	} {
		if got := takesGzip(accept); got != want {
			t.Errorf("%q: %v", accept, got)
		}
	}
}
