package strip

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// bufferSize is how much is read ahead. It is the one buffer of a walk.
const bufferSize = 64 << 10

// errCut means that the file ended where it may not. Walk makes a sentence of it.
var errCut = errors.New("strip: file ends too early")

// source reads the file and knows where it is.
type source struct {
	br  *bufio.Reader
	pos int64 // offset of the next byte
}

// full fills b.
func (s *source) full(b []byte) error {
	n, err := io.ReadFull(s.br, b)
	s.pos += int64(n)
	return cut(err)
}

// take reads the next n bytes. n comes from a bounded field of the format.
func (s *source) take(n int) ([]byte, error) {
	b := make([]byte, n)
	return b, s.full(b)
}

// byte reads one byte.
func (s *source) byte() (byte, error) {
	c, err := s.br.ReadByte()
	if err != nil {
		return 0, cut(err)
	}
	s.pos++
	return c, nil
}

// skip passes over n bytes.
func (s *source) skip(n int64) error {
	for n > 0 {
		// Discard takes an int, which has 32 bits on some machines.
		got, err := s.br.Discard(int(min(n, 1<<30)))
		s.pos += int64(got)
		n -= int64(got)
		if err != nil {
			return cut(err)
		}
	}
	return nil
}

// atEnd says whether the file ends here.
func (s *source) atEnd() (bool, error) {
	_, err := s.br.Peek(1)
	if err == io.EOF {
		return true, nil
	}
	return false, cut(err)
}

// drain reads to the end of the file.
func (s *source) drain() error {
	for {
		n, err := s.br.Discard(1 << 30)
		s.pos += int64(n)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return cut(err)
		}
	}
}

// scan passes over the entropy-coded data of a JPEG scan and stops before the
// 0xFF of the marker that ends it. Most of a JPEG is such data, so this is the
// loop that decides how fast a walk is: it looks for 0xFF in whole buffers.
func (s *source) scan() error {
	for {
		if _, err := s.br.Peek(2); err != nil {
			return cut(err)
		}
		buf, _ := s.br.Peek(s.br.Buffered())
		n, found := scanEnd(buf)
		s.br.Discard(n)
		s.pos += int64(n)
		if found {
			return nil
		}
	}
}

// scanEnd returns how many bytes of buf are scan data, and whether a marker
// follows them. Stuffed zeros, restart markers and fill bytes belong to the
// data (ITU T.81 B.1.1.5). The last byte is left when its successor decides.
func scanEnd(buf []byte) (int, bool) {
	last := len(buf) - 1
	i := 0
	for i < last {
		j := bytes.IndexByte(buf[i:last], 0xFF)
		if j < 0 {
			break
		}
		i += j
		switch c := buf[i+1]; {
		case c == 0x00 || c >= 0xD0 && c <= 0xD7:
			i += 2
		case c == 0xFF:
			i++
		default:
			return i, true
		}
	}
	if i > last {
		return i, false
	}
	if buf[last] == 0xFF {
		return last, false
	}
	return last + 1, false
}

// cut turns the end of the file into errCut and says of other errors whose
// they are.
func cut(err error) error {
	switch err {
	case nil:
		return nil
	case io.EOF, io.ErrUnexpectedEOF:
		return errCut
	}
	return fmt.Errorf("strip: read: %w", err)
}

// window shows up to limit of the bytes that come next, without passing over
// them.
func (s *source) window(limit int64) ([]byte, error) {
	if _, err := s.br.Peek(1); err != nil {
		return nil, cut(err)
	}
	buf, _ := s.br.Peek(s.br.Buffered())
	return buf[:min(limit, int64(len(buf)))], nil
}
