package media

import "bytes"

// insteadSound is how every refusal of SniffSound ends.
const insteadSound = "; upload MP3, M4A, WAV, FLAC or Ogg."

// SniffSound tells the type of an audio file from its first bytes, as Sniff does that
// of a picture. Two answers are the worker's to complete: whether an M4A has sound and
// no film, and what comes behind an ID3v2 tag that is longer than head, which is taken
// for the beginning of an MP3.
func SniffSound(head []byte) (Type, error) {
	if len(head) == 0 {
		return Type{}, Corrupt("the file is empty")
	}
	head = head[:min(len(head), SniffLen)]
	tagged := 0
	for n := ID3Len(head); n > 0; n = ID3Len(head) {
		if n >= len(head) {
			return MP3, nil
		}
		head, tagged = head[n:], tagged+1
	}
	switch {
	case isMP3(head):
		return MP3, nil
	case bytes.HasPrefix(head, []byte("fLaC")):
		return FLAC, nil
	case tagged > 0 && head[0] == 0: // what some programs leave between a tag and the sound
		return MP3, nil
	case bytes.HasPrefix(head, []byte("OggS")):
		return Ogg, nil
	case isWAV(head):
		return WAV, nil
	case len(head) >= 12 && string(head[4:8]) == "ftyp":
		return sniffMP4(head)
	}
	switch name := foreign(head); name {
	case "":
	case "AAC files":
		return Type{}, Unsupported("Raw AAC (ADTS) is not taken: put it into an M4A, or upload MP3, WAV, FLAC or Ogg.")
	case "MP3 files", "FLAC files", "Ogg files", "WAV files":
		return Type{}, Corrupt("the file begins like one of the " + name + ", but is none")
	default:
		return Type{}, Unsupported(name + " are not taken as sound" + insteadSound)
	}
	if t, err := Sniff(head); err == nil {
		return Type{}, Unsupported("This is a picture (" + t.MIME + ")" + insteadSound)
	}
	return Type{}, Unsupported("This is not an audio file that is known here" + insteadSound)
}

// ID3Len returns how long the ID3v2 tag is that b begins with, with its header and footer
// (ID3v2.4.0 section 3.1), or 0 when there is none.
func ID3Len(b []byte) int {
	if len(b) < 10 || string(b[:3]) != "ID3" || b[3] == 0xFF || b[4] == 0xFF {
		return 0
	}
	n := 10
	if b[5]&0x10 != 0 {
		n += 10
	}
	for i, c := range b[6:10] {
		if c > 0x7F {
			return 0
		}
		n += int(c) << (7 * (3 - i))
	}
	return n
}

// isMP3 says whether the header of a frame of MPEG audio, layer III, starts here
// (ISO/IEC 11172-3 section 2.4.1.3, 13818-3, and what Fraunhofer made of them, 2.5).
func isMP3(b []byte) bool {
	return len(b) >= 4 && b[0] == 0xFF && b[1]&0xE6 == 0xE2 && // sync and layer
		b[1]&0x18 != 0x08 && // not the reserved version
		b[2]>>4 != 0xF && b[2]&0x0C != 0x0C && // bit rate and sample rate
		b[3]&3 != 2 // emphasis
}

// isWAV says whether a WAV starts here, also one with 64-bit lengths (EBU Tech 3306,
// ITU-R BS.2088).
func isWAV(b []byte) bool {
	if len(b) < 12 || string(b[8:12]) != "WAVE" {
		return false
	}
	switch string(b[:4]) {
	case "RIFF", "RF64", "BW64":
		return true
	}
	return false
}

// sniffMP4 tells MP4 files that may be sound from pictures and from QuickTime.
func sniffMP4(head []byte) (Type, error) {
	t, name := brand(head)
	switch name {
	case "M4A files", "MP4 videos":
		return M4A, nil
	case "":
		return Type{}, Unsupported("This is a picture (" + t.MIME + ")" + insteadSound)
	}
	return Type{}, Unsupported(name + " are not taken as sound" + insteadSound)
}
