package apptest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// goldenVariable makes the tests write their goldens instead of comparing:
//
//	PICORA_GOLDEN=write go test ./app/api
const goldenVariable = "PICORA_GOLDEN"

// Golden compares a JSON body with testdata/golden/name.json. What differs from
// run to run is made neutral first.
func Golden(t testing.TB, name string, body []byte) {
	t.Helper()
	got, err := Neutral(body)
	if err != nil {
		t.Errorf("golden %s: %v in %s", name, err, body)
		return
	}
	file := filepath.Join("testdata", "golden", name+".json")
	if os.Getenv(goldenVariable) == "write" {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Errorf("%v; write it with %s=write and read it before you keep it", err, goldenVariable)
		return
	}
	if !bytes.Equal(got, want) {
		t.Errorf("not as in %s (%s=write renews it)\ngot:\n%s\nwant:\n%s", file, goldenVariable, got, want)
	}
}

// neutral lists what differs from run to run, and what stands for it.
var neutral = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`http://(127\.0\.0\.1|localhost):[0-9]+`), `http://<host>`},
	{regexp.MustCompile(`<host>/[A-Za-z0-9_-]{11}\.`), `<host>/<image>.`},
	{regexp.MustCompile(`<host>/(audio|audio-cover|audio-peaks|audio-level|embed/audio|video|embed/video|doc|doc-cover)/[A-Za-z0-9_-]{21}`), `<host>/$1/<id>`},
	{regexp.MustCompile(`\?sig=[A-Za-z0-9_-]{43}&exp=[0-9]+`), `?sig=<signature>&exp=<seconds>`},
	{regexp.MustCompile(`\?exp=[0-9]+&sig=[A-Za-z0-9_-]{43}`), `?exp=<seconds>&sig=<signature>`},
	{regexp.MustCompile(`"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"`), `"<time>"`},
	{regexp.MustCompile(`"(exp|ts)": [0-9]+`), `"$1": 0`},
	{regexp.MustCompile(`"nextCursor": "[A-Za-z0-9_-]+"`), `"nextCursor": "<cursor>"`},
	{regexp.MustCompile(`"storageKey": "[^"]+"`), `"storageKey": "<key>"`},
	{regexp.MustCompile(`"[0-9a-f]{64}"`), `"<sha256>"`},
	{regexp.MustCompile(`"[0-9a-f]{16}"`), `"<request>"`},
	{regexp.MustCompile(`<host>/feed/[A-Za-z0-9_-]{21}`), `<host>/feed/<id>`},
	{regexp.MustCompile(`"[A-Za-z0-9_-]{21}"`), `"<id>"`},
	{regexp.MustCompile(`"(id|imageId)": "[A-Za-z0-9_-]{11}"`), `"$1": "<image>"`},
}

// Neutral indents a JSON body and replaces ids, times, addresses, signatures,
// cursors and hashes in it.
func Neutral(body []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(body), "", "  "); err != nil {
		return nil, err
	}
	out := b.Bytes()
	for _, n := range neutral {
		out = n.what.ReplaceAll(out, []byte(n.with))
	}
	return append(out, '\n'), nil
}
