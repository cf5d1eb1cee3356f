package media

import "time"

// The jobs that workers do for the server, by kind.
const (
	MakeJob = "make" // MakeArgs; the file in gives the file out, the file beside is the PNG of a mark that is a picture; Made
	LookJob = "look" // FileArgs; Look
	// ProbeJob takes FileArgs, of which the type and the orientation do not count, and
	// gives Facts.
	ProbeJob = "probe"

	// SoundJob takes SoundArgs and gives Sound. Out gets the picture inside the file, made
	// a JPEG, if there is one.
	SoundJob = "sound"
	// MeasureJob takes SoundArgs and gives Measure. It decodes all of the file, once: an hour
	// of sound takes half a minute and more, so it is one for Pool.Run, as LevelJob is. Out
	// gets the waveform: JSON as audiowaveform and wavesurfer read it, at most MaxWaveform
	// bytes.
	MeasureJob = "measure"
	// LevelJob takes LevelArgs; Out gets the file as AAC in MP4, as loud as they say.
	LevelJob = "level"

	// VideoJob takes VideoArgs and gives Video, from the heads of the file alone: it is
	// quick whatever the file's size.
	VideoJob = "video"
	// SurveyJob takes VideoArgs and gives Survey: all packets are read, none is decoded.
	SurveyJob = "survey"
	// TracksJob takes TracksArgs and gives TracksMade, from one decoding of the file. More
	// has a file for each of its outputs, in their order. It is one for Pool.Run, as all
	// that follow are.
	TracksJob = "tracks"
	// JoinJob takes JoinArgs: In is the file of a picture track, Beside that of a sound
	// track (or there is none), as TracksJob wrote them; Out gets both as one MP4 with its tables in
	// front, nothing decoded.
	JoinJob = "join"
	// CaptionsJob takes CaptionsArgs; Out gets an uploaded file of subtitles (SRT, WebVTT)
	// as WebVTT.
	CaptionsJob = "captions"

	// PDFJob takes PDFArgs and gives PDF. Out gets the text.
	PDFJob = "pdf"
	// PDFPageJob takes PDFArgs; Out gets the first page as a JPEG.
	PDFPageJob = "pdfpage"
	// PDFWork is what workers that do these jobs get ready before their walls stand.
	PDFWork = "pdf"

	// ProseJob takes ProseArgs and Markdown. Out gets a prose.Page as JSON.
	ProseJob = "prose"
)

// MaxWaveform is how many bytes a waveform has at most.
const MaxWaveform = 64 << 10

// MaxChapters is how many chapters of a file are told.
const MaxChapters = 500

// SoundArgs says what a worker is to know of an audio file.
type SoundArgs struct {
	MIME       string // as SniffSound tells it
	MaxPixels  int64  // of the picture inside it
	MaxSeconds int64  // of sound; 0: no limit
}

// Sound is what an audio file is. What it does not tell is zero.
type Sound struct {
	MIME       string  // by content; another than SniffSound's when a FLAC hides behind a long tag
	Codec      string  // FFmpeg's name
	Duration   float64 // seconds, as counted, whatever its header says
	BitRate    int64   // bits a second of the sound, as counted
	Channels   int
	SampleRate int // hertz

	Title, Artist, Album, Genre string
	Track, Year                 int
	Chapters                    []Chapter

	Cover bool // Out has a picture
}

// Chapter is a stretch of a file that has a name. Times are in seconds.
type Chapter struct {
	Start, End float64
	Title      string
}

// Measure is how loud an audio file is (EBU R 128).
type Measure struct {
	Silent   bool    // all of it, or it is shorter than 0.4 s: there is no loudness
	Loudness float64 // integrated, LUFS; -70 when Silent
	TruePeak float64 // dBTP, Quietest at least
}

// Quietest is the true peak of a file in which nothing is heard.
const Quietest = -144

// LevelArgs asks for an audio file of that loudness.
type LevelArgs struct {
	Sound   SoundArgs
	Measure Measure // of the file
	Target  float64 // LUFS
	Peak    float64 // dBTP that is not exceeded
}

// PDFArgs says what a worker is to know of a PDF, and bounds what it makes.
type PDFArgs struct {
	MaxText  int64         // bytes of text; what is beyond is left out
	TextTime time.Duration // for reading it; what is left after it is left out; 0: no limit
	Width    int           // pixels of the page's picture
}

// PDF is what a PDF is.
type PDF struct {
	Pages         int // 0 when it is locked
	Title, Author string
	Words         int  // of the text
	Cut           bool // the text is not all there is
	Locked        bool // nobody reads it without a password
}

// ProseArgs says what a worker is to know of Markdown.
type ProseArgs struct {
	Own []string // hosts whose pictures are shown
}

// FileArgs says what a worker is to know of a file that it is given.
type FileArgs struct {
	MIME        string
	Orientation int   // EXIF 1 to 8; 0: unknown
	MaxPixels   int64 // of one picture
}

// MakeArgs asks for a picture to be made of another.
type MakeArgs struct {
	File FileArgs
	Spec Spec
}
