package cli_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/store/blob"
)

func TestScrubFindsWhatIsWrong(t *testing.T) {
	for _, running := range []bool{true, false} {
		data := filepath.Join(t.TempDir(), "data")
		p := apptest.Serve(t, data)
		run(t, data, "", 0, "user", "add", "amy@example.org", "--unlimited")
		key := strings.TrimSpace(run(t, data, "", 0, "key", "add", "--user", "amy@example.org", "--name", "k").Stdout)
		for seed, name := range []string{"good.png", "lost.png"} {
			body, kind := apptest.Form(name, apptest.PNG(30, 30, uint64(seed)))
			r, err := http.NewRequest("POST", p.URL+"/v1/images", bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+key)
			r.Header.Set("Content-Type", kind)
			res, err := http.DefaultClient.Do(r)
			if err != nil || res.StatusCode != http.StatusCreated {
				t.Fatal(res, err)
			}
			res.Body.Close()
		}
		if !running {
			p.Terminate()
		}
		if o := run(t, data, "", 0, "scrub"); o.Stdout != "" || !strings.HasPrefix(o.Stderr, "Files: 2 (") || !strings.Contains(o.Stderr, "read: 2. Missing: 0, damaged: 0, nobody's: 0") {
			t.Errorf("%+v", o)
		}
		files, err := filepath.Glob(filepath.Join(data, "blobs", "*", "*", "*"))
		if err != nil || len(files) != 2 {
			t.Fatal(files, err)
		}
		lost, err := os.ReadFile(files[1]) // they sort by time
		if err != nil {
			t.Fatal(err)
		}
		orphan := filepath.Join(filepath.Dir(files[0]), filepath.Base(files[0])[:6]+blob.NewKey(time.Now())[6:])
		if err := os.Rename(files[1], orphan); err != nil {
			t.Fatal(err)
		}
		o := run(t, data, "", 1, "scrub")
		contains(t, "stdout", o.Stdout, `missing   file of "lost.png" (`, "of amy@example.org", "orphan    blob "+filepath.Base(orphan))
		contains(t, "stderr", o.Stderr, "Missing: 1, damaged: 0, nobody's: 1", "picora scrub --repair")
		// What is nobody's has the same bytes.
		o = run(t, data, "", 0, "scrub", "--repair")
		contains(t, "stdout", o.Stdout, "which was missing: copied", "orphan    blob "+filepath.Base(orphan), "kept until 2")
		contains(t, "stderr", o.Stderr, "Missing: 0, damaged: 0, nobody's: 1", "Repaired: 1")
		files, err = filepath.Glob(filepath.Join(data, "blobs", "*", "*", "*"))
		if err != nil || len(files) != 3 {
			t.Fatal(files, err)
		}
		if b, err := os.ReadFile(files[2]); err != nil || !bytes.Equal(b, lost) {
			t.Errorf("the copy has %d bytes, %v", len(b), err)
		}
	}
	o := run(t, filepath.Join(t.TempDir(), "none"), "", 1, "scrub")
	contains(t, "stderr", o.Stderr, "there is no Picora in")
}
