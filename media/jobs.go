package media

// The jobs that workers do for the server, by kind.
const (
	MakeJob = "make" // MakeArgs; the file in gives the file out, the file beside is the PNG of a mark that is a picture; Made
	LookJob = "look" // FileArgs; Look
	// ProbeJob takes FileArgs, of which the type and the orientation do not count, and
	// gives Facts.
	ProbeJob = "probe"
)

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
