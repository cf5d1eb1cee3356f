package app_test

import (
	"bytes"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/config"
	"picora/store/blob/blobtest"
)

// inBucket has a server keep its files in the bucket.
func inBucket(g *blobtest.S3) func(*config.Config) {
	return func(c *config.Config) {
		c.Blobs.Backend = "s3"
		c.S3 = config.S3{Endpoint: "http://" + g.Addr, Region: "us-east-1", Bucket: g.Bucket, Prefix: "picora/", AccessKey: g.Access, SecretKey: g.Secret, PathStyle: true, Serve: "proxy", CacheBytes: 8 << 20}
	}
}

// objects are what is in the bucket.
func objects(t testing.TB, g *blobtest.S3) (names []string) {
	t.Helper()
	err := filepath.WalkDir(g.Folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.Contains(path, "/.sgwtmp/") {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestPicturesAndSoundsInABucket(t *testing.T) {
	t.Parallel()
	g := blobtest.StartS3(t)
	p := apptest.StartWithWorkers(t, inBucket(g))
	picture := apptest.JPEG(1200, 800, 1)
	i := p.Add("a.jpg", picture)
	if n := len(objects(t, g)); n != 1 || len(p.Blobs()) != 0 {
		t.Errorf("%d objects, %d files", n, len(p.Blobs()))
	}
	if r := p.Do("GET", "/v1/images/"+i.ID+"/original", nil); r.Status != 200 || !bytes.Equal(r.Body, picture) {
		t.Errorf("the original: %d, %d bytes", r.Status, len(r.Body))
	}
	r := p.Do("GET", i.URL, nil, "Authorization", "")
	if r.Status != 200 || r.Header.Get("Content-Type") != "image/jpeg" || len(r.Body) < 1000 {
		t.Errorf("the link: %d %v", r.Status, r.Header)
	}
	part := p.Do("GET", i.URL, nil, "Authorization", "", "Range", "bytes=100-299")
	if part.Status != 206 || !bytes.Equal(part.Body, r.Body[100:300]) {
		t.Errorf("a part: %d, %d bytes", part.Status, len(part.Body))
	}
	if v := p.Do("GET", i.URL+"?variant=thumb", nil, "Authorization", ""); v.Status != 200 || len(v.Body) == 0 || len(v.Body) >= len(r.Body) {
		t.Errorf("a small one: %d, %d bytes", v.Status, len(v.Body))
	}
	if again := p.Upload("b.jpg", picture); again.Status != 200 || again.Header.Get("X-Picora-Duplicate") != "true" {
		t.Errorf("the same bytes again: %d", again.Status)
	}
	if bad := p.Upload("b.jpg", picture[:500]); bad.Status != 422 || len(objects(t, g)) != 1 {
		t.Errorf("a picture that is cut off: %d, %d objects", bad.Status, len(objects(t, g)))
	}
	p.Restart()
	if r := p.Do("GET", "/v1/images/"+i.ID+"/original", nil); r.Status != 200 || !bytes.Equal(r.Body, picture) {
		t.Errorf("after a restart: %d, %d bytes", r.Status, len(r.Body))
	}
	sound := apptest.WAV(2, 1, 5)
	body, kind := apptest.Parts{apptest.File("a.wav", sound)}.Encode()
	a := p.Do("POST", "/v1/audio", bytes.NewReader(body), "Content-Type", kind)
	var s struct{ ID, URL string }
	a.Data(t, &s)
	if r := p.Do("GET", s.URL, nil, "Authorization", "", "Range", "bytes=44-"); r.Status != 206 || !bytes.Equal(r.Body, sound[44:]) {
		t.Errorf("the sound: %d, %d bytes", r.Status, len(r.Body))
	}
	for until := time.Now().Add(5 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if r := p.Do("GET", "/v1/audio/"+s.ID+"/waveform", nil); r.Status == 200 {
			break
		}
		if time.Now().After(until) {
			t.Fatal("the sound gets no waveform")
		}
	}
	for _, path := range []string{"/v1/audio/" + s.ID, "/v1/images/" + i.ID} {
		if r := p.Do("DELETE", path, nil); r.Status/100 != 2 {
			t.Errorf("%s: %d %s", path, r.Status, r.Body)
		}
	}
	for until := time.Now().Add(time.Minute); len(objects(t, g)) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("left are %v", objects(t, g))
		}
	}
}

func TestABucketThatIsAwayForAWhile(t *testing.T) {
	t.Parallel()
	g := blobtest.StartS3(t)
	p := apptest.Start(t, inBucket(g))
	picture := apptest.PNG(600, 400, 3)
	i := p.Add("a.png", picture)
	p.Add("c.png", apptest.PNG(30, 30, 5)) // stays: this server removes an empty folder, also beneath an upload into it
	g.Stop()
	if r := p.Upload("b.png", apptest.PNG(30, 30, 4)); r.Status != http.StatusServiceUnavailable || r.Code() != "SERVER_BUSY" || !strings.Contains(string(r.Body), "storage") || r.Header.Get("Retry-After") == "" {
		t.Errorf("an upload: %d %s", r.Status, r.Body)
	}
	if r := p.Do("GET", "/v1/images/"+i.ID+"/original", nil); r.Status != http.StatusServiceUnavailable {
		t.Errorf("a file: %d %s", r.Status, r.Body)
	}
	if r := p.Do("GET", "/v1/images", nil); r.Status != 200 || strings.Count(string(r.Body), `"filename"`) != 4 { // two, under items and under images
		t.Errorf("the list: %d %s", r.Status, r.Body)
	}
	if r := p.Do("DELETE", "/v1/images/"+i.ID, nil); r.Status != 200 { // its bytes go later
		t.Errorf("%d %s", r.Status, r.Body)
	}
	g.Start()
	p.Add("b.png", apptest.PNG(30, 30, 4))
	p.Restart()
	for until := time.Now().Add(time.Minute); len(objects(t, g)) > 2; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("left are %v", objects(t, g))
		}
	}
}
