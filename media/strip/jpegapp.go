package strip

import (
	"bytes"
	"encoding/binary"
)

// app0 keeps the JFIF header but not the thumbnail in it, nor JFXX, which is
// nothing but one.
func (j *jpeg) app0(s segment) error {
	const want = 14
	b, err := j.take(s.size)
	if err != nil || len(b) < want || !bytes.HasPrefix(b, []byte(jfifPrefix)) {
		return err
	}
	atHead := j.headAt == 2 && j.headMark == len(j.pieces) && !j.sof
	if len(b) == want && b[12] == 0 && b[13] == 0 {
		err = j.keep(s.off, j.pos-s.off)
	} else {
		b[12], b[13] = 0, 0
		err = j.put(appSegment(mAPP0, b[:want]))
	}
	if err == nil && atHead {
		j.headAt, j.headMark = j.pos, j.mark()
	}
	return err
}

// app1 drops EXIF and XMP. An orientation other than upright stays, in an EXIF
// of its own, where EXIF belongs: at the head (CIPA DC-008 4.5.4).
func (j *jpeg) app1(s segment) error {
	b, err := j.take(s.size)
	if err != nil || j.exif || !bytes.HasPrefix(b, []byte(exifPrefix)) {
		return err
	}
	o := j.learn(b)
	if o == 1 {
		return nil
	}
	j.exif, j.rep.Orientation = true, o
	minimal := append([]byte(exifPrefix), minimalEXIF(o)...)
	if s.off == j.headAt && bytes.Equal(b, minimal) {
		return j.keep(s.off, j.pos-s.off)
	}
	return j.insert(j.headMark, appSegment(mAPP1, minimal))
}

// icc keeps the parts of a colour profile. Other APP2 are indexes of further
// pictures (MPF), gain maps, FlashPix.
func (j *jpeg) icc(s segment) error {
	head, err := j.take(min(s.size, len(iccPrefix)))
	if err != nil {
		return err
	}
	if err := j.skip(int64(s.size - len(head))); err != nil || string(head) != iccPrefix {
		return err
	}
	j.rep.ICC = true
	return j.keep(s.off, j.pos-s.off)
}

// adobe keeps the 12 bytes that say how the colours are coded (T.872 6.5.3).
func (j *jpeg) adobe(s segment) error {
	const want = 12
	b, err := j.take(s.size)
	if err != nil || len(b) < want || !bytes.HasPrefix(b, []byte(adobePrefix)) {
		return err
	}
	if len(b) == want {
		return j.keep(s.off, j.pos-s.off)
	}
	return j.put(appSegment(mAPPE, b[:want]))
}

// appSegment writes a marker segment.
func appSegment(marker byte, payload []byte) []byte {
	out := []byte{0xFF, marker}
	out = binary.BigEndian.AppendUint16(out, uint16(len(payload)+2))
	return append(out, payload...)
}
