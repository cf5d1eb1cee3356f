package cli_test

import (
	"strings"
	"testing"
)

func TestSearchIsRebuilt(t *testing.T) {
	modes(t, func(t *testing.T, data string) {
		run(t, data, "", 0, "user", "add", "amy@example.org")
		run(t, data, "", 0, "user", "add", "zoe@example.org")
		if o := run(t, data, "", 0, "search", "rebuild"); !strings.HasSuffix(o.Stderr, "indexed anew: 2.\n") {
			t.Errorf("%+v", o)
		}
		if o := run(t, data, "", 0, "search", "rebuild", "--user", "zoe@example.org"); !strings.HasSuffix(o.Stderr, "indexed anew: 1.\n") {
			t.Errorf("%+v", o)
		}
		contains(t, "the error", run(t, data, "", 1, "search", "rebuild", "--user", "nobody@example.org").Stderr, "There is no user")
	})
}
