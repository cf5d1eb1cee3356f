package media

import "time"

// Facts are what a file is, as far as it can be told without decoding all of it. What
// it does not tell is zero.
type Facts struct {
	MIME          string // by content
	Width, Height int    // pixels, as shown
	Frames        int    // 1 for a still picture, 0 for what is none
	Duration      time.Duration
	BitRate       int64    // bits a second, of all streams
	Depth         int      // bits of a sample of the picture
	Colour        string   // of the picture: the name of its profile, or of its code points (ITU-T H.273)
	Alpha         bool     // its pixels may be transparent
	Streams       []Stream // of sound and video
	Title         string   // the file's own, and so on
	Artist        string
	Album         string

	Taken  time.Time // when the camera says that it was taken; UTC
	Camera string
	GPS    []float64 // latitude and longitude in degrees, WGS 84
}

// Stream is one of a file's streams.
type Stream struct {
	Kind          string // "video", "audio", "subtitle", "data" or "attachment"
	Codec         string // FFmpeg's name, such as "h264"
	Profile       string
	Language      string
	Width, Height int     // pixels, as shown
	FrameRate     float64 // frames a second
	Channels      int
	SampleRate    int   // hertz
	BitRate       int64 // bits a second
	Cover         bool  // a picture that belongs to a sound
}
