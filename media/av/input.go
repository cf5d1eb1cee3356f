// Package av is FFmpeg: files of foreign bytes opened from memory or descriptors, what they say of themselves, their
// pictures as Go images, and AVIF and GIF written. It is the only importer of go-astiav, and it belongs into a worker:
// nothing here should run in the server's process.
//
// FFmpeg's log goes to stderr, errors alone, and of each file the first. (astiav's SetLogCallback must never be used: before v0.42 it prints a
// file's own text into 1024 bytes of the stack.)
package av

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/asticode/go-astiav"

	"picora/media"
)

func init() { astiav.SetLogLevel(astiav.LogLevelError) }

// demuxers are the containers that are opened, each told by content. It is a second lock beside ffmpeg.sh, which builds
// no others: no playlists, no patterns of names, nothing that opens another file.
const demuxers = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,mp3,wav,w64,aiff,caf,flac,aac,ac3,eac3,amr," +
	"h264,hevc,m4v,ivf,gif,apng,ico,png_pipe,jpeg_pipe,bmp_pipe,tiff_pipe,srt,webvtt,ass"

const (
	bufferSize = 8 << 10 // astiav allocates so much for each read, and FFmpeg's parsers read on at the end of a file
	maxStreams = 1024    // tiles of a HEIC are streams; 48 MP in tiles of 512 x 512 are 192
	maxICC     = 4 << 20
)

// Limits bound what a file may ask for.
type Limits struct {
	Pixels int64      // of one picture; 0: no limit but FFmpeg's own, which is 2^31-1
	Type   media.Type // of a film; zero: its content tells

	buffer int  // bytes read at once; 0: bufferSize
	mapped bool // the file has a map in front, see withMap
}

// Input is an open file. It is not safe for concurrent use.
type Input struct {
	limits   Limits
	r        io.ReaderAt
	size     int64
	at       int64
	readErr  error // of r, which says more than what FFmpeg makes of it
	io       *astiav.IOContext
	format   *astiav.FormatContext
	declared []colours // by stream, what the container says, before a decoder says its part
	informed bool      // FFmpeg has looked for the facts of the streams
}

// Open opens the size bytes of r, whose container is told by its content. r must stay readable until Close. Errors are
// those of r, media.Corrupt and media.Unsupported.
func Open(r io.ReaderAt, size int64, l Limits) (in *Input, err error) {
	return open(hide(r, size), size, l, nil)
}

// open opens a file of a format that is known, or nil, with more options.
func open(r io.ReaderAt, size int64, l Limits, known *astiav.InputFormat, more ...string) (in *Input, err error) {
	logAgain()
	const most = 1<<31 - 1 // that FFmpeg can be told; a higher number makes every file fail
	l.Pixels = min(cmp.Or(l.Pixels, most), most)
	in = &Input{limits: l, r: r, size: size}
	if in.io, err = astiav.AllocIOContext(cmp.Or(l.buffer, bufferSize), false, in.read, in.seek, nil); err != nil {
		return nil, fmt.Errorf("av: %w", err)
	}
	options, err := dictionary(append(more, "format_whitelist", demuxers, "protocol_whitelist", "none", "max_streams", fmt.Sprint(maxStreams),
		"probesize", "5000000", "analyzeduration", "5000000")...)
	if err != nil {
		in.io.Free()
		return nil, err
	}
	defer options.Free()
	in.format = astiav.AllocFormatContext()
	in.format.SetPb(in.io)
	if err := in.format.OpenInput("", known, options); err != nil { // frees the format's context
		in.format = nil
		err = in.refuse("open", err)
		in.Close()
		return nil, err
	}
	for _, s := range in.format.Streams() {
		in.declared = append(in.declared, parametersOf(s.CodecParameters()).colours)
	}
	return in, nil
}

// Close frees what Open took.
func (in *Input) Close() {
	if in.format != nil {
		in.format.CloseInput()
	}
	in.io.Free()
}

func (in *Input) read(b []byte) (int, error) {
	if in.at >= in.size {
		return 0, io.EOF
	}
	n, err := in.r.ReadAt(b[:min(int64(len(b)), in.size-in.at)], in.at)
	in.at += int64(n)
	if n > 0 { // the error, if it was one, comes again
		return n, nil
	}
	if err != nil && err != io.EOF {
		in.readErr = err
	}
	return 0, err
}

func (in *Input) seek(offset int64, whence int) (int64, error) {
	const sizeOnly, force = 0x10000, 0x20000 // AVSEEK_SIZE, AVSEEK_FORCE
	switch whence &^ force {
	case sizeOnly:
		return in.size, nil
	case io.SeekCurrent:
		offset += in.at
	case io.SeekEnd:
		offset += in.size
	}
	if offset < 0 {
		return 0, astiav.ErrUnknown
	}
	in.at = offset
	return offset, nil
}

// refuse tells whose fault an error of FFmpeg is: the reader's, the machine's (syscall.ENOMEM) or the file's.
func (in *Input) refuse(doing string, err error) error {
	if in.readErr != nil {
		return fmt.Errorf("av: %s: %w", doing, in.readErr)
	}
	switch {
	case errors.Is(err, astiav.Error(-int(syscall.ENOMEM))) && (doing == "decode" || doing == "convert"): // elsewhere it is a length that lies
		return fmt.Errorf("av: %s: %w", doing, syscall.ENOMEM)
	case errors.Is(err, astiav.ErrDecoderNotFound), errors.Is(err, astiav.ErrDemuxerNotFound), errors.Is(err, astiav.ErrPatchwelcome):
		return fmt.Errorf("av: %s: %v: %w", doing, err, media.Unsupported("the file uses a variant of its format that is not supported"))
	}
	return fmt.Errorf("av: %s: %v: %w", doing, err, media.Corrupt("the file is damaged or incomplete"))
}

// tooLarge refuses sizes that are known before anything is decoded.
func (in *Input) tooLarge(w, h int) error {
	if int64(w)*int64(h) > in.limits.Pixels {
		return media.TooManyPixels(int64(w), int64(h), in.limits.Pixels)
	}
	return nil
}

func (in *Input) container() string {
	name, _, _ := strings.Cut(in.format.InputFormat().Name(), ",")
	return strings.TrimSuffix(name, "_pipe")
}

// dictionary returns options from pairs of key and value. Free it.
func dictionary(pairs ...string) (*astiav.Dictionary, error) {
	d := astiav.NewDictionary()
	for i := 0; i < len(pairs); i += 2 {
		if err := d.Set(pairs[i], pairs[i+1], 0); err != nil {
			d.Free()
			return nil, fmt.Errorf("av: option %s: %w", pairs[i], err)
		}
	}
	return d, nil
}

// allUsed fails on options that FFmpeg did not know: it leaves them without a word.
func allUsed(d *astiav.Dictionary) error {
	if e := d.Get("", nil, astiav.NewDictionaryFlags(astiav.DictionaryFlagIgnoreSuffix)); e != nil {
		return fmt.Errorf("av: unknown option %s", e.Key())
	}
	return nil
}
