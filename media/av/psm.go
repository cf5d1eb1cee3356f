package av

import "io"

// A program stream need not say what is in it, and then FFmpeg guesses: MPEG video is taken
// for an MP3, for the demuxer of bare MPEG video, whose probe would know better, is not
// built. So a program stream map (ISO/IEC 13818-1 section 2.5.4) is put in front that says it;
// one in the file comes later, and is believed.

const (
	mapStreams = 16 // of pictures: 0xE0 to 0xEF
	mapLen     = 16 + 4*mapStreams
)

// mapped is a file with a program stream map in front.
type mapped struct {
	io.ReaderAt
	head [mapLen]byte
}

func withMap(r io.ReaderAt) *mapped {
	m := &mapped{ReaderAt: r}
	b := append(m.head[:0], 0, 0, 1, 0xBC, 0, mapLen-6, 0x80, 1, 0, 0, 0, 4*mapStreams)
	for i := range byte(mapStreams) {
		b = append(b, 2, 0xE0+i, 0, 0) // MPEG-2, whose decoder knows MPEG-1
	}
	return m // FFmpeg does not look at the checksum, which is the rest
}

func (m *mapped) ReadAt(b []byte, at int64) (int, error) {
	if at >= mapLen {
		return m.ReaderAt.ReadAt(b, at-mapLen)
	}
	n := copy(b, m.head[max(at, 0):])
	if n == len(b) {
		return n, nil
	}
	more, err := m.ReaderAt.ReadAt(b[n:], 0)
	return n + more, err
}
