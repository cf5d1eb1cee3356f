package hot

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"sync"

	"picora/store/blob"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumLen is how many bytes the sum behind a blob has.
const sumLen = crc32.Size

var errTorn = errors.New("hot: its bytes are not those that were kept")

var buffers = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

// whole checks a file that is kept, and returns the size of the blob in it.
func whole(f *os.File) (size int64, err error) {
	fi, err := f.Stat()
	if err != nil {
		return 0, err
	}
	size = fi.Size() - sumLen
	if size < 0 || size > Small {
		return 0, errTorn
	}
	b := buffers.Get().(*[]byte)
	defer buffers.Put(b)
	sum := crc32.New(castagnoli)
	if _, err := io.CopyBuffer(sum, struct{ io.Reader }{io.NewSectionReader(f, 0, size)}, *b); err != nil {
		return 0, err
	}
	var want [sumLen]byte
	if _, err := f.ReadAt(want[:], size); err != nil {
		return 0, err
	}
	if binary.BigEndian.Uint32(want[:]) != sum.Sum32() {
		return 0, errTorn
	}
	return size, nil
}

// group spreads keys over folders: their ends are random.
func group(key string) string { return key[len(key)-2:] }

// reader is a stretch of a file, which it closes.
type reader struct {
	*io.SectionReader
	f *os.File
}

var _ blob.Filer = reader{}

func section(f *os.File, off, n int64) reader { return reader{io.NewSectionReader(f, off, n), f} }

// Close closes the file.
func (r reader) Close() error { return r.f.Close() }

// File implements blob.Filer.
func (r reader) File() (f *os.File, off, n int64) {
	_, off, n = r.Outer()
	return r.f, off, n
}
