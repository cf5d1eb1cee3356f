package media

// What the server and its workers say to each other about video: see VideoJob and those
// below it.

// VideoArgs says what a worker is to know of a video file.
type VideoArgs struct {
	MIME       string  // as SniffVideo tells it
	MaxPixels  int64   // of one picture
	MaxSeconds float64 // of the whole; 0: no limit
}

// Video is what a video file says of itself. What it does not tell is zero.
type Video struct {
	MIME      string  // of the container, by content
	Container string  // FFmpeg's name
	Duration  float64 // seconds; an estimate until Survey counts
	BitRate   int64   // bits a second, all streams

	Codec         string // FFmpeg's name
	Profile       string
	Width, Height int     // pixels as shown: after rotation and with square pixels
	FrameRate     float64 // pictures a second, on average
	Rotation      int     // degrees clockwise that were taken into account: 0, 90, 180, 270
	Interlaced    bool
	Depth         int    // bits of a sample
	HDR           string // "", "pq" or "hlg"

	Sounds   []VideoSound
	Captions []VideoCaption // those that are text
	Chapters []Chapter
	Title    string
	Created  string // as the file says it, RFC 3339
}

// VideoSound is a sound track of a video file.
type VideoSound struct {
	Stream   int    // its index in the file
	Codec    string // FFmpeg's name
	Channels int
	Lang     string // ISO 639, two or three letters; empty: unknown
	Title    string
	Default  bool
}

// VideoCaption is a subtitle track of a video file.
type VideoCaption struct {
	Stream int
	Codec  string
	Lang   string
	Title  string
	Forced bool // for what is foreign in the film only
}

// Survey is what counting told of a video file.
type Survey struct {
	Video              // Duration, BitRate and FrameRate as counted
	Pictures     int64 // packets with pictures
	VariableRate bool  // the time between pictures varies
	// KeyEvery is the longest time between two key frames, in seconds; 0: there is one
	// only.
	KeyEvery float64
	// Peak is the highest bit rate of the pictures over about two seconds, in bits a second.
	Peak int64
	// Copy says that the pictures can be delivered as they are: H.264, 8 bit, 4:2:0, not
	// rotated nor interlaced, square pixels, with key frames often enough to be cut at them.
	Copy bool
	// Note is what is wrong with the file, a sentence for a person; empty: nothing.
	Note string
}

// The kinds of outputs of a TracksJob.
const (
	PictureTrack = "picture" // fragmented MP4 (CMAF) with H.264, then its index: see package hls
	SoundTrack   = "sound"   // the same with AAC
	CaptionTrack = "caption" // WebVTT
	PosterOut    = "poster"  // JPEG
	BoardOut     = "board"   // JPEG, one sheet of a storyboard after the other: see Made.Sheets
	PreviewOut   = "preview" // MP4 without sound, tables in front
)

// TracksArgs asks for what is to be made of a video file in one decoding.
type TracksArgs struct {
	Video   VideoArgs
	Survey  Survey
	Outputs []TrackArgs
	// Segment is how long the pieces of a track are, in seconds. All begin with a key
	// frame, at the same times in all picture tracks of a file, whichever job makes them.
	Segment float64
	Threads int    // of an encoder; 0: as many as there are processors
	Preset  string // x264's
}

// TrackArgs is one output.
type TrackArgs struct {
	Kind string // PictureTrack and so on

	// Of pictures (PictureTrack, PosterOut, BoardOut, PreviewOut): pixels. Zero: as the
	// file has it.
	Width, Height int
	MaxRate       float64 // pictures a second at most (PictureTrack)
	Quality       float64 // CRF (PictureTrack, PreviewOut)
	MaxBits       int64   // bits a second that are not exceeded for long (VBV)
	Copy          bool    // take the pictures over, see Survey.Copy
	Encoder       string  // FFmpeg's name; empty: libx264

	Stream   int   // of SoundTrack and CaptionTrack: the index in the file
	Bits     int64 // a second, of SoundTrack
	Channels int   // of SoundTrack: 1 or 2

	Columns, Rows int     // of a sheet (BoardOut)
	Every         float64 // seconds between the pictures of the board
	Length        float64 // seconds of the preview
}

// TracksMade is what became of a TracksJob, output by output.
type TracksMade struct {
	Duration float64 // seconds that could be read
	Note     string  // what could not, a sentence for a person; empty: nothing
	Bad      int64   // pictures that could not be decoded
	Outputs  []TrackMade
}

// TrackMade is one output as it was made.
type TrackMade struct {
	Empty bool // there was nothing to make: no such pictures, no text

	Width, Height int
	FrameRate     float64
	Codecs        string // RFC 6381, such as avc1.64001f or mp4a.40.2
	Bandwidth     int64  // bits a second of the largest segment
	Average       int64
	Encoder       string // that made it, FFmpeg's name; "copy" when nothing was encoded

	Sheets   []int64 // BoardOut: bytes of each sheet, which lie one behind the other
	Pictures int     // BoardOut: in all sheets
	Start    float64 // PreviewOut, PosterOut: seconds into the file
}

// JoinArgs is what JoinJob needs to know.
type JoinArgs struct {
	MaxSeconds float64
}

// CaptionsArgs says what an uploaded file of subtitles is.
type CaptionsArgs struct {
	MaxCues int
}
