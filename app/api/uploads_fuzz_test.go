package api

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzUploadMetadata(f *testing.F) {
	f.Add("filename d29ybGQucG5n,is_confidential")
	f.Add("a ,b\t/w==, ,c  aGk=")
	f.Add(",,,")
	f.Fuzz(func(t *testing.T, s string) {
		values, err := uploadMetadata(s)
		if err != nil {
			return
		}
		for name, v := range values {
			if strings.Contains(name, ",") || !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				t.Errorf("%q is %q", name, v)
			}
			if v != "" && !strings.Contains(s, base64.StdEncoding.EncodeToString([]byte(v))) && !strings.ContainsAny(s, "\r\n") {
				t.Errorf("%q says nothing of %q", s, v)
			}
		}
		uploadKindOf(values, first(values, "filename"))
	})
}
