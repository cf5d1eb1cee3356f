package byterange

import (
	"math/big"
	"regexp"
	"strings"
	"testing"
)

func TestRangesAreReadAsRFC9110Says(t *testing.T) {
	const size = 1000
	all, none := []bool{true, false}, []bool{false, true}
	part := []bool{false, false}
	cases := []struct {
		header string
		want   Span
		how    []bool // whole, unmet
	}{
		{"bytes=0-0", Span{0, 1}, part},
		{"bytes=0-499", Span{0, 500}, part},
		{"bytes=500-", Span{500, 500}, part},
		{"bytes=-1", Span{999, 1}, part},
		{"bytes=-1000", Span{0, 1000}, part},
		{"bytes=-5000", Span{0, 1000}, part},
		{"bytes=999-", Span{999, 1}, part},
		{"bytes=990-2000", Span{990, 10}, part},
		{"bytes=0-99999999999999999999999", Span{0, 1000}, part},
		{"bytes=-99999999999999999999999", Span{0, 1000}, part},
		{"Bytes=1-2", Span{1, 2}, part},
		{"BYTES=1-2", Span{1, 2}, part},
		{"bytes= 1-2 ", Span{1, 2}, part},
		{"bytes=0001-0002", Span{1, 2}, part},
		{"bytes=1000-", Span{}, none},
		{"bytes=1000-1001", Span{}, none},
		{"bytes=99999999999999999999999-", Span{}, none},
		{"bytes=-0", Span{}, none},
		{"", Span{}, all},
		{"bytes", Span{}, all},
		{"bytes=", Span{}, all},
		{"bytes=-", Span{}, all},
		{"bytes=--1", Span{}, all},
		{"bytes=5", Span{}, all},
		{"bytes=5-2", Span{}, all},
		{"bytes=99999999999999999999999-2", Span{}, all},
		{"bytes=a-b", Span{}, all},
		{"bytes=+1-2", Span{}, all},
		{"bytes=1-2x", Span{}, all},
		{"bytes=1 - 2", Span{}, all},
		{"bytes=1-2-3", Span{}, all},
		{"bytes=0x1-0x2", Span{}, all},
		{"bytes=１-２", Span{}, all},
		{"bytes=1-2,4-5", Span{}, all},
		{"bytes=1-2,", Span{}, all},
		{"bytes =1-2", Span{}, all},
		{"items=1-2", Span{}, all},
		{"bytes:1-2", Span{}, all},
	}
	for _, c := range cases {
		s, whole, unmet := Parse(c.header, size)
		if whole != c.how[0] || unmet != c.how[1] || !whole && !unmet && s != c.want {
			t.Errorf("%q: %v whole %v unmet %v, want %v %v", c.header, s, whole, unmet, c.want, c.how)
		}
	}
	if _, whole, unmet := Parse("bytes=0-", 0); whole || !unmet {
		t.Error("a range of an empty file can be met")
	}
	if _, whole, unmet := Parse("bytes=-5", 0); whole || !unmet {
		t.Error("the end of an empty file can be sent")
	}
}

var oneRange = regexp.MustCompile(`^(?i:bytes)=[ \t]*([0-9]*)-([0-9]*)[ \t]*$`)

// FuzzParse compares with a model that counts in numbers without a bound.
func FuzzParse(f *testing.F) {
	for _, h := range []string{"bytes=0-0", "bytes=-5", "bytes=5-", "bytes=9223372036854775807-9223372036854775808", "bytes=1-2,3-4", "items=1-2", "bytes=-", "bytes=\t1-2\t"} {
		f.Add(h, int64(1000))
	}
	f.Add("bytes=-1", int64(0))
	f.Add("bytes=0-", int64(1<<62))
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		s, whole, unmet := Parse(header, size)
		if whole && unmet {
			t.Fatal("both whole and unmet")
		}
		if !whole && !unmet && (s.Off < 0 || s.N < 1 || s.N > size || s.Off > size-s.N) {
			t.Fatalf("%+v is not within %d", s, size)
		}
		m := oneRange.FindStringSubmatch(header)
		if m == nil || m[1] == "" && m[2] == "" {
			if !whole {
				t.Fatalf("%q is no range, yet it is taken for %+v", header, s)
			}
			return
		}
		number := func(s string) *big.Int { n, _ := new(big.Int).SetString("0"+s, 10); return n }
		n, one := big.NewInt(size), big.NewInt(1)
		first, last := number(m[1]), number(m[2])
		switch {
		case m[1] == "": // the last bytes
			first, last = new(big.Int).Sub(n, last), new(big.Int).Sub(n, one)
			if first.Sign() < 0 {
				first = new(big.Int)
			}
		case m[2] == "":
			last = new(big.Int).Sub(n, one)
		case last.Cmp(first) < 0:
			// Numbers above 2^63 are all the same to us, so 2^64+1 - 2^64 may pass
			// for a range that begins behind the end.
			if !whole && !(unmet && len(strings.TrimLeft(m[2], "0")) > 18) {
				t.Fatalf("%q runs backwards, yet it is taken for %+v", header, s)
			}
			return
		}
		if last.Cmp(n) >= 0 {
			last = new(big.Int).Sub(n, one)
		}
		if first.Cmp(n) >= 0 || last.Cmp(first) < 0 {
			if !unmet {
				t.Fatalf("%q of %d: %+v whole %v, want unmet", header, size, s, whole)
			}
			return
		}
		if want := (Span{first.Int64(), last.Int64() - first.Int64() + 1}); whole || unmet || s != want {
			t.Fatalf("%q of %d: %+v whole %v unmet %v, want %+v", header, size, s, whole, unmet, want)
		}
	})
}
