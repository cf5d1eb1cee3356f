// Package captions reads captions as people and films have them (SubRip, WebVTT, SubStation
// Alpha, MPEG-4 timed text), and writes them as WebVTT of which nothing but b, i and u is
// markup. It is plain Go.
package captions

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"picora/media"
	"picora/media/tags"
)

// A Cue is a caption.
type Cue struct {
	Start, End time.Duration
	Settings   string // of WebVTT, such as line:0
	Text       string // WebVTT cue text: escaped, with balanced b, i and u
}

// What captions may be.
const (
	maxTime = 100 * time.Hour
	maxText = 2000 // bytes of a cue
)

const instead = "; upload SRT or WebVTT."

// Parse reads an uploaded file with at most so many cues, SubRip or WebVTT in any encoding
// that is usual. They come in the order of their times. Errors are media.Corrupt or
// media.Unsupported.
func Parse(b []byte, most int) ([]Cue, error) {
	text := lines(decode(b))
	var list []Cue
	head, _, _ := strings.Cut(text, "\n")
	switch {
	case head == "WEBVTT", strings.HasPrefix(head, "WEBVTT "), strings.HasPrefix(head, "WEBVTT\t"):
		list = webVTT(text)
	case strings.HasPrefix(strings.TrimSpace(text), "[Script Info]"):
		return nil, media.Unsupported("SubStation Alpha captions (ASS) are not taken" + instead)
	case strings.HasPrefix(strings.TrimSpace(text), "<"):
		return nil, media.Unsupported("Captions in XML are not taken" + instead)
	default:
		list = subRip(text)
	}
	if len(list) == 0 {
		return nil, media.Corrupt("there are no captions in the file" + instead)
	}
	if len(list) > most {
		return nil, media.Unsupported(fmt.Sprintf("the file has %d captions; the limit is %d", len(list), most))
	}
	Sort(list)
	return list, nil
}

// Sort puts cues in the order of their times, as WebVTT wants it.
func Sort(list []Cue) {
	slices.SortStableFunc(list, func(a, b Cue) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
}

// Write writes cues as WebVTT.
func Write(w io.Writer, list []Cue) error {
	out := bufio.NewWriter(w)
	out.WriteString("WEBVTT\n")
	for _, c := range list {
		out.WriteString("\n" + stamp(c.Start) + " --> " + stamp(c.End))
		if c.Settings != "" {
			out.WriteString(" " + c.Settings)
		}
		out.WriteString("\n" + c.Text + "\n")
	}
	return out.Flush()
}

func stamp(d time.Duration) string {
	ms := d.Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}

// decode makes UTF-8 of what is UTF-16 by its mark or its zeros, or in an old encoding.
func decode(b []byte) string {
	var order binary.ByteOrder
	switch {
	case len(b) >= 2 && b[0] == 0xFF && b[1] == 0xFE:
		b, order = b[2:], binary.LittleEndian
	case len(b) >= 2 && b[0] == 0xFE && b[1] == 0xFF:
		b, order = b[2:], binary.BigEndian
	case len(b) >= 4 && b[1] == 0 && b[3] == 0 && b[0] != 0:
		order = binary.LittleEndian
	case len(b) >= 4 && b[0] == 0 && b[2] == 0 && b[1] != 0:
		order = binary.BigEndian
	default:
		return tags.Legacy(strings.TrimPrefix(string(b), "\uFEFF"))
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	return strings.TrimPrefix(string(utf16.Decode(units)), "\uFEFF")
}

var newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "")

func lines(s string) string { return newlines.Replace(s) }

// webVTT reads WebVTT (W3C) block by block; those without a time, such as notes and styles,
// are passed over.
func webVTT(text string) (list []Cue) {
	var block []string
	flush := func() {
		for i, l := range block {
			if i > 1 || !strings.Contains(l, "-->") {
				continue
			}
			if from, to, rest, ok := timing(l); ok {
				list = add(list, Cue{Start: from, End: to, Settings: settings(rest)}, Markup(strings.Join(block[i+1:], "\n")))
			}
			break
		}
		block = block[:0]
	}
	for l := range strings.SplitSeq(text, "\n") {
		if strings.TrimSpace(l) == "" {
			flush()
			continue
		}
		block = append(block, l)
	}
	flush()
	return list
}

// subRip reads SubRip: lines with times tell where a cue begins, whatever there is of empty
// lines and numbers.
func subRip(text string) (list []Cue) {
	var now *Cue
	var body []string
	flush := func(next bool) {
		if now != nil {
			if n := len(body); next && n > 0 && number(body[n-1]) && (n == 1 || strings.TrimSpace(body[n-2]) == "") {
				body = body[:n-1] // the number of the next
			}
			s, place := Override(strings.Join(body, "\n"))
			now.Settings = place
			list = add(list, *now, Markup(s))
		}
		now, body = nil, body[:0]
	}
	for l := range strings.SplitSeq(text, "\n") {
		if strings.Contains(l, "-->") {
			if from, to, _, ok := timing(l); ok {
				flush(true)
				now = &Cue{Start: from, End: to}
				continue
			}
		}
		if now != nil {
			body = append(body, l)
		}
	}
	flush(false)
	return list
}

func number(l string) bool {
	l = strings.TrimSpace(l)
	_, err := strconv.ParseUint(l, 10, 32)
	return err == nil
}

// add appends a cue, unless nothing of it is to be seen.
func add(list []Cue, c Cue, text string) []Cue {
	if c.End <= c.Start || text == "" {
		return list
	}
	c.Text = text
	return append(list, c)
}

// New is a cue with that text, as Markup and its kin give it; ok is false when there is
// nothing to be seen of it.
func New(from, to time.Duration, place, text string) (c Cue, ok bool) {
	from = max(from, 0)
	return Cue{Start: from, End: to, Settings: place, Text: text}, text != "" && to > from && to < maxTime
}

// timing reads a line like 00:00:01,000 --> 00:00:02.5 X1:0.
func timing(l string) (from, to time.Duration, rest string, ok bool) {
	a, b, found := strings.Cut(l, "-->")
	if !found {
		return 0, 0, "", false
	}
	b = strings.TrimSpace(b)
	end := strings.IndexAny(b, " \t")
	if end < 0 {
		end = len(b)
	}
	from, first := clock(strings.TrimSpace(a))
	to, second := clock(b[:end])
	return from, to, b[end:], first && second
}

// clock reads 1:02:03,456, 02:03.4 and the like.
func clock(s string) (d time.Duration, ok bool) {
	whole, part, _ := strings.Cut(strings.Replace(s, ",", ".", 1), ".")
	fields := strings.Split(whole, ":")
	if len(fields) < 2 || len(fields) > 3 || len(part) > 9 {
		return 0, false
	}
	for i, f := range fields {
		n, err := strconv.ParseUint(strings.TrimSpace(f), 10, 16)
		if err != nil || i > 0 && n > 59 {
			return 0, false
		}
		d = d*60 + time.Duration(n)*time.Second
	}
	if part != "" {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return 0, false
		}
		f := time.Duration(n)
		for range 9 - len(part) {
			f *= 10
		}
		d += f
	}
	return d.Truncate(time.Millisecond), d < maxTime
}

// settings keeps of a cue's settings (WebVTT section 3.4) those that place it and make sense.
func settings(s string) string {
	var kept []string
	for f := range strings.FieldsSeq(s) {
		key, value, _ := strings.Cut(f, ":")
		good := false
		switch key {
		case "vertical":
			good = value == "rl" || value == "lr"
		case "align":
			if value == "middle" { // of old drafts
				value = "center"
			}
			good = slices.Contains([]string{"start", "center", "end", "left", "right"}, value)
		case "line", "position", "size":
			at, anchor, anchored := strings.Cut(value, ",")
			_, err := strconv.ParseFloat(strings.TrimSuffix(at, "%"), 32)
			good = err == nil && strings.Trim(at, "-0123456789.%") == "" && len(at) < 12 &&
				(!anchored || key != "size" && slices.Contains([]string{"start", "center", "end", "line-left", "line-right"}, anchor))
		}
		if good && len(kept) < 5 {
			kept = append(kept, key+":"+value)
		}
	}
	return strings.Join(kept, " ")
}
