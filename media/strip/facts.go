package strip

import (
	"strings"
	"time"
	"unicode"
)

// Facts are what EXIF tells of how a picture was taken.
type Facts struct {
	Taken     time.Time // in UTC; a file that names no time zone is taken for UTC; zero when unknown
	Camera    string    // maker and model, at most maxCamera characters, all printable; "" when unknown
	Lat, Long *float64  // degrees north and east (WGS 84), both or neither
}

// maxCamera bounds each of the two names of a camera, in characters.
const maxCamera = 64

// exifFacts reads EXIF data: a TIFF header and its first directory, and the
// EXIF and GPS directories that it points to (CIPA DC-008 4.5 and 4.6). What is
// damaged counts as missing, as in browsers; the orientation is 1 then.
func exifFacts(b []byte) (orientation int, facts Facts) {
	d, ok := newEXIF(b)
	if !ok {
		return 1, facts
	}
	return d.facts(uint64(d.order.Uint32(d.b[4:])))
}

// facts reads the directory at an offset and those below it. Each is read once,
// so directories that point to each other make no loop.
func (d tiffData) facts(at uint64) (orientation int, facts Facts) {
	var maker, model, when, zone string
	var below, gps uint64
	d.directory(at, func(x field) {
		switch x.tag {
		case tagOrientation:
			if orientation == 0 {
				orientation = d.orientation(x)
			}
		case tagMake:
			maker = text(x)
		case tagModel:
			model = text(x)
		case tagExifIFD:
			below = uint64(d.number(x, 0))
		case tagGPSIFD:
			gps = uint64(d.number(x, 0))
		}
	})
	if below != 0 {
		d.directory(below, func(x field) {
			switch x.tag {
			case tagTaken:
				when = text(x)
			case tagTakenOffset:
				zone = text(x)
			}
		})
	}
	facts.Taken, facts.Camera = taken(when, zone), camera(maker, model)
	if gps != 0 {
		facts.Lat, facts.Long = d.place(gps)
	}
	return max(orientation, 1), facts
}

// orientation reads the value of its tag: one SHORT from 1 to 8.
func (d tiffData) orientation(x field) int {
	if v := d.number(x, 0); x.kind == typeShort && x.count == 1 && v >= 1 && v <= 8 {
		return int(v)
	}
	return 1
}

// text cleans an ASCII value, which real files have in UTF-8 and with anything
// in it.
func text(x field) string {
	if x.kind != typeASCII {
		return ""
	}
	s, _, _ := strings.Cut(string(x.value[:min(len(x.value), 4*maxCamera)]), "\x00")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
	runes := []rune(strings.Join(strings.Fields(s), " "))
	return strings.TrimSpace(string(runes[:min(len(runes), maxCamera)]))
}

// camera joins maker and model; many models begin with the maker's name.
func camera(maker, model string) string {
	if len(model) >= len(maker) && strings.EqualFold(model[:len(maker)], maker) {
		return model
	}
	return strings.TrimSpace(maker + " " + model)
}

// taken reads a date (CIPA DC-008 4.6.5, DateTimeOriginal) and its time zone.
func taken(when, zone string) time.Time {
	const layout = "2006:01:02 15:04:05"
	if t, err := time.Parse(layout+"-07:00", when+zone); err == nil {
		return t.UTC()
	}
	t, _ := time.Parse(layout, when)
	return t
}

// place reads the GPS directory (CIPA DC-008 4.6.6): latitude and longitude.
func (d tiffData) place(at uint64) (lat, long *float64) {
	var ref [2]string
	var value [2]field
	d.directory(at, func(x field) {
		switch x.tag {
		case 1, 3:
			ref[x.tag/2] = text(x)
		case 2, 4:
			value[x.tag/2-1] = x
		}
	})
	a, ok1 := d.degrees(value[0], ref[0], "N", "S", 90)
	b, ok2 := d.degrees(value[1], ref[1], "E", "W", 180)
	if !ok1 || !ok2 {
		return nil, nil
	}
	return &a, &b
}

// degrees reads three RATIONALs: degrees, minutes, seconds.
func (d tiffData) degrees(x field, ref, plus, minus string, limit float64) (v float64, ok bool) {
	if x.kind != typeRational || x.count != 3 || x.value == nil || ref != plus && ref != minus {
		return 0, false
	}
	for i, unit := range []float64{1, 60, 3600} {
		over, under := d.order.Uint32(x.value[8*i:]), d.order.Uint32(x.value[8*i+4:])
		if under == 0 {
			return 0, false
		}
		v += float64(over) / float64(under) / unit
	}
	if ref == minus {
		v = -v
	}
	return v, v >= -limit && v <= limit
}

// learn notes what EXIF data tells, where nothing told it before, and returns
// the orientation.
func (w *walker) learn(b []byte) int {
	o, facts := exifFacts(b)
	w.note(facts)
	return o
}

func (w *walker) note(facts Facts) {
	if w.rep.Taken.IsZero() {
		w.rep.Taken = facts.Taken
	}
	if w.rep.Camera == "" {
		w.rep.Camera = facts.Camera
	}
	if w.rep.Lat == nil {
		w.rep.Lat, w.rep.Long = facts.Lat, facts.Long
	}
}
