package settings_test

import (
	"context"
	"testing"

	"picora/app/config"
	"picora/app/settings"
	"picora/store"
	"picora/store/kv/memkv"
)

func TestOnlyWhatWasSetIsKept(t *testing.T) {
	ctx := context.Background()
	s, err := store.Open(ctx, memkv.New(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	open := func(registration, plan string) *settings.Settings {
		t.Helper()
		v, err := settings.Open(ctx, s, config.Accounts{Registration: registration, Plan: plan})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	want := func(v *settings.Settings, registration, plan, name string) {
		t.Helper()
		if got := v.Live(); got != (settings.Live{Registration: registration, Plan: plan, Name: name}) {
			t.Errorf("%+v, want %s, %s, %q", got, registration, plan, name)
		}
	}
	change := func(v *settings.Settings, c settings.Change) {
		t.Helper()
		before := v.Live()
		if old, now, err := v.Change(ctx, c); err != nil || old != before || now != v.Live() {
			t.Errorf("%+v %+v %v", old, now, err)
		}
	}
	v := open("closed", "pro")
	want(v, "closed", "pro", "")
	plan, name, empty := "trial", "Ours", ""
	change(v, settings.Change{Plan: &plan})
	want(v, "closed", "trial", "")
	want(open("open", "pro_plus"), "open", "trial", "") // the configuration changed
	v = open("invite", "pro")
	change(v, settings.Change{Name: &name})
	want(open("open", "pro"), "open", "trial", "Ours")
	change(v, settings.Change{Name: &empty})
	want(open("open", "pro"), "open", "trial", "")
	change(v, settings.Change{})
	want(open("open", "pro"), "open", "trial", "")
	if err := v.Set(ctx, settings.Live{Registration: "closed", Plan: "none", Name: "x"}); err != nil {
		t.Fatal(err)
	}
	want(v, "closed", "none", "x")
	want(open("open", "pro"), "closed", "none", "x")
}

func TestAChangeThatIsNotWrittenIsNotInForce(t *testing.T) {
	s, err := store.Open(context.Background(), memkv.New(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	v, err := settings.Open(context.Background(), s, config.Accounts{Registration: "closed", Plan: "pro"})
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(context.Background())
	end()
	open := "open"
	if _, now, err := v.Change(ended, settings.Change{Registration: &open}); err == nil || now.Registration != "closed" || v.Live() != now {
		t.Errorf("%+v %v, in force is %+v", now, err, v.Live())
	}
}
