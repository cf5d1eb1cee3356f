package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/config"
	"picora/store"
)

// sound is the wire's audio file, as far as tests read it.
type sound struct {
	ID, Type, URL, Filename, MIMEType, Title, ThumbnailURL, Status, EmbedURL string
	DurationSeconds                                                          *float64
	Bitrate, Channels, SampleRate                                            *int
	Codec                                                                    *string
	SizeBytes                                                                int64
	IsPublic                                                                 bool
	Tags                                                                     struct {
		Title, Artist, Album, Genre *string
		Track, Year                 *int
		Chapters                    []struct {
			Start, End float64
			Title      string
		}
	}
	Labels        []string
	Loudness      *struct{ Integrated, TruePeak float64 }
	WaveformURL   *string
	NormalizedURL *string
	Normalization *struct {
		Status     string
		TargetLufs float64
		SizeBytes  *int64
	}
	KBID                 *string `json:"kbId"`
	CreatedAt, UpdatedAt string
}

// studio starts a Picora whose owner is on the plan pro, with its workers.
func studio(t *testing.T, edit ...func(*config.Plan)) *apptest.Picora {
	t.Helper()
	p := apptest.StartWithWorkers(t, func(c *config.Config) {
		c.Server.InternalToken = internalToken
		plan := c.Plans["pro"]
		for _, e := range edit {
			e(&plan)
		}
		c.Plans["pro"] = plan
	})
	p.User = p.NewUserOn("pro", "pro@example.org")
	p.Key = p.NewKey("pro@example.org")
	return p
}

// addSound uploads an audio file that must be taken.
func addSound(t testing.TB, p *apptest.Picora, name string, data []byte, fields ...apptest.Part) (s sound) {
	t.Helper()
	r := p.Play(t, scenario{Method: "POST", URL: "/v1/audio", Body: append(parts{apptest.File(name, data)}, fields...), Status: 201})
	r.Data(t, &s)
	return s
}

// picturePath writes a PNG and returns its path.
func picturePath(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cover.png")
	if err := os.WriteFile(file, apptest.PNG(600, 400, 7), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAnAudioFileIsAsTheContractSays(t *testing.T) {
	p := studio(t)
	r := p.Play(t, scenario{Method: "POST", URL: "/v1/audio", Status: 201, Golden: "audio-created",
		Body: parts{apptest.File("take one.wav", apptest.WAV(2, 2, 1)), apptest.Field("title", "Episode 12 — Intro"), apptest.Field("tags", "demo, voice")}})
	var s sound
	r.Data(t, &s)
	settled(t, p, s.ID, func(s sound) bool { return s.Loudness != nil })
	p.Run(t,
		scenario{Name: "it is there", URL: "/v1/audio/" + s.ID, Status: 200, Golden: "audio-measured"},
		scenario{Name: "nothing is changed", Method: "PATCH", URL: "/v1/audio/" + s.ID, Body: `{}`, Status: 200, Golden: "audio-measured"},
		scenario{Name: "no body at all", Method: "PATCH", URL: "/v1/audio/" + s.ID, Status: 200, Golden: "audio-measured"},
		scenario{Name: "a title, and private", Method: "PATCH", URL: "/v1/audio/" + s.ID, Body: `{"title":"New title","is_public":false}`, Status: 200, Golden: "audio-private"},
		scenario{Name: "public again, by the other spelling", Method: "PATCH", URL: "/v1/audio/" + s.ID, Body: `{"isPublic":true,"title":null}`, Status: 200, Has: []string{`"title":"take one.wav"`, `"isPublic":true`}},
		scenario{Name: "too long a title", Method: "PATCH", URL: "/v1/audio/" + s.ID, Body: object{"title": strings.Repeat("x", 256)}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "the same again", Method: "POST", URL: "/v1/audio", Body: parts{apptest.File("b.wav", apptest.WAV(2, 2, 1))}, Status: 200, Has: []string{s.ID},
			Check: func(t testing.TB, r apptest.Response) {
				if r.Header.Get("X-Picora-Duplicate") != "true" {
					t.Error("it is not called a duplicate")
				}
			}},
		scenario{Name: "counted", URL: "/v1/user/me/usage", Status: 200, Has: []string{`"audio":{"storageUsed":352844,"totalCount":1}`}},
		scenario{Name: "no picture", URL: "/v1/images/" + s.ID, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "what services beside it ask", As: apptest.Nobody, URL: "/v1/audio/" + s.ID + "/public-meta", Headers: []string{"X-Internal-Token", internalToken}, Status: 200, Has: []string{`"audio/wav"`}},
		scenario{Name: "into the trash", Method: "DELETE", URL: "/v1/audio/" + s.ID + "?trash=true", Status: 204},
		scenario{Name: "not there", URL: "/v1/audio/" + s.ID, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "out of the trash", Method: "POST", URL: "/v1/trash/" + s.ID + "/restore", Status: 200},
		scenario{Name: "in the list", URL: "/v1/media?type=audio", Status: 200, Has: []string{s.ID}},
		scenario{Name: "as any kind", URL: "/v1/media/" + s.ID, Status: 200, Has: []string{s.ID, `"type":"audio"`}},
		scenario{Name: "gone", Method: "DELETE", URL: "/v1/audio/" + s.ID, Status: 204},
		scenario{Name: "not there any more", URL: "/v1/audio/" + s.ID, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "and cannot go again", Method: "DELETE", URL: "/v1/audio/" + s.ID, Status: 404, Code: "NOT_FOUND"},
	)
	for _, u := range []string{s.URL, s.ThumbnailURL} {
		if r := p.Do("GET", u, nil, "Authorization", ""); r.Status != 404 {
			t.Errorf("%s is still there: %d", u, r.Status)
		}
	}
}

func TestEveryTypeOfSoundIsTaken(t *testing.T) {
	p := studio(t)
	tags := []string{"-metadata", "title=A song", "-metadata", "artist=Somebody", "-metadata", "album=A record", "-metadata", "track=3", "-metadata", "date=2024"}
	ffmpeg := func(args ...string) []string {
		return append(append([]string{"ffmpeg", "-v", "error", "-i", "IN"}, args...), append(tags, "OUT")...)
	}
	for _, c := range []struct {
		name, mime, codec string
		bytes             []byte
		tagged            bool
		kbps              int // 0: any
	}{
		{"cbr.mp3", "audio/mpeg", "mp3", apptest.Encode(t, "a.mp3", 3, "lame", "--quiet", "-b", "128", "--tt", "A song", "--ta", "Somebody", "--tl", "A record", "--tn", "3", "--ty", "2024", "IN", "OUT"), true, 128},
		{"vbr without a header.mp3", "audio/mpeg", "mp3", apptest.Encode(t, "a.mp3", 3, "lame", "--quiet", "-V", "2", "-t", "IN", "OUT"), false, 0},
		{"aac.m4a", "audio/mp4", "aac", apptest.Encode(t, "a.m4a", 3, ffmpeg("-c:a", "aac", "-b:a", "128k")...), true, 0},
		{"alac.m4a", "audio/mp4", "alac", apptest.Encode(t, "a.m4a", 3, ffmpeg("-c:a", "alac")...), true, 0},
		{"a.flac", "audio/flac", "flac", apptest.Encode(t, "a.flac", 3, "flac", "-s", "-T", "TITLE=A song", "-T", "ARTIST=Somebody", "-T", "ALBUM=A record", "-T", "TRACKNUMBER=3", "-T", "DATE=2024", "-o", "OUT", "IN"), true, 0},
		{"vorbis.ogg", "audio/ogg", "vorbis", apptest.Encode(t, "a.ogg", 3, "oggenc", "-Q", "-t", "A song", "-a", "Somebody", "-l", "A record", "-N", "3", "-d", "2024", "-o", "OUT", "IN"), true, 0},
		{"opus.ogg", "audio/ogg", "opus", apptest.Encode(t, "a.opus", 3, "opusenc", "--quiet", "--title", "A song", "--artist", "Somebody", "--album", "A record", "--comment", "TRACKNUMBER=3", "--date", "2024", "IN", "OUT"), true, 0},
		{"16.wav", "audio/wav", "pcm_s16le", apptest.WAV(3, 1, 0), false, 706},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := addSound(t, p, c.name, c.bytes)
			if s.MIMEType != c.mime || s.Codec == nil || *s.Codec != c.codec || s.SizeBytes != int64(len(c.bytes)) || s.Title != c.name || s.Status != "ready" || s.Type != "audio" {
				t.Errorf("%+v", s)
			}
			if s.DurationSeconds == nil || math.Abs(*s.DurationSeconds-3) > 0.1 {
				t.Errorf("it lasts %v", s.DurationSeconds)
			}
			if s.Bitrate == nil || c.kbps != 0 && math.Abs(float64(*s.Bitrate-c.kbps)) > 0.02*float64(c.kbps) {
				t.Errorf("its bit rate is %v", s.Bitrate)
			}
			if c.tagged && (text(s.Tags.Title) != "A song" || text(s.Tags.Artist) != "Somebody" || text(s.Tags.Album) != "A record" || s.Tags.Track == nil || *s.Tags.Track != 3 || s.Tags.Year == nil || *s.Tags.Year != 2024) {
				t.Errorf("its tags are %+v", s.Tags)
			}
			r := p.Do("GET", s.URL, nil, "Authorization", "")
			if r.Status != 200 || r.Header.Get("Content-Type") != c.mime || !bytes.Equal(r.Body, c.bytes) {
				t.Errorf("its file: %d %s, %d bytes", r.Status, r.Header.Get("Content-Type"), len(r.Body))
			}
			if r := p.Do("GET", s.URL, nil, "Authorization", "", "Range", "bytes=100-199"); r.Status != 206 || !bytes.Equal(r.Body, c.bytes[100:200]) {
				t.Errorf("a part of its file: %d, %d bytes", r.Status, len(r.Body))
			}
			if r := p.Do("GET", s.ThumbnailURL, nil, "Authorization", ""); r.Status != 200 || r.Header.Get("Content-Type") != "image/svg+xml" {
				t.Errorf("its picture: %d %s", r.Status, r.Header.Get("Content-Type"))
			}
		})
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func TestTheCoverIsMadeAnew(t *testing.T) {
	p := studio(t)
	cover := apptest.JPEG(600, 400, 3)
	secret := []byte("the place where it was taken")
	withComment := append(append(append([]byte{}, cover[:2]...), 0xff, 0xfe, 0, byte(len(secret)+2)), append(secret, cover[2:]...)...)
	file := filepath.Join(t.TempDir(), "cover.jpg")
	if err := os.WriteFile(file, withComment, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"a.mp3":  apptest.Encode(t, "a.mp3", 1, "lame", "--quiet", "--ti", file, "--tt", "x", "IN", "OUT"),
		"a.flac": apptest.Encode(t, "a.flac", 1, "flac", "-s", "--picture", file, "-o", "OUT", "IN"),
	} {
		t.Run(name, func(t *testing.T) {
			if !bytes.Contains(data, secret) {
				t.Fatal("the file has no picture")
			}
			s := addSound(t, p, name, data)
			if !strings.HasSuffix(s.ThumbnailURL, s.ID+".jpg") {
				t.Fatalf("its picture is %s", s.ThumbnailURL)
			}
			r := p.Do("GET", s.ThumbnailURL, nil, "Authorization", "")
			if r.Status != 200 || r.Header.Get("Content-Type") != "image/jpeg" || bytes.Contains(r.Body, secret) {
				t.Errorf("%d %s, %d bytes", r.Status, r.Header.Get("Content-Type"), len(r.Body))
			}
			m, err := jpeg.Decode(bytes.NewReader(r.Body))
			if err != nil || m.Bounds().Dx()*2 != m.Bounds().Dy()*3 {
				t.Errorf("%v %v", m, err)
			}
			if n := len(p.Blobs()); n < 2 {
				t.Errorf("%d blobs", n)
			}
		})
	}
}

func TestFilesThatAreNoSoundAreRefused(t *testing.T) {
	p := studio(t, func(plan *config.Plan) { plan.AudioSeconds, plan.AudioFileBytes = 5, 3<<20 })
	film := apptest.Encode(t, "a.mp4", 1, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=d=1:s=64x64", "-c:v", "mpeg4", "OUT")
	adts := apptest.Encode(t, "a.aac", 1, "ffmpeg", "-v", "error", "-i", "IN", "-c:a", "aac", "-f", "adts", "OUT")
	flac := apptest.Encode(t, "a.flac", 3, "flac", "-s", "-o", "OUT", "IN")
	long := apptest.Encode(t, "a.mp3", 8, "lame", "--quiet", "-b", "64", "IN", "OUT")
	for _, c := range []struct {
		name string
		data []byte
		has  string
	}{
		{"a text.mp3", []byte(strings.Repeat("this is a text. ", 1000)), ""},
		{"nothing.mp3", nil, "empty"},
		{"cut.flac", flac[:len(flac)/2], ""},
		{"no sound.m4a", film, ""},
		{"raw.aac", adts, "AAC"},
		{"too long.mp3", long, "limit is 5 s"},
		{"too large.wav", apptest.WAV(20, 2, 0), "3 MB"},
		{"a picture.mp3", picture(1), "picture"},
		{"mp3 by name only.flac", bytes.Repeat([]byte("ID3\x04\x00\x00\x00\x00\x0f\x7f"), 100), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := p.Play(t, scenario{Method: "POST", URL: "/v1/audio", Body: parts{apptest.File(c.name, c.data)}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{c.has}})
			var e struct{ Error string }
			if json.Unmarshal(r.Body, &e); len(e.Error) < 15 || !strings.HasSuffix(e.Error, ".") {
				t.Errorf("the sentence is %q", e.Error)
			}
		})
	}
	p.Run(t,
		scenario{Name: "too large, said before it is sent", Method: "POST", URL: "/v1/audio", Body: parts{apptest.File("a.wav", make([]byte, 5<<20))}, Headers: []string{"Expect", "100-continue"}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"3 MB"}},
		scenario{Name: "too long a title", Method: "POST", URL: "/v1/audio", Body: parts{apptest.Field("title", strings.Repeat("x", 256)), apptest.File("a.wav", apptest.WAV(1, 1, 0))}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"title"}},
		scenario{Name: "no file", Method: "POST", URL: "/v1/audio", Body: parts{apptest.Field("title", "x")}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "no form", Method: "POST", URL: "/v1/audio", Body: `{}`, Status: 400, Code: "BAD_REQUEST"},
		scenario{Name: "a collection that is not there", Method: "POST", URL: "/v1/audio", Body: parts{apptest.Field("kbId", "V1StGXR8_Z5jdHi6B-myT"), apptest.File("a.wav", apptest.WAV(1, 1, 0))}, Status: 404, Code: "NOT_FOUND"},
	)
	if b := p.Blobs(); len(b) > 0 {
		t.Errorf("what was refused left %v", b)
	}
}

func TestPlansAndAudio(t *testing.T) {
	p := studio(t, func(plan *config.Plan) { plan.MediaStorageBytes = 1 << 20 })
	wav := apptest.WAV(3, 2, 0) // 529,244 bytes
	p.NewUserOn("none", "none@example.org")
	r := p.Play(t, scenario{Name: "no plan", As: p.NewKey("none@example.org"), Method: "POST", URL: "/v1/audio", Body: parts{apptest.File("a.wav", wav)}, Status: 403, Code: "FORBIDDEN"})
	if text := strings.ToLower(string(r.Body[:min(200, len(r.Body))])); !strings.Contains(text, "upgrade") {
		t.Errorf("clients do not see that it is about the plan: %s", r.Body)
	}
	first := addSound(t, p, "a.wav", wav)
	p.Play(t, scenario{Name: "no room", Method: "POST", URL: "/v1/audio", Body: parts{apptest.File("b.wav", apptest.WAV(3, 2, 1))}, Status: 403, Code: "QUOTA_EXCEEDED", Has: []string{"media_storage_bytes", "quota"}})
	if n := len(p.Blobs()); n > 2 { // the first, and its waveform
		t.Errorf("%d blobs", n)
	}
	list := p.Do("GET", "/v1/notifications", nil, "Authorization", "Bearer "+p.SignIn("pro@example.org").Access)
	if strings.Contains(string(list.Body), "audio and video storage is full") {
		t.Errorf("told too early: %s", list.Body)
	}
	p.Play(t, scenario{Method: "POST", URL: "/v1/audio", Body: parts{apptest.File("c.wav", apptest.WAV(2.3, 2, 1))}, Status: 201})
	list = p.Do("GET", "/v1/notifications", nil, "Authorization", "Bearer "+p.SignIn("pro@example.org").Access)
	if !strings.Contains(string(list.Body), "80 % of your audio and video storage is used") {
		t.Errorf("nobody was told: %s", list.Body)
	}
	p.Play(t, scenario{Method: "DELETE", URL: "/v1/audio/" + first.ID, Status: 204})
	p.Play(t, scenario{Name: "room again", Method: "POST", URL: "/v1/audio", Body: parts{apptest.File("b.wav", wav)}, Status: 201})
}

// TestAQuotaHoldsAgainstAudioAtTheSameTime sends ten files at once to an account that has
// room for three.
func TestAQuotaHoldsAgainstAudioAtTheSameTime(t *testing.T) {
	p := studio(t, func(plan *config.Plan) { plan.MediaStorageBytes = 3 * int64(len(apptest.WAV(1, 1, 0))) })
	var wg sync.WaitGroup
	statuses := make([]int, 10)
	for i := range statuses {
		wg.Go(func() {
			body, kind := apptest.Form("a.wav", apptest.WAV(1, 1, i))
			statuses[i] = p.Do("POST", "/v1/audio", bytes.NewReader(body), "Content-Type", kind).Status
		})
	}
	wg.Wait()
	got := map[int]int{}
	for _, s := range statuses {
		got[s]++
	}
	st, err := p.App.Store().Standing(t.Context(), p.User)
	if err != nil || got[201] != 3 || got[403] != 7 || st.Count[store.Audio].N != 3 {
		t.Errorf("%v, %d records: %v", got, st.Count[store.Audio].N, err)
	}
	for end := time.Now().Add(5 * time.Minute); len(p.Blobs()) != 6; time.Sleep(20 * time.Millisecond) { // a file and a waveform each
		if time.Now().After(end) {
			t.Fatalf("%d blobs", len(p.Blobs()))
		}
	}
}

// settled waits until ok says yes of the audio file.
func settled(t testing.TB, p *apptest.Picora, id string, ok func(sound) bool) (s sound) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		s = sound{}
		p.Play(t, scenario{URL: "/v1/audio/" + id, Status: 200}).Data(t, &s)
		if ok(s) {
			return s
		}
	}
	t.Fatalf("it does not come: %+v", s)
	return s
}

func TestLoudnessAndWaveformAreFoundOut(t *testing.T) {
	p := studio(t)
	s := addSound(t, p, "a.wav", apptest.WAV(4, 1, 0))
	if s.WaveformURL == nil {
		t.Fatal("it has no waveform's address")
	}
	measured := settled(t, p, s.ID, func(s sound) bool { return s.Loudness != nil })
	// A sine at half the full scale in one channel: -6.02 dB, -3.01 for its mean square, -0.69.
	if l := measured.Loudness; math.Abs(l.Integrated+9.7) > 0.3 || math.Abs(l.TruePeak+6) > 0.2 {
		t.Errorf("loudness %+v", *l)
	}
	if measured.UpdatedAt != s.UpdatedAt {
		t.Error("what is found out is a change")
	}
	var wave struct {
		Version, Channels, Length int
		Data                      []int
	}
	r := p.Play(t, scenario{URL: "/v1/audio/" + s.ID + "/waveform", Status: 200})
	if err := json.Unmarshal(r.Body, &wave); err != nil || wave.Length < 100 || len(wave.Data) != 2*wave.Length*wave.Channels {
		t.Fatalf("%v: %d %d %d", err, wave.Channels, wave.Length, len(wave.Data))
	}
	public := p.Do("GET", *s.WaveformURL, nil, "Authorization", "")
	if public.Status != 200 || !bytes.Equal(public.Body, r.Body) || public.Header.Get("Content-Type") != "application/json" {
		t.Errorf("at its address: %d %s", public.Status, public.Body[:min(100, len(public.Body))])
	}
	p.Play(t, scenario{URL: "/v1/audio/" + s.ID + "/waveform", Headers: []string{"If-None-Match", r.Header.Get("ETag")}, Status: 304})
	before := len(p.Blobs())
	p.Play(t, scenario{Method: "DELETE", URL: "/v1/audio/" + s.ID, Status: 204})
	for end := time.Now().Add(time.Minute); len(p.Blobs()) != before-2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("its blobs stay: %v", p.Blobs())
		}
	}
	if r := p.Do("GET", *s.WaveformURL, nil, "Authorization", ""); r.Status != 404 {
		t.Errorf("the waveform is still there: %d", r.Status)
	}
}

func TestSilenceHasNoLoudness(t *testing.T) {
	p := studio(t)
	quiet := apptest.WAV(1, 1, 0)
	clear(quiet[44:])
	addSound(t, p, "long.wav", apptest.WAV(30, 1, 0)) // files are measured one behind another
	s := addSound(t, p, "quiet.wav", quiet)
	// Measured already, on a machine that is slow elsewhere, it is refused at once.
	if r := p.Do("POST", "/v1/audio/"+s.ID+"/normalize", nil); r.Status == 202 {
		s = settled(t, p, s.ID, func(s sound) bool { return s.Normalization.Status == "failed" })
	}
	if s.Loudness != nil || s.NormalizedURL != nil {
		t.Errorf("%+v", s)
	}
	p.Play(t, scenario{Method: "POST", URL: "/v1/audio/" + s.ID + "/normalize", Status: 422, Code: "VALIDATION_ERROR", Has: []string{"silent"}})
}

func TestAVersionAsLoudAsOthers(t *testing.T) {
	p := studio(t)
	s := addSound(t, p, "a.wav", apptest.WAV(4, 1, 0))
	at := "/v1/audio/" + s.ID + "/normalize"
	ready := func(target float64) func(sound) bool {
		return func(s sound) bool {
			return s.Normalization != nil && s.Normalization.Status == "ready" && s.Normalization.TargetLufs == target
		}
	}
	p.Play(t, scenario{Method: "POST", URL: at, Status: 202, Has: []string{`"status":"processing"`, `"targetLufs":-16`}})
	s = settled(t, p, s.ID, ready(-16))
	r := p.Do("GET", *s.NormalizedURL, nil, "Authorization", "")
	if r.Status != 200 || r.Header.Get("Content-Type") != "audio/mp4" || int64(len(r.Body)) != *s.Normalization.SizeBytes || r.Header.Get("Cache-Control") != "public, no-cache" {
		t.Fatalf("%d %v, %d bytes", r.Status, r.Header, len(r.Body))
	}
	again := addSound(t, p, "level.m4a", r.Body)
	again = settled(t, p, again.ID, func(s sound) bool { return s.Loudness != nil })
	if math.Abs(again.Loudness.Integrated+16) > 1 || math.Abs(*again.DurationSeconds-4) > 0.1 {
		t.Errorf("it is %+v, %v s", *again.Loudness, *again.DurationSeconds)
	}
	p.Play(t, scenario{Method: "POST", URL: at, Body: `{"targetLufs":-23}`, Status: 202})
	s = settled(t, p, s.ID, ready(-23))
	p.Run(t,
		scenario{Name: "too loud", Method: "POST", URL: at, Body: `{"targetLufs":0}`, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"targetLufs"}},
		scenario{Name: "too soft", Method: "POST", URL: at, Body: `{"targetLufs":-24}`, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "no number", Method: "POST", URL: at, Body: `{"targetLufs":"loud"}`, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "away with it", Method: "DELETE", URL: at, Status: 200, Has: []string{`"normalizedUrl":null`, `"normalization":null`}},
	)
	if r := p.Do("GET", *s.NormalizedURL, nil, "Authorization", ""); r.Status != 404 {
		t.Errorf("it is still there: %d", r.Status)
	}
}

func TestWhatIsUnderWayGoesOnAfterARestart(t *testing.T) {
	p := studio(t)
	a := addSound(t, p, "a.wav", apptest.WAV(2, 1, 0))
	settled(t, p, a.ID, func(s sound) bool { return s.Loudness != nil })
	list, err := p.App.Store().Unheard(context.Background(), 10)
	if err != nil || len(list) != 0 {
		t.Fatalf("%d wait: %v", len(list), err)
	}
	b := addSound(t, p, "b.wav", apptest.WAV(30, 2, 0))
	p.Restart()
	settled(t, p, b.ID, func(s sound) bool { return s.Loudness != nil })
}

func TestAPrivateAudioFileOpensToSignatures(t *testing.T) {
	p := studio(t)
	data := apptest.Encode(t, "a.mp3", 1, "ffmpeg", "-v", "error", "-i", "IN", "-i", picturePath(t), "-map", "0", "-map", "1", "-c:a", "libmp3lame", "-c:v", "copy", "-disposition:v", "attached_pic", "OUT")
	s := addSound(t, p, "a.mp3", data, apptest.Field("isPublic", "false"))
	settled(t, p, s.ID, func(s sound) bool { return s.Loudness != nil })
	query := func(u string) string { _, q, _ := strings.Cut(u, "?"); return "?" + q }
	cover, _, _ := strings.Cut(s.ThumbnailURL, "?")
	peaks, _, _ := strings.Cut(*s.WaveformURL, "?")
	var signed struct{ SignedURL, EmbedURL string }
	p.Play(t, scenario{Method: "POST", URL: "/v1/audio/" + s.ID + "/sign", Body: `{"expSeconds":60}`, Status: 200}).Data(t, &signed)
	for _, c := range []struct {
		name, url, key string
		status         int
	}{
		{"the file", s.URL, "", 403}, {"the picture", cover, "", 403}, {"the waveform", peaks, "", 403},
		{"the file for its owner", s.URL, p.Key, 200}, {"the picture for its owner", cover, p.Key, 200},
		{"the file with its signature", signed.SignedURL, "", 200},
		{"the picture with the file's signature", cover + query(signed.SignedURL), "", 200},
		{"the waveform with the file's signature", peaks + query(signed.SignedURL), "", 200},
		{"the picture as the record names it", s.ThumbnailURL, "", 200},
		{"the waveform as the record names it", *s.WaveformURL, "", 200},
		{"the file with the picture's signature", s.URL + query(s.ThumbnailURL), "", 403},
		{"the waveform with the picture's signature", peaks + query(s.ThumbnailURL), "", 403},
		{"the picture with the waveform's signature", cover + query(*s.WaveformURL), "", 403},
		{"a parameter of pictures", signed.SignedURL + "&w=10", "", 400},
		{"a parameter that means nothing", signed.SignedURL + "&utm_source=x", "", 200},
		{"another ending", strings.Replace(s.URL, ".mp3", ".wav", 1), p.Key, 404},
		{"the file as a picture's address", strings.Replace(s.URL, "/audio/", "/", 1), p.Key, 404},
		{"as a document", strings.Replace(s.URL, "/audio/", "/doc/", 1), p.Key, 404},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			auth := ""
			if c.key != "" {
				auth = "Bearer " + c.key
			}
			if r := p.Do(method, c.url, nil, "Authorization", auth); r.Status != c.status {
				t.Errorf("%s: %s %d, want %d: %.200s", c.name, method, r.Status, c.status, r.Body)
			}
		}
	}
	if r := p.Do("GET", signed.SignedURL, nil, "Authorization", ""); r.Header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("what a signature opened may be kept: %v", r.Header)
	}
	if !strings.Contains(signed.EmbedURL, "/embed/audio/"+s.ID+"?sig=") {
		t.Errorf("the player is at %s", signed.EmbedURL)
	}
}
