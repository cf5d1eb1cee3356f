package fault

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"picora/media"
	"picora/store"
	"picora/store/blob"
)

func TestErrorsFromBelowGetACodeAndASentence(t *testing.T) {
	for _, c := range []struct {
		err  error
		code Code
		text string
	}{
		{fmt.Errorf("read: %w", store.ErrNotFound), NotFound, "There is no such thing here."},
		{blob.ErrNotFound, NotFound, "There is no such thing here."},
		{store.ErrExists, Conflict, "This exists already."},
		{fmt.Errorf("put: %w", blob.ErrNoSpace), StorageFull, "The server's disk is full. Ask its owner to make room."},
		{fmt.Errorf("walk: %w", media.Corrupt("the PNG is cut off")), Invalid, "The PNG is cut off."},
		{fmt.Errorf("commit: %w", syscall.ENOSPC), StorageFull, "The server's disk is full. Ask its owner to make room."},
		{media.Unsupported("AVIF is not supported yet."), Invalid, "AVIF is not supported yet."},
		{media.ErrCorrupt, Invalid, "This file cannot be taken."},
		{fmt.Errorf("outer: %w", New(Forbidden, "no %s", "way")), Forbidden, "no way"},
	} {
		f := From(c.err)
		if f.Code != c.code || f.Message != c.text {
			t.Errorf("%v: %s %q, want %s %q", c.err, f.Code, f.Message, c.code, c.text)
		}
	}
}

func TestAnUnforeseenErrorKeepsItsTextToItself(t *testing.T) {
	secret := errors.New("password is hunter2")
	f := From(secret)
	if f.Code != Internal || !errors.Is(f, secret) || From(nil) != nil {
		t.Fatal(f)
	}
	if want := "Something went wrong on the server. Its log has the reason under this request id."; f.Message != want {
		t.Fatalf("%q", f.Message)
	}
}
