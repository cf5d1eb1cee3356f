package svg

import (
	"bytes"
	"encoding/xml"
	"math"
	"strconv"
	"strings"
)

// maxSide is the largest side that is believed.
const maxSide = 1_000_000

// Size returns the size of a picture in CSS pixels, from the width and height
// of a sanitized file or, where they are missing or relative, from its viewBox
// (SVG 2 section 8.2). It is 0, 0 when the file does not say.
func Size(b []byte) (w, h int) {
	dec := xml.NewDecoder(bytes.NewReader(b))
	for {
		tok, err := dec.Token()
		if err != nil {
			return 0, 0
		}
		if el, ok := tok.(xml.StartElement); ok {
			return sizeOf(el)
		}
	}
}

func sizeOf(el xml.StartElement) (int, int) {
	var width, height, boxW, boxH float64
	for _, a := range el.Attr {
		switch {
		case a.Name.Space != "":
		case a.Name.Local == "width":
			width = length(a.Value)
		case a.Name.Local == "height":
			height = length(a.Value)
		case a.Name.Local == "viewBox":
			boxW, boxH = viewBox(a.Value)
		}
	}
	switch {
	case width > 0 && height > 0:
	case boxW <= 0 || boxH <= 0:
		return 0, 0
	case width > 0:
		height = width * boxH / boxW
	case height > 0:
		width = height * boxW / boxH
	default:
		width, height = boxW, boxH
	}
	return side(width), side(height)
}

// side rounds a length to whole pixels.
func side(v float64) int { return int(max(1, min(maxSide, math.Round(v)))) }

// units in CSS pixels (CSS Values 4 section 6.2). Others depend on where the
// picture is shown.
var units = map[string]float64{"": 1, "px": 1, "pt": 96.0 / 72, "pc": 16, "in": 96, "cm": 96 / 2.54, "mm": 96 / 25.4, "q": 96 / 101.6}

// length reads a length; 0 when it is relative or none.
func length(s string) float64 {
	s = strings.ToLower(strings.TrimSpace(s))
	number := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyz%")
	return finite(number) * units[s[len(number):]]
}

// viewBox reads the last two of its four numbers.
func viewBox(s string) (w, h float64) {
	f := strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune(" ,\t\r\n", c) })
	if len(f) != 4 {
		return 0, 0
	}
	return finite(f[2]), finite(f[3])
}

// finite reads a positive number; 0 when it is none.
func finite(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v > 0) || v > 1e12 {
		return 0
	}
	return v
}
