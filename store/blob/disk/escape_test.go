package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"picora/store/blob"
)

// A link planted in the tree, by hand or by a careless restore, leads nowhere.
func TestLinksDoNotLeadOutside(t *testing.T) {
	key := blob.NewKey(epoch)
	for _, c := range []struct {
		name string
		link string // in the store
		to   string // in a folder outside, which holds <2>/<key>
	}{
		{"a folder of days", filepath.Dir(home(key)), "."},
		{"a folder of minutes", home(key), key[4:6]},
		{"a blob", place(key), filepath.Join(key[4:6], key)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, dir := open(t)
			outside := t.TempDir()
			secret := filepath.Join(outside, key[4:6], key)
			write(t, secret, "secret")
			link := filepath.Join(dir, c.link)
			if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(outside, c.to), link); err != nil {
				t.Fatal(err)
			}

			if r, err := s.Open(t.Context(), key, 0, -1); err == nil {
				r.Close()
				t.Error("Open succeeded")
			}
			if _, err := s.Stat(t.Context(), key); err == nil {
				t.Error("Stat succeeded")
			}
			for info, err := range s.List(t.Context(), "", "") {
				t.Errorf("List gives %v, %v", info, err)
			}
			if _, err := s.Put(t.Context(), key, strings.NewReader("x")); err == nil {
				t.Error("Put succeeded")
			}
			s.Delete(t.Context(), key) // may remove the link, not what it leads to

			if b, err := os.ReadFile(secret); string(b) != "secret" || err != nil {
				t.Errorf("the file outside holds %q, %v", b, err)
			}
			wantFiles(t, filepath.Dir(secret), key)
			wantFiles(t, filepath.Join(dir, tempDir))
		})
	}
}

func TestPutDoesNotReplaceALink(t *testing.T) {
	s, dir := open(t)
	key := blob.NewKey(epoch)
	put(t, s, blob.NewKey(epoch), "makes the folder")
	if err := os.Symlink("/nowhere", filepath.Join(dir, place(key))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), key, strings.NewReader("x")); !errors.Is(err, blob.ErrExists) {
		t.Errorf("Put gives %v, want ErrExists", err)
	}
}

func TestOpenRefusesTreesThatLieOutside(t *testing.T) {
	for _, tree := range []string{blobsDir, tempDir} {
		dir, outside := t.TempDir(), t.TempDir()
		if err := os.Symlink(outside, filepath.Join(dir, tree)); err != nil {
			t.Fatal(err)
		}
		if s, err := Open(dir); err == nil {
			s.Close()
			t.Errorf("Open follows the link %s", tree)
		}
		wantFiles(t, outside)
	}
}
