package cli_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"picora/app/apptest"
	"picora/store"
	"picora/store/kv"
	"picora/store/kv/boltkv"
)

func TestThePlanOfAnAccountIsChosen(t *testing.T) {
	modes(t, func(t *testing.T, data string) {
		run(t, data, "", 0, "user", "add", "a@example.org", "--plan", "trial")
		run(t, data, "", 0, "user", "add", "b@example.org", "--unlimited")
		run(t, data, "", 0, "user", "add", "c@example.org", "--plan", "none")
		o := run(t, data, "", 1, "user", "add", "d@example.org", "--plan", "gold")
		contains(t, "the error", o.Stderr, `There is no plan "gold". There are none, trial, pro, pro_plus.`)
		for i, line := range strings.Split(strings.TrimSpace(run(t, data, "", 0, "user", "list").Stdout), "\n")[1:] {
			if want := []string{"trial", "unlimited", "none"}[i]; strings.Fields(line)[2] != want {
				t.Errorf("%q, want %s", line, want)
			}
		}
	})
}

func TestRecountPutsCountsRight(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p := apptest.Serve(t, data)
	p.Terminate()
	var ids []string
	for _, email := range []string{"amy@example.org", "zoe@example.org"} {
		ids = append(ids, strings.TrimSpace(run(t, data, "", 0, "user", "add", email).Stdout))
	}
	spoil := func() {
		t.Helper()
		db, err := boltkv.Open(filepath.Join(data, "picora.db"), boltkv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		c := store.Count{N: 3, Public: 1, Bytes: 4096}
		b, err := c.MarshalMsg(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Update(context.Background(), func(tx kv.Tx) error {
			for _, id := range ids {
				if err := tx.Put([]byte("mc"+id+"\x01"), b); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	const repaired = "amy@example.org: counted were 3 pictures (1 public) of 4096 bytes, there are 0 (0 public) of 0 bytes. Repaired.\n"
	check := func() {
		t.Helper()
		if o := run(t, data, "", 0, "recount", "--user", "amy@example.org"); o.Stdout != repaired || o.Stderr != "Accounts: 1. Wrong counts, now right: 1.\n" {
			t.Errorf("%+v", o)
		}
		if o := run(t, data, "", 0, "recount"); o.Stdout != strings.Replace(repaired, "amy", "zoe", 1) || o.Stderr != "Accounts: 2. Wrong counts, now right: 1.\n" {
			t.Errorf("%+v", o)
		}
		if o := run(t, data, "", 0, "recount"); o.Stdout != "" || o.Stderr != "Accounts: 2. Wrong counts, now right: 0.\n" {
			t.Errorf("%+v", o)
		}
		o := run(t, data, "", 1, "recount", "--user", "nobody@example.org")
		contains(t, "the error", o.Stderr, "There is no user")
	}
	spoil()
	check()
	spoil()
	apptest.Serve(t, data)
	check()
}
