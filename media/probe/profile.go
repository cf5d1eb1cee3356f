package probe

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"picora/media"
	"picora/media/jpeg"
	"picora/media/webp"
)

// profile names the colours of a picture that has an ICC profile.
func profile(f *media.Facts, data []byte, t media.Type, icc []byte) error {
	switch t {
	case media.JPEG:
		h, err := jpeg.ReadHeader(data)
		if err != nil {
			return err
		}
		icc = h.ICC
	case media.WebP:
		h, err := webp.ReadHeader(data)
		if err != nil {
			return err
		}
		icc, f.Alpha = h.ICC, h.Alpha
	case media.PNG:
		if name := pngProfile(data); name != "" {
			f.Colour = name
		}
	}
	if name := description(icc); name != "" {
		f.Colour = name
	}
	return nil
}

// pngProfile is the name of a PNG's profile, which stands before the profile (PNG third
// edition, section 11.3.2.3).
func pngProfile(data []byte) string {
	for at := 8; at+8 <= len(data); {
		n := int(binary.BigEndian.Uint32(data[at:]))
		kind, body := string(data[at+4:at+8]), data[at+8:]
		if n > len(body) || kind == "IDAT" {
			return ""
		}
		if name, _, found := bytes.Cut(body[:min(n, 80)], []byte{0}); kind == "iCCP" && found {
			return clean(string(name))
		}
		at += n + 12
	}
	return ""
}

// description is the name that an ICC profile gives itself, in English when it has
// several (ICC.1:2022 sections 7.3, 9.2.41 and 10.15, and ICC.1:2001-04 6.5.17).
func description(icc []byte) string {
	if len(icc) < 132 {
		return ""
	}
	n := binary.BigEndian.Uint32(icc[128:])
	for i := range min(n, 100) {
		at := 132 + 12*int(i)
		if at+12 > len(icc) {
			return ""
		}
		off, size := binary.BigEndian.Uint32(icc[at+4:]), binary.BigEndian.Uint32(icc[at+8:])
		if string(icc[at:at+4]) == "desc" && uint64(off)+uint64(size) <= uint64(len(icc)) {
			return clean(text(icc[off : off+size]))
		}
	}
	return ""
}

func text(b []byte) string {
	switch {
	case len(b) >= 12 && string(b[:4]) == "desc": // version 2: a counted ASCII text
		if n := binary.BigEndian.Uint32(b[8:]); uint64(n) <= uint64(len(b)-12) {
			return string(b[12 : 12+n])
		}
	case len(b) >= 28 && string(b[:4]) == "mluc": // version 4: UTF-16 in several languages
		size, off := binary.BigEndian.Uint32(b[20:]), binary.BigEndian.Uint32(b[24:])
		if uint64(off)+uint64(size) <= uint64(len(b)) {
			var units []uint16
			for s := b[off : off+size]; len(s) >= 2; s = s[2:] {
				units = append(units, binary.BigEndian.Uint16(s))
			}
			return string(utf16.Decode(units))
		}
	}
	return ""
}

// clean makes a stranger's words fit to be shown.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
	if r := []rune(strings.TrimSpace(s)); len(r) > 64 {
		return string(r[:64])
	}
	return strings.TrimSpace(s)
}
