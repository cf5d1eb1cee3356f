package app_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/library"
	"picora/app/scrub"
	"picora/store"
	"picora/store/blob"
)

// scrubbed has a Picora's files checked and returns the run at its end.
func scrubbed(t testing.TB, p *apptest.Picora, repair bool) (*scrub.Run, store.Findings) {
	t.Helper()
	ctx := t.Context()
	s, err := p.Control().StartScrub(ctx, repair)
	if err != nil {
		t.Fatal(err)
	}
	return scrubEnd(t, p, s.State.Run.Began)
}

// scrubEnd waits for the end of the run that began then.
func scrubEnd(t testing.TB, p *apptest.Picora, began time.Time) (*scrub.Run, store.Findings) {
	t.Helper()
	for until := time.Now().Add(5 * time.Minute); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		s, err := p.Control().Scrub(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if r := s.State.Last; s.State.Run == nil && r != nil && r.Began.Equal(began) {
			if r.Error != "" || r.Stopped {
				t.Fatalf("the check ended with %+v", r)
			}
			return r, s.Found
		}
	}
	t.Fatal("the check does not end")
	return nil, store.Findings{}
}

// blobFile is where a blob is on the disk.
func blobFile(p *apptest.Picora, key string) string {
	return filepath.Join(p.Data, "blobs", key[:4], key[4:6], key)
}

// spoil changes a byte of a blob, or cuts it, or takes it away.
func spoil(t testing.TB, p *apptest.Picora, key, how string) {
	t.Helper()
	file := blobFile(p, key)
	b, err := os.ReadFile(file)
	if err == nil {
		switch err = os.Remove(file); how {
		case "flip":
			b[len(b)/2] ^= 1
		case "cut":
			b = b[:len(b)-1]
		}
	}
	if err == nil && how != "delete" {
		err = os.WriteFile(file, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// only fails when the findings are others than those, each a problem, a role and a name.
func only(t testing.TB, p *apptest.Picora, want ...string) {
	t.Helper()
	page, err := p.Control().Findings(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, f := range page.Items {
		got[strings.TrimSpace(f.Problem+" "+f.Role+" "+f.Name)]++
	}
	for _, w := range want {
		got[w]--
	}
	for what, n := range got {
		if n != 0 {
			t.Errorf("%+d times %q; all: %+v", n, what, page.Items)
		}
	}
}

// smallPDF is a page with a few words.
const smallPDF = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
	"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj\n" +
	"4 0 obj<</Length 44>>stream\nBT /F1 18 Tf 20 100 Td (Hello scrub) Tj ET  \nendstream endobj\n5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n" +
	"trailer<</Root 1 0 R>>\n%%EOF\n"

func TestDamagedFilesAreFoundAndPutRight(t *testing.T) {
	t.Parallel()
	p := apptest.StartWithWorkers(t, fewSizes)
	admin := p.Admin("root@example.org")
	s, ctx := p.App.Store(), t.Context()
	p.NewUser("other@example.org")
	others := p.NewKey("other@example.org")
	as := func(key, path, name string, data []byte, fields ...apptest.Part) string {
		t.Helper()
		r := p.Ask(t, apptest.Scenario{As: key, Method: "POST", URL: path, Body: append(apptest.Parts(fields), apptest.File(name, data))})
		var made struct{ ID string }
		if r.Data(t, &made); r.Status/100 != 2 {
			t.Fatalf("%s: %d %s", name, r.Status, r.Body)
		}
		return made.ID
	}
	record := func(id string) store.Media {
		t.Helper()
		m, err := s.Media(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	shared, lone := apptest.JPEG(300, 200, 1), apptest.JPEG(300, 200, 2)
	mine, thrown := as("", "/v1/images", "shared.jpg", shared), as("", "/v1/images", "thrown.jpg", apptest.PNG(60, 60, 3))
	as(others, "/v1/images", "same.jpg", shared)
	as(others, "/v1/images", "also.jpg", apptest.PNG(60, 60, 3))
	alone := as("", "/v1/images", "alone.jpg", lone)
	heic := as("", "/v1/images", "a.heic", fixture(t, "av/testdata/patches.heic"))
	pdf := as("", "/v1/docs", "a.pdf", []byte(smallPDF))
	song := as("", "/v1/audio", "a.wav", apptest.WAV(2, 1, 5))
	mp3 := apptest.Encode(t, "a.mp3", 2, "lame", "--quiet", "-t", "IN", "OUT")
	tune := as("", "/v1/audio", "tune.mp3", apptest.WithCover(mp3, "image/png", apptest.PNG(300, 300, 7)))
	film := addClip(t, p, "film.mp4", clip(t, "a.mp4", 2, "426x240", 0)).ID
	becomes(t, p, film, ready)
	heard := func(id string) {
		t.Helper()
		for until := time.Now().Add(10 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
			m := record(id)
			if !m.Unheard() {
				return
			}
			if time.Now().After(until) {
				t.Fatalf("%s is not measured, or not made as loud as wished: %+v", id, m.Sound)
			}
		}
	}
	if r := p.Do("POST", "/v1/audio/"+tune+"/normalize", nil); r.Status != 202 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	heard(song)
	heard(tune)
	portrait := func(seed uint64) {
		t.Helper()
		p.Play(t, apptest.Scenario{Method: "POST", URL: "/v1/user/me/avatar", Body: apptest.Parts{apptest.File("me.png", apptest.PNG(80, 80, seed))}, Status: 200})
	}
	portrait(8)
	r := p.JSON("POST", "/v1/watermarks", map[string]any{"kind": "picture", "name": "mark", "imageId": alone})
	if r.Status != 201 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	if r := p.Do("DELETE", "/v1/images/"+thrown+"?trash=true", nil); r.Status != 200 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	gone, err := s.TrashedMedia(ctx, p.User, thrown)
	if err != nil {
		t.Fatal(err)
	}

	// All is well, and the sums of what was made are kept.
	run, found := scrubbed(t, p, false)
	if found.All() != 0 || run.Fresh != 0 || run.Files < 18 || run.Read != run.Files {
		t.Fatalf("%+v, %+v", run, found)
	}
	var marks []store.Watermark
	if marks, err = s.Watermarks(ctx, p.User); err != nil || len(marks) != 1 {
		t.Fatal(marks, err)
	}
	part := func(id, name string) string {
		t.Helper()
		m := record(id)
		x, there := m.Part(name)
		if !there {
			t.Fatalf("%s has no %s: %+v", id, name, m.Parts)
		}
		return x.Blob
	}
	orphan := blob.NewKey(time.Now())
	if _, err := p.App.Blobs().Put(ctx, orphan, strings.NewReader("nobody's")); err != nil {
		t.Fatal(err)
	}
	before := map[string]store.Media{}
	for _, id := range []string{mine, alone, heic, pdf, song, tune, film} {
		before[id] = record(id)
	}
	picture := p.Do("GET", "/v1/images/"+heic+"/original", nil).Body
	spoil(t, p, before[mine].Blob, "flip")
	spoil(t, p, gone.Blob, "delete")
	spoil(t, p, before[alone].Blob, "cut")
	spoil(t, p, before[heic].Blob, "flip")
	spoil(t, p, part(pdf, store.CoverPart), "delete")
	spoil(t, p, part(pdf, store.TextPart), "flip")
	spoil(t, p, part(song, store.PeaksPart), "flip")
	spoil(t, p, part(tune, store.CoverPart), "flip")
	spoil(t, p, part(tune, store.SoundPart), "delete")
	spoil(t, p, part(film, "180p"), "flip")
	spoil(t, p, part(film, store.BoardPart), "delete")
	spoil(t, p, marks[0].Blob, "flip")
	me, err := s.User(ctx, p.User)
	if err != nil {
		t.Fatal(err)
	}
	spoil(t, p, me.Avatar, "cut")

	// A look changes nothing.
	_, found = scrubbed(t, p, false)
	if found.Missing != 4 || found.Corrupt != 9 || found.Orphans != 1 || found.Binned != 0 {
		t.Errorf("%+v", found)
	}
	all := []string{
		"corrupt file shared.jpg", "missing file thrown.jpg", "corrupt file alone.jpg", "corrupt file a.heic", "missing cover a", "corrupt text a",
		"corrupt peaks a.wav", "corrupt 180p film.mp4", "missing board film.mp4", "corrupt watermark mark", "orphan",
		"corrupt cover tune.mp3", "missing sound tune.mp3", "corrupt avatar " + me.Email,
	}
	only(t, p, all...)
	if n := p.Metric(t, `picora_damaged_files{problem="corrupt"}`); n != 9 {
		t.Errorf("%g damaged files are counted", n)
	}
	const told = "Missing: 4, damaged: 9, belonging to nobody: 1."
	var note apptest.Response
	if !eventually(func() bool { // told a moment behind the end
		note = p.Play(t, apptest.Scenario{As: admin, URL: "/v1/notifications", Status: 200})
		return strings.Contains(string(note.Body), told)
	}) {
		t.Errorf("nobody is told: %s", note.Body)
	}
	if n := strings.Count(string(note.Body), "A check of the files"); n != 2 { // under items and under notifications
		t.Errorf("the notifications have it %d times", n)
	}

	// The picture of which there is no other copy stays damaged, and with it the mark that was made of it; so does the one of
	// the account, whose own file nobody has.
	run, found = scrubbed(t, p, true)
	if run.Fresh != 0 || run.Repaired != 9 || found.Corrupt != 3 || found.Missing != 0 || found.Binned != 1 {
		t.Errorf("%+v, %+v", run, found)
	}
	only(t, p, "corrupt file alone.jpg", "corrupt watermark mark", "corrupt avatar "+me.Email, "orphan")
	portrait(9)
	if r := p.Do("GET", "/v1/images/"+mine+"/original", nil); !bytes.Equal(r.Body, shared) {
		t.Errorf("the copied picture: %d, %d bytes", r.Status, len(r.Body))
	}
	if r := p.Do("POST", "/v1/trash/"+thrown+"/restore", nil); r.Status != 200 {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if r := p.Do("GET", "/v1/images/"+thrown+"/original", nil); !bytes.Equal(r.Body, apptest.PNG(60, 60, 3)) {
		t.Errorf("the picture from the trash: %d, %d bytes", r.Status, len(r.Body))
	}
	if r := p.Do("GET", "/v1/images/"+heic+"/original", nil); !bytes.Equal(r.Body, picture) || record(heic).Blob == before[heic].Blob {
		t.Errorf("the picture that was made anew: %d, %d bytes", r.Status, len(r.Body))
	}
	heard(song)
	heard(tune)
	becomes(t, p, film, ready)
	for id, names := range map[string][]string{pdf: {store.CoverPart, store.TextPart}, song: {store.PeaksPart}, tune: {store.CoverPart, store.SoundPart}, film: {"180p", "240p", store.BoardPart, store.FilePart}} {
		for _, name := range names {
			was := before[id]
			old, _ := was.Part(name)
			if key := part(id, name); key == old.Blob {
				t.Errorf("%s of %s is the old one", name, id)
			} else if _, err := p.App.Blobs().Stat(ctx, key); err != nil {
				t.Error(err)
			}
		}
	}
	if tracks, _ := trackNames(new(record(film))); tracks != "144p 180p 240p sound-1" {
		t.Errorf("the film has %s", tracks)
	}
	// Somebody puts the picture back from a backup: then the mark can be made anew.
	if err := os.WriteFile(blobFile(p, before[alone].Blob), lone, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, found = scrubbed(t, p, true); found.All() != 1 {
		t.Errorf("%+v", found)
	}
	only(t, p, "orphan")

	// What is nobody's goes after 30 days, unless somebody has it then.
	p.Advance(scrub.Kept - time.Hour)
	if run, _ = scrubbed(t, p, true); run.Deleted != 0 {
		t.Errorf("%+v", run)
	}
	p.Advance(2 * time.Hour)
	if run, _ = scrubbed(t, p, true); run.Deleted != 1 {
		t.Errorf("%+v", run)
	}
	for until := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(blobFile(p, orphan)); os.IsNotExist(err) {
			break
		}
		if time.Now().After(until) {
			t.Fatal("the orphan stays")
		}
	}
	if run, found = scrubbed(t, p, true); found.All() != 0 || run.Fresh != 0 {
		t.Errorf("%+v, %+v", run, found)
	}
}

// one takes a picture through the library, and deletes it again or not.
func one(ctx context.Context, p *apptest.Picora, seed uint64, remove bool) error {
	b := apptest.PNG(20, 20, seed)
	m, fresh, err := p.App.Library().Add(ctx, library.Upload{User: p.User, Kind: store.Image, Filename: fmt.Sprint(seed, ".png"), Body: bytes.NewReader(b), Length: int64(len(b))})
	if err == nil && !fresh {
		err = fmt.Errorf("%d is there already", seed)
	}
	if err == nil && remove {
		_, err = p.App.Library().Remove(ctx, p.User, m.ID)
	}
	return err
}

// Files that come and go while they are checked are not taken for orphans, nor missed; and a
// restart in the middle goes on.
func TestFilesAreCheckedWhileTheyComeAndGo(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	for n := range 4 {
		senders.Go(func() {
			for i := uint64(0); ctx.Err() == nil && i < 2000; i++ {
				if err := one(ctx, p, uint64(n)*10_000+i, i%3 != 0); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 10 {
		if run, found := scrubbed(t, p, true); found.All() != 0 || run.Fresh != 0 || run.Repaired != 0 {
			only(t, p)
			t.Errorf("%+v, %+v", run, found)
		}
	}
	cancel()
	senders.Wait()
	s, err := p.Control().StartScrub(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	p.Restart()
	if run, found := scrubEnd(t, p, s.State.Run.Began); found.All() != 0 || run.Files == 0 || run.Read < run.Files {
		t.Errorf("%+v, %+v", run, found)
	}
}

// One that is missing, one that is damaged and one that is nobody's are found among many.
func TestThreeAmongMany(t *testing.T) {
	t.Parallel()
	const many = 700 // more than a portion
	p := apptest.Start(t)
	other := p.NewUser("other@example.org")
	ctx := t.Context()
	var senders sync.WaitGroup
	for n := range 16 {
		senders.Go(func() {
			for i := n; i < many; i += 16 {
				if err := one(ctx, p, uint64(i), false); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	senders.Wait()
	var damaged []store.Media
	page, err := p.App.Store().ListMedia(ctx, p.User, store.Query{Kind: store.Image, Limit: 200})
	if err != nil || len(page.Items) != 200 {
		t.Fatal(len(page.Items), err)
	}
	for _, i := range []int{20, 150} {
		m := page.Items[i]
		damaged = append(damaged, m)
		r, err := p.App.Blobs().Open(ctx, m.Blob, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		r.Close()
		if err == nil { // another user has the same
			_, _, err = p.App.Library().Add(ctx, library.Upload{User: other, Kind: store.Image, Filename: "b.png", Body: bytes.NewReader(b)})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	spoil(t, p, damaged[0].Blob, "delete")
	spoil(t, p, damaged[1].Blob, "flip")
	if _, err := p.App.Blobs().Put(ctx, blob.NewKey(blob.Time(damaged[0].Blob).Add(time.Millisecond)), strings.NewReader("nobody's")); err != nil {
		t.Fatal(err)
	}
	run, found := scrubbed(t, p, true)
	if run.Files != many+1 || run.Read != many+2 || run.Fresh != 3 || run.Repaired != 2 || found.All() != 1 || found.Binned != 1 {
		t.Errorf("%+v, %+v", run, found)
	}
	if run, found := scrubbed(t, p, false); run.Files != many+2 || run.Fresh != 0 || found.All() != 1 {
		t.Errorf("%+v, %+v", run, found)
	}
}
