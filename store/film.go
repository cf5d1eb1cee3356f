package store

//go:generate go tool msgp -tests=false -io=false -o film_gen.go

// Film is what is known of a video file, and what was made of it. What is not known is
// zero.
type Film struct {
	State FilmState `msg:"state"`
	// Fault is why a FilmFailed one failed; Note what of the others could not be saved or
	// made. Both are sentences for a person.
	Fault string `msg:"fault"`
	Note  string `msg:"note"`

	Container  string  `msg:"container"` // FFmpeg's names
	Codec      string  `msg:"codec"`
	Duration   float64 `msg:"secs"` // seconds
	BitRate    int     `msg:"kbps"` // of the file, thousands of bits a second
	FrameRate  float64 `msg:"fps"`
	HDR        string  `msg:"hdr"` // "pq", "hlg" or empty
	Interlaced bool    `msg:"interlaced"`

	Tracks   []Track   `msg:"tracks"`
	Board    Board     `msg:"board"`
	Chapters []Chapter `msg:"chapters"`

	// Passes is how many steps of the work are done, and Survey what the first of them
	// found out, as a worker told it (a media.Survey in JSON). They are for who goes on
	// with the work.
	Passes int    `msg:"passes"`
	Survey []byte `msg:"survey"`
}

// FilmState is how far the work on a video has come.
type FilmState uint8

// The states of a Film.
const (
	FilmWaiting  FilmState = 1 // nothing can be played yet
	FilmPlayable FilmState = 2 // it can be played, and more sizes are being made
	FilmReady    FilmState = 3 // all is made that will be
	FilmFailed   FilmState = 4 // nothing can be made of it, see Fault
)

// Plays reports whether the video can be played.
func (f *Film) Plays() bool { return f.State == FilmPlayable || f.State == FilmReady }

// Track is something that players choose: a size of the pictures, a sound, captions. Its
// file is the part of the same name.
type Track struct {
	Name string    `msg:"name"` // such as 720p, sound-1, text-2: part of addresses
	Kind TrackKind `msg:"kind"`

	Width     int     `msg:"w"` // pixels, of PictureTrack
	Height    int     `msg:"h"`
	FrameRate float64 `msg:"fps"`
	Copied    bool    `msg:"copied"` // the file's own pictures

	Codecs    string `msg:"codecs"`  // RFC 6381
	Bandwidth int64  `msg:"bps"`     // bits a second of the largest segment
	Average   int64  `msg:"average"` // bits a second

	Channels int    `msg:"chan"`  // of SoundTrack
	Lang     string `msg:"lang"`  // BCP 47; empty: unknown
	Label    string `msg:"label"` // what people read; empty: the language's name
	Default  bool   `msg:"default"`
	Uploaded bool   `msg:"uploaded"` // by its owner, not from the file
}

// TrackKind is what a track holds.
type TrackKind uint8

// The kinds of tracks.
const (
	PictureTrack TrackKind = 1 // H.264 in CMAF, with its index (package hls)
	SoundTrack   TrackKind = 2 // AAC in CMAF, with its index
	TextTrack    TrackKind = 3 // WebVTT
)

// Board is the storyboard of a video: small pictures of it on sheets, for finding a place.
type Board struct {
	Sheets   []int64 `msg:"sheets"` // bytes of each, which lie one behind the other in the BoardPart
	Width    int     `msg:"w"`      // pixels of one picture
	Height   int     `msg:"h"`
	Columns  int     `msg:"columns"` // of a sheet
	Rows     int     `msg:"rows"`
	Every    float64 `msg:"every"` // seconds from one picture to the next
	Pictures int     `msg:"n"`     // in all
}

// Track finds a track by its name.
func (f *Film) Track(name string) (Track, bool) {
	for _, t := range f.Tracks {
		if t.Name == name {
			return t, true
		}
	}
	return Track{}, false
}

// SetTrack puts the track in the place of that of the same name, or behind all others.
func (f *Film) SetTrack(t Track) {
	kept := make([]Track, 0, len(f.Tracks)+1) // the record that f is a copy of shares the old list
	placed := false
	for _, old := range f.Tracks {
		if old.Name == t.Name {
			old, placed = t, true
		}
		kept = append(kept, old)
	}
	if !placed {
		kept = append(kept, t)
	}
	f.Tracks = kept
}

// DropTrack takes the track of that name away; its part is Media.DropPart's.
func (f *Film) DropTrack(name string) {
	kept := make([]Track, 0, len(f.Tracks))
	for _, old := range f.Tracks {
		if old.Name != name {
			kept = append(kept, old)
		}
	}
	f.Tracks = kept
}
