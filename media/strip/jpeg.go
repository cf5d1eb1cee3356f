package strip

import (
	"encoding/binary"
	"fmt"

	"picora/media"
)

// Markers of ITU-T T.81 table B.1.
const (
	mTEM  = 0x01
	mSOF0 = 0xC0 // baseline
	mSOF1 = 0xC1 // extended sequential, Huffman
	mSOF2 = 0xC2 // progressive, Huffman
	mDHT  = 0xC4
	mJPG  = 0xC8
	mDAC  = 0xCC
	mSOF  = 0xCF // the last of them
	mRST0 = 0xD0
	mRST7 = 0xD7
	mSOI  = 0xD8
	mEOI  = 0xD9
	mSOS  = 0xDA
	mDQT  = 0xDB
	mDNL  = 0xDC
	mDRI  = 0xDD
	mAPP0 = 0xE0
	mAPP1 = 0xE1
	mAPP2 = 0xE2
	mAPPE = 0xEE
	mAPPF = 0xEF
	mCOM  = 0xFE
)

// Segments with something to keep begin so.
const (
	jfifPrefix  = "JFIF\x00"
	iccPrefix   = "ICC_PROFILE\x00"
	adobePrefix = "Adobe"
)

// maxScans bounds the work that a small progressive file can make for those
// who decode it; each scan passes over the whole picture. Encoders write ten.
const maxScans = 500

// jpeg walks a JPEG: ITU-T T.81 annex B, JFIF 1.02 (T.871), ICC.1 annex B.4.
type jpeg struct {
	*walker
	headAt   int64 // where the head ends: after SOI, or after the JFIF segment behind it
	headMark int   // the same place in the plan
	sof      bool
	scans    int
	exif     bool // the orientation is settled
}

// segment is a marker segment whose length has been read.
type segment struct {
	marker byte
	off    int64 // of its 0xFF
	size   int   // of the payload, without the length
}

func (j *jpeg) walk() error {
	var soi [2]byte
	if err := j.full(soi[:]); err != nil {
		return err
	}
	if soi != [2]byte{0xFF, mSOI} {
		return media.Corrupt("the JPEG is damaged: its start marker is missing")
	}
	if err := j.keep(0, 2); err != nil {
		return err
	}
	j.headAt, j.headMark = 2, j.mark()
	for {
		marker, off, err := j.marker()
		if err != nil {
			return err
		}
		if marker == mEOI {
			return j.end(off)
		}
		if err := j.segment(marker, off); err != nil {
			return err
		}
	}
}

// marker reads up to and with the next marker and returns it and where it
// starts. Fill bytes (T.81 B.1.1.2) and bytes that are no marker have no
// meaning here and are left out, as decoders do.
func (j *jpeg) marker() (marker byte, off int64, err error) {
	for {
		c, err := j.byte()
		if err != nil {
			return 0, 0, err
		}
		if c != 0xFF {
			continue
		}
		for c == 0xFF {
			if c, err = j.byte(); err != nil {
				return 0, 0, err
			}
		}
		if c != 0 {
			return c, j.pos - 2, nil
		}
	}
}

// end checks at EOI that there was a picture, and keeps the marker.
func (j *jpeg) end(off int64) error {
	if !j.sof || j.scans == 0 {
		return media.Corrupt("the JPEG is damaged: there is no picture in it")
	}
	if j.rep.Height == 0 {
		return media.Corrupt("the JPEG is damaged: its width or height is zero")
	}
	return j.keep(off, 2)
}

// segment handles one marker and what belongs to it.
func (j *jpeg) segment(marker byte, off int64) error {
	if marker == mTEM || marker >= mRST0 && marker <= mRST7 {
		return nil // stand alone and mean nothing here
	}
	if err := known(marker); err != nil {
		return err
	}
	var length [2]byte
	if err := j.full(length[:]); err != nil {
		return err
	}
	size := int(binary.BigEndian.Uint16(length[:])) - 2
	if size < 0 {
		return media.Corrupt("the JPEG is damaged: a segment has an impossible length")
	}
	s := segment{marker: marker, off: off, size: size}
	switch marker {
	case mDQT, mDHT, mDRI:
		return j.copy(s)
	case mSOS:
		return j.scanSegment(s)
	case mDNL:
		return j.dnl(s)
	case mAPP0:
		return j.app0(s)
	case mAPP1:
		return j.app1(s)
	case mAPP2:
		return j.icc(s)
	case mAPPE:
		return j.adobe(s)
	case mDAC, mCOM:
		return j.skip(int64(size))
	}
	if marker <= mSOF {
		return j.frameHeader(s)
	}
	return j.skip(int64(size)) // the other APPn
}

// known refuses markers that no picture for the web has: hierarchical and
// arithmetic coding, reserved codes, a second start.
func known(marker byte) error {
	switch {
	case marker == mSOI:
		return media.Corrupt("the JPEG is damaged: a second picture starts inside the first")
	case marker == mJPG || marker < mSOF0 || marker > mDRI && marker < mAPP0 || marker > mAPPF && marker < mCOM:
		return media.Corrupt(fmt.Sprintf("the JPEG is damaged: it has the unknown marker 0x%02X", marker))
	case marker > mSOF2 && marker <= mSOF && marker != mDHT && marker != mDAC:
		return media.Unsupported("this kind of JPEG (lossless, hierarchical or arithmetic) is shown by no browser; save it as an ordinary JPEG")
	}
	return nil
}

// copy keeps a segment as it is.
func (j *jpeg) copy(s segment) error {
	if err := j.skip(int64(s.size)); err != nil {
		return err
	}
	return j.keep(s.off, j.pos-s.off)
}

// frameHeader reads SOFn: precision, lines, samples per line, components
// (T.81 B.2.2).
func (j *jpeg) frameHeader(s segment) error {
	if j.sof {
		return media.Corrupt("the JPEG is damaged: it has two frame headers")
	}
	b, err := j.take(s.size)
	if err != nil {
		return err
	}
	if len(b) < 6 || len(b) != 6+3*int(b[5]) {
		return media.Corrupt("the JPEG is damaged: its frame header has the wrong length")
	}
	if b[0] != 8 {
		return media.Unsupported(fmt.Sprintf("JPEG pictures with %d bits per colour are shown by no browser; save it with 8 bits", b[0]))
	}
	if n := b[5]; n != 1 && n != 3 && n != 4 {
		return media.Unsupported(fmt.Sprintf("JPEG pictures with %d colour channels are not supported", n))
	}
	j.sof = true
	height, width := int64(binary.BigEndian.Uint16(b[1:])), int64(binary.BigEndian.Uint16(b[3:]))
	if height == 0 && width > 0 {
		j.rep.Width = int(width) // the height comes in a DNL after the first scan
	} else if err := j.walker.size(width, height); err != nil {
		return err
	}
	return j.keep(s.off, j.pos-s.off)
}

// scanSegment keeps SOS and the entropy-coded data behind it.
func (j *jpeg) scanSegment(s segment) error {
	if !j.sof {
		return media.Corrupt("the JPEG is damaged: its frame header is missing")
	}
	if err := j.skip(int64(s.size)); err != nil {
		return err
	}
	if j.scans++; j.scans > maxScans {
		return media.Corrupt("the JPEG has too many scans")
	}
	j.exif = true // decoders look for it in front of the first scan only
	if err := j.scan(); err != nil {
		return err
	}
	return j.keep(s.off, j.pos-s.off)
}

// dnl reads the number of lines, for a frame header that left it open
// (T.81 B.2.5).
func (j *jpeg) dnl(s segment) error {
	b, err := j.take(s.size)
	if err != nil {
		return err
	}
	if len(b) != 2 || j.scans == 0 {
		return media.Corrupt("the JPEG is damaged: its number of lines is misplaced")
	}
	if j.rep.Height == 0 {
		if err := j.walker.size(int64(j.rep.Width), int64(binary.BigEndian.Uint16(b))); err != nil {
			return err
		}
	}
	return j.keep(s.off, j.pos-s.off)
}
