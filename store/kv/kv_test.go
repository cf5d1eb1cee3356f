package kv_test

import (
	"bytes"
	"errors"
	"testing"

	"picora/store/kv"
)

func TestPrefixEnd(t *testing.T) {
	for _, c := range []struct{ prefix, end string }{
		{"", ""},
		{"a", "b"},
		{"user/", "user0"},
		{"a\xff", "b"},
		{"a\xff\xff", "b"},
		{"a\xffb", "a\xffc"},
		{"\x00", "\x01"},
		{"\xff", ""},
		{"\xff\xff", ""},
	} {
		prefix := []byte(c.prefix)
		end := kv.PrefixEnd(prefix)
		if string(end) != c.end || (c.end == "" && end != nil) {
			t.Errorf("PrefixEnd(%q) = %q, want %q", c.prefix, end, c.end)
		}
		if string(prefix) != c.prefix {
			t.Errorf("PrefixEnd(%q) changed its argument to %q", c.prefix, prefix)
		}
	}
}

func TestRangeContains(t *testing.T) {
	r := kv.Prefix([]byte("b"))
	for key, want := range map[string]bool{"a": false, "b": true, "b\xff": true, "bz": true, "c": false} {
		if r.Contains([]byte(key)) != want {
			t.Errorf("Prefix(b).Contains(%q) = %v", key, !want)
		}
	}
	if !(kv.Range{}).Contains([]byte{0xff}) {
		t.Error("the zero Range must hold every key")
	}
}

func TestCheckPut(t *testing.T) {
	for _, c := range []struct {
		key, value int
		want       error
	}{
		{1, 0, nil},
		{kv.MaxKey, kv.MaxValue, nil},
		{0, 1, kv.ErrEmptyKey},
		{kv.MaxKey + 1, 1, kv.ErrTooLarge},
		{1, kv.MaxValue + 1, kv.ErrTooLarge},
	} {
		err := kv.CheckPut(bytes.Repeat([]byte("k"), c.key), make([]byte, c.value))
		if !errors.Is(err, c.want) {
			t.Errorf("CheckPut(%d, %d bytes) = %v, want %v", c.key, c.value, err, c.want)
		}
	}
}
