package pages_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/store"
	"picora/store/blob"
	"picora/store/blob/disk"
)

func TestMain(m *testing.M) {
	time.Local = time.FixedZone("elsewhere", -7*3600) // what depends on the local zone fails
	os.Exit(m.Run())
}

const rate = 8000 // samples a second of the sounds that tests make

// wav is a sound of so many seconds: a tone that comes and goes.
func wav(seconds int) []byte {
	var b bytes.Buffer
	n := seconds * rate
	b.WriteString("RIFF")
	binary.Write(&b, binary.LittleEndian, uint32(36+2*n))
	b.WriteString("WAVEfmt ")
	for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2 * rate), uint16(2), uint16(16)} {
		binary.Write(&b, binary.LittleEndian, v)
	}
	b.WriteString("data")
	binary.Write(&b, binary.LittleEndian, uint32(2*n))
	samples := make([]int16, n)
	for i := range samples {
		samples[i] = int16(30000 * envelope(float64(i)/float64(n)) * math.Sin(2*math.Pi*330*float64(i)/rate))
	}
	binary.Write(&b, binary.LittleEndian, samples)
	return b.Bytes()
}

// envelope is how loud that sound is from its begin, 0, to its end, 1.
func envelope(at float64) float64 {
	return 0.08 + 0.9*math.Abs(math.Sin(at*17))*math.Abs(math.Sin(at*3.3+0.4))*(0.6+0.4*math.Sin(at*211))
}

// peaks is the waveform of that sound, as the server keeps it.
func peaks() []byte {
	const n = 800
	data := make([]int, 0, 2*n)
	for i := range n {
		v := int(117 * envelope(float64(i)/n))
		data = append(data, -v, v)
	}
	b, _ := json.Marshal(map[string]any{"version": 2, "channels": 1, "sample_rate": rate, "samples_per_pixel": 200, "bits": 8, "length": n, "data": data})
	return b
}

// shelf puts records into a running Picora behind its back.
type shelf struct {
	*apptest.Picora
	t     testing.TB
	blobs *disk.Store
}

func open(t testing.TB, p *apptest.Picora) *shelf {
	t.Helper()
	b, err := disk.Open(p.Data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return &shelf{p, t, b}
}

// put stores bytes and returns their key.
func (s *shelf) put(b []byte) string {
	s.t.Helper()
	key := blob.NewKey(time.Now())
	if _, err := s.blobs.Put(s.t.Context(), key, bytes.NewReader(b)); err != nil {
		s.t.Fatal(err)
	}
	return key
}

// sound adds an audio file, which edit may change before it is stored.
func (s *shelf) sound(b []byte, edit ...func(*store.Media)) store.Media {
	s.t.Helper()
	h := sha256.Sum256(b)
	m := store.Media{
		ID: store.NewID(store.IDLen), User: s.User, Kind: store.Audio, Filename: "tone.wav", Title: "A tone", MIME: "audio/wav", Ext: "wav",
		Size: int64(len(b)), Hash: h[:], Blob: s.put(b), BlobSize: int64(len(b)), Public: true,
		Sound: store.Sound{Codec: "pcm_s16le", Duration: float64(len(b)-44) / 2 / rate, Channels: 1, SampleRate: rate, Artist: "Nobody"},
	}
	for _, e := range edit {
		e(&m)
	}
	m, fresh, err := s.App.Store().CreateMedia(s.t.Context(), m)
	if err != nil || !fresh {
		s.t.Fatalf("created: %v, %v", fresh, err)
	}
	return m
}

// part is an edit that gives the record a part.
func (s *shelf) part(name, mime string, b []byte) func(*store.Media) {
	return func(m *store.Media) {
		m.SetPart(store.Part{Name: name, Blob: s.put(b), MIME: mime, Size: int64(len(b))})
	}
}

func (s *shelf) waveform() func(*store.Media) {
	return s.part(store.PeaksPart, "application/json", peaks())
}

// private is an edit.
func private(m *store.Media) { m.Public = false }

// get asks as a stranger.
func get(p *apptest.Picora, path string, headers ...string) apptest.Response {
	return p.Do("GET", path, nil, append([]string{"Authorization", ""}, headers...)...)
}

// contains fails where the answer lacks one of the texts.
func contains(t *testing.T, body []byte, texts ...string) {
	t.Helper()
	for _, want := range texts {
		if !strings.Contains(string(body), want) {
			t.Errorf("%q is missing", want)
		}
	}
}

// doc adds a document, which edit may change before it is stored.
func (s *shelf) doc(edit ...func(*store.Media)) store.Media {
	s.t.Helper()
	b := []byte("# A heading\n\nand a text.\n")
	h := sha256.Sum256(b)
	m := store.Media{
		ID: store.NewID(store.IDLen), User: s.User, Kind: store.Doc, Filename: "a.md", Title: "A document", MIME: "text/markdown", Ext: "md",
		Size: int64(len(b)), Hash: h[:], Blob: s.put(b), BlobSize: int64(len(b)), Public: true,
		Text: store.Text{Format: "markdown", Words: 412},
	}
	for _, e := range edit {
		e(&m)
	}
	m, fresh, err := s.App.Store().CreateMedia(s.t.Context(), m)
	if err != nil || !fresh {
		s.t.Fatalf("created: %v, %v", fresh, err)
	}
	return m
}

// collection makes one of the owner's, through the API.
func (s *shelf) collection(fields map[string]any) (k collection) {
	s.t.Helper()
	all := map[string]any{"collectionType": "audio_drama", "allowedResourceTypes": []string{"audio", "image"}}
	for name, v := range fields {
		all[name] = v
	}
	r := s.JSON("POST", "/v1/collections", all)
	if r.Status != 201 {
		s.t.Fatalf("%d %s", r.Status, r.Body)
	}
	r.Data(s.t, &k)
	return k
}

// collection is one on the wire, as far as these tests read it.
type collection struct {
	ID, Slug       string
	FeedURL        string
	PrivateFeedURL string
}

// in is an edit.
func in(collection string) func(*store.Media) {
	return func(m *store.Media) { m.Collection = collection }
}
