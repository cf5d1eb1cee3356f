package library

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"slices"
	"strings"
	"testing"

	"picora/media"
	"picora/media/hls"
	"picora/store"
)

// box is one of an MP4.
func box(name string, n int) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+n))
	return append(append(b, name...), make([]byte, n)...)
}

// trackFile is a track with two segments.
func trackFile() []byte {
	b := slices.Concat(box("ftyp", 8), box("moov", 20), box("moof", 10), box("mdat", 1000), box("moof", 10), box("mdat", 500))
	return hls.AppendIndex(b, hls.Index{Init: 44, Segments: []hls.Segment{{Size: 1026, Duration: 4}, {Size: 526, Duration: 2}}})
}

func TestATrackIsWhatItsFileSays(t *testing.T) {
	good := media.TrackMade{Width: 640, Height: 360, FrameRate: 25, Codecs: "avc1.64001f", Bandwidth: 1, Average: 1}
	whole := trackFile()
	o := output{name: "360p", kind: media.PictureTrack, track: store.Track{Name: "360p", Kind: store.PictureTrack}}
	var made filmMade
	if err := made.check(&o, &good, bytes.NewReader(whole), int64(len(whole)), 1e6); err != nil {
		t.Fatal(err)
	}
	if got := made.tracks[0]; got.Bandwidth != 526*8/2 || got.Average != 2070 /* of 1552 bytes in 6 s */ || got.Width != 640 || got.Codecs != "avc1.64001f" {
		t.Errorf("a track is %+v", got)
	}
	for name, c := range map[string]struct {
		file []byte
		edit func(*media.TrackMade)
	}{
		"a file that is cut":            {whole[:len(whole)-1], nil},
		"a file without an index":       {box("ftyp", 100), nil},
		"nothing":                       {nil, nil},
		"a file that begins otherwise":  {append([]byte("<html>  "), whole[8:]...), nil},
		"a codec that is a script":      {whole, func(t *media.TrackMade) { t.Codecs = `avc1.64001f",URI="x` }},
		"a sound for pictures":          {whole, func(t *media.TrackMade) { t.Codecs = "mp4a.40.2" }},
		"no width":                      {whole, func(t *media.TrackMade) { t.Width = 0 }},
		"a height beyond all":           {whole, func(t *media.TrackMade) { t.Height = 1 << 30 }},
		"pictures without end":          {whole, func(t *media.TrackMade) { t.FrameRate = 1e9 }},
		"no time at all in its pieces ": {hls.AppendIndex(box("ftyp", 92), hls.Index{Init: 10, Segments: []hls.Segment{{Size: 90}}}), nil},
	} {
		made, is := filmMade{}, good
		if c.edit != nil {
			c.edit(&is)
		}
		if err := made.check(&o, &is, bytes.NewReader(c.file), int64(len(c.file)), 1e6); !errors.Is(err, errNonsense) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func sheet(t testing.TB) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 32, 16)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAStoryboardIsJPEGsOneBehindTheOther(t *testing.T) {
	one := sheet(t)
	n := int64(len(one))
	o := output{name: store.BoardPart, kind: media.BoardOut, args: media.TrackArgs{Columns: 2, Rows: 2, Every: 1}}
	two := slices.Concat(one, one)
	good := media.TrackMade{Width: 16, Height: 8, Sheets: []int64{n, n}, Pictures: 7}
	for name, c := range map[string]struct {
		file []byte
		edit func(*media.TrackMade)
		ok   bool
	}{
		"two sheets":              {two, func(*media.TrackMade) {}, true},
		"pictures for one":        {two, func(t *media.TrackMade) { t.Pictures = 4 }, false},
		"pictures for three":      {two, func(t *media.TrackMade) { t.Pictures = 9 }, false},
		"no pictures":             {two, func(t *media.TrackMade) { t.Pictures = 0 }, false},
		"a sheet too few":         {two, func(t *media.TrackMade) { t.Sheets, t.Pictures = t.Sheets[:1], 4 }, false},
		"a sheet beyond the file": {two, func(t *media.TrackMade) { t.Sheets = []int64{n, n + 1} }, false},
		"a sheet of nothing":      {two, func(t *media.TrackMade) { t.Sheets = []int64{2 * n, 0} }, false},
		"a negative sheet":        {two, func(t *media.TrackMade) { t.Sheets = []int64{-1, 2*n + 1} }, false},
		"other borders":           {two, func(t *media.TrackMade) { t.Sheets = []int64{n - 1, n + 1} }, false},
		"a page":                  {[]byte(strings.Repeat("<script>", len(two)/8+1))[:len(two)], func(*media.TrackMade) {}, false},
		"sheets without end":      {two, func(t *media.TrackMade) { t.Sheets = make([]int64, maxSheets+1); t.Pictures = 4*maxSheets + 1 }, false},
		"huge pictures":           {two, func(t *media.TrackMade) { t.Width = 5000 }, false},
	} {
		var made filmMade
		is := good
		c.edit(&is)
		err := made.check(&o, &is, bytes.NewReader(c.file), int64(len(c.file)), 1e6)
		if c.ok != (err == nil) || !c.ok && !errors.Is(err, errNonsense) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOtherOutputsAreLookedAt(t *testing.T) {
	mp4 := slices.Concat(box("ftyp", 8), box("moov", 20), box("free", 0), box("mdat", 100))
	long := slices.Concat(box("ftyp", 8), box("moov", 20), []byte{0, 0, 0, 1, 'm', 'd', 'a', 't', 0, 0, 0, 0, 0, 0, 0, 26}, make([]byte, 10))
	for _, c := range []struct {
		kind string
		file []byte
		ok   bool
	}{
		{fileOut, mp4, true}, {media.PreviewOut, mp4, true}, {fileOut, long, true},
		{fileOut, nil, false}, {fileOut, mp4[:len(mp4)-1], false}, {fileOut, append(slices.Clone(mp4), 0), false},
		{fileOut, mp4[16:], false}, {fileOut, slices.Concat(box("ftyp", 8), box("mdat", 8), box("moov", 8)), false},
		{fileOut, box("ftyp", 8), false}, {fileOut, slices.Concat(box("ftyp", 8), []byte{0, 0, 0, 0, 'm', 'o', 'o', 'v'}), false},
		{media.PosterOut, sheet(t), true}, {media.PosterOut, mp4, false}, {media.PosterOut, nil, false},
		{media.CaptionTrack, []byte("WEBVTT\n"), true}, {media.CaptionTrack, []byte("<html>"), false}, {media.CaptionTrack, []byte("WEBVTT\n\xFF"), false},
	} {
		var made filmMade
		err := made.check(&output{name: "text-1", kind: c.kind}, &media.TrackMade{}, bytes.NewReader(c.file), int64(len(c.file)), 1e6)
		if c.ok != (err == nil) || !c.ok && !errors.Is(err, errNonsense) {
			t.Errorf("%s of %.40q: %v", c.kind, c.file, err)
		}
	}
}

func TestWhatTheOwnerUploadedKeepsItsName(t *testing.T) {
	m := store.Media{Parts: []store.Part{{Name: "text-1", Blob: "theirs"}}}
	m.Film.Tracks = []store.Track{{Name: "text-1", Kind: store.TextTrack, Uploaded: true}}
	made := filmMade{
		parts:  []store.Part{{Name: "text-1", Blob: "ours"}, {Name: "text-2", Blob: "ours too"}, {Name: store.PosterPart, Blob: "poster"}},
		tracks: []store.Track{{Name: "text-1", Kind: store.TextTrack, Lang: "en"}, {Name: "text-2", Kind: store.TextTrack, Lang: "de"}},
	}
	for range 2 { // an update's closure may run twice
		now := m
		made.putInto(&now)
		var got []string
		for _, p := range now.Parts {
			track, _ := now.Film.Track(p.Name)
			got = append(got, p.Name+"="+p.Blob+track.Lang)
		}
		if want := "text-1=theirs text-2=oursen text-3=ours toode poster=poster"; strings.Join(got, " ") != want {
			t.Errorf("the parts are %v, want %s", got, want)
		}
	}
}

func FuzzOutputs(f *testing.F) {
	one := sheet(f)
	f.Add(uint8(0), trackFile(), int64(40), int64(60))
	f.Add(uint8(3), one, int64(len(one)), int64(0))
	f.Add(uint8(5), slices.Concat(box("ftyp", 8), box("moov", 20), box("mdat", 100)), int64(0), int64(0))
	kinds := []string{media.PictureTrack, media.SoundTrack, media.CaptionTrack, media.BoardOut, media.PosterOut, fileOut, media.PreviewOut}
	f.Fuzz(func(t *testing.T, kind uint8, file []byte, a, b int64) {
		var made filmMade
		o := output{name: "x", kind: kinds[int(kind)%len(kinds)], args: media.TrackArgs{Columns: 2, Rows: 1, Every: 1}}
		is := media.TrackMade{Width: 16, Height: 9, FrameRate: 25, Codecs: "avc1.64001f", Sheets: []int64{a, b}, Pictures: 3}
		if err := made.check(&o, &is, bytes.NewReader(file), int64(len(file)), 1e6); err != nil {
			return
		}
		for _, track := range made.tracks {
			if o.kind == media.PictureTrack && (track.Average < 1 || track.Bandwidth < track.Average) {
				t.Errorf("a track of %d, %d bits a second", track.Bandwidth, track.Average)
			}
		}
		if made.board != nil && a+b != int64(len(file)) {
			t.Errorf("sheets of %d and %d bytes in %d", a, b, len(file))
		}
	})
}
