// Package media is the vocabulary of media work: which types Picora takes, how
// a file is refused, and how its type is told from its first bytes. It knows
// no HTTP and no database.
package media

import (
	"errors"
	"fmt"
)

// A Type is a kind of file that Picora takes.
type Type struct {
	MIME string // as sent in Content-Type
	Ext  string // as used in file names and links, without the dot
}

// The types that are taken today.
var (
	JPEG = Type{MIME: "image/jpeg", Ext: "jpg"}
	PNG  = Type{MIME: "image/png", Ext: "png"}
	GIF  = Type{MIME: "image/gif", Ext: "gif"}
	WebP = Type{MIME: "image/webp", Ext: "webp"}
	AVIF = Type{MIME: "image/avif", Ext: "avif"}
	HEIC = Type{MIME: "image/heic", Ext: "heic"}
	HEIF = Type{MIME: "image/heif", Ext: "heif"}
	BMP  = Type{MIME: "image/bmp", Ext: "bmp"}
	TIFF = Type{MIME: "image/tiff", Ext: "tiff"}
	ICO  = Type{MIME: "image/x-icon", Ext: "ico"}
	SVG  = Type{MIME: "image/svg+xml", Ext: "svg"}

	MP3  = Type{MIME: "audio/mpeg", Ext: "mp3"}
	M4A  = Type{MIME: "audio/mp4", Ext: "m4a"}
	WAV  = Type{MIME: "audio/wav", Ext: "wav"}
	FLAC = Type{MIME: "audio/flac", Ext: "flac"}
	Ogg  = Type{MIME: "audio/ogg", Ext: "ogg"}

	MP4      = Type{MIME: "video/mp4", Ext: "mp4"}
	MOV      = Type{MIME: "video/quicktime", Ext: "mov"}
	ThreeGP  = Type{MIME: "video/3gpp", Ext: "3gp"}
	MKV      = Type{MIME: "video/x-matroska", Ext: "mkv"}
	WebM     = Type{MIME: "video/webm", Ext: "webm"}
	AVI      = Type{MIME: "video/x-msvideo", Ext: "avi"}
	MPEGTS   = Type{MIME: "video/mp2t", Ext: "ts"}
	MPEGPS   = Type{MIME: "video/mpeg", Ext: "mpg"}
	FLV      = Type{MIME: "video/x-flv", Ext: "flv"}
	WMV      = Type{MIME: "video/x-ms-wmv", Ext: "wmv"}
	OggVideo = Type{MIME: "video/ogg", Ext: "ogv"}

	PDFDocument = Type{MIME: "application/pdf", Ext: "pdf"}
)

// TypeOf finds a type by its MIME type.
func TypeOf(mime string) (t Type, known bool) {
	for _, t := range []Type{JPEG, PNG, GIF, WebP, AVIF, HEIC, HEIF, BMP, TIFF, ICO, SVG, MP3, M4A, WAV, FLAC, Ogg,
		MP4, MOV, ThreeGP, MKV, WebM, AVI, MPEGTS, MPEGPS, FLV, WMV, OggVideo, PDFDocument} {
		if t.MIME == mime {
			return t, true
		}
	}
	return Type{}, false
}

// The ways in which a file is refused. Errors made by Corrupt, Unsupported and
// TooManyPixels answer to them with errors.Is.
var (
	ErrUnsupported   = errors.New("media: unsupported type")
	ErrCorrupt       = errors.New("media: corrupt file")
	ErrTooManyPixels = errors.New("media: too many pixels")
)

// refusal is a sentinel with a sentence for the person who sent the file.
type refusal struct {
	kind   error
	reason string
}

func (r *refusal) Error() string { return r.kind.Error() + ": " + r.reason }
func (r *refusal) Unwrap() error { return r.kind }

// Corrupt returns an ErrCorrupt whose Reason is the sentence given.
func Corrupt(reason string) error { return &refusal{kind: ErrCorrupt, reason: reason} }

// Unsupported returns an ErrUnsupported whose Reason is the sentence given.
func Unsupported(reason string) error { return &refusal{kind: ErrUnsupported, reason: reason} }

// TooManyPixels returns an ErrTooManyPixels that names the size and the limit.
func TooManyPixels(w, h, limit int64) error {
	return &refusal{kind: ErrTooManyPixels, reason: fmt.Sprintf(
		"the picture has %d x %d pixels, which is %s megapixels; the limit is %s megapixels",
		w, h, megapixels(w*h), megapixels(limit))}
}

// Reason returns the plain sentence that travels with err, fit to be shown to
// a person, or "" when err carries none.
func Reason(err error) string {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.reason
	}
	return ""
}

// megapixels writes a count of pixels in millions, with one decimal where it
// tells something.
func megapixels(n int64) string {
	if n%1_000_000 == 0 || n >= 100_000_000 {
		return fmt.Sprint(n / 1_000_000)
	}
	return fmt.Sprintf("%.1f", float64(n)/1e6)
}
