package corpus

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Probed is what ffprobe says of a file.
type Probed struct {
	Streams  []Stream
	Packets  []Packet
	Chapters []json.RawMessage
	Format   struct {
		Name     string `json:"format_name"`
		Duration number
	}
}

// Stream is one of the streams of a file.
type Stream struct {
	Index   int
	Kind    string `json:"codec_type"`
	Codec   string `json:"codec_name"`
	Profile string
	Level   int
	PixFmt  string `json:"pix_fmt"`
	Width   int
	Height  int
	Aspect  string `json:"sample_aspect_ratio"`
	Field   string `json:"field_order"`
	Space   string `json:"color_space"`
	Trans   string `json:"color_transfer"`
	Range   string `json:"color_range"`

	Channels int
	Rate     number `json:"sample_rate"`
	Tags     map[string]string
	Side     []struct {
		Rotation float64
	} `json:"side_data_list"`
}

// Packet is one of the packets of a file, in the order of the file.
type Packet struct {
	Stream   int    `json:"stream_index"`
	PTS      number `json:"pts_time"`
	DTS      number `json:"dts_time"`
	Duration number `json:"duration_time"`
	Size     number `json:"size"`
	Pos      number `json:"pos"`
	Flags    string `json:"flags"`
}

// Key reports whether decoding can begin with the packet.
func (p Packet) Key() bool { return len(p.Flags) > 0 && p.Flags[0] == 'K' }

// number is a number that ffprobe writes as a text; one that is not there is 0.
type number float64

func (n *number) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return err
	}
	*n = number(v)
	return nil
}

// Probe has ffprobe read a file, packets and all.
func Probe(file string) (p Probed, err error) {
	out, err := run("ffprobe", "-v", "error", "-show_streams", "-show_format", "-show_chapters", "-show_packets", "-of", "json", file)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(out, &p); err != nil {
		return p, fmt.Errorf("ffprobe %s: %w", file, err)
	}
	p.lengthen()
	return p, nil
}

// lengthen says how long packets last of which ffprobe does not: up to the next, and the
// last as long as the one before.
func (p *Probed) lengthen() {
	next := map[int]*Packet{}
	for i := len(p.Packets) - 1; i >= 0; i-- {
		k := &p.Packets[i]
		if after := next[k.Stream]; after != nil && k.Duration == 0 {
			k.Duration = max(after.DTS-k.DTS, 0)
		}
		next[k.Stream] = k
	}
	last := map[int]number{}
	for i := range p.Packets {
		k := &p.Packets[i]
		if k.Duration == 0 {
			k.Duration = last[k.Stream]
		}
		last[k.Stream] = k.Duration
	}
}

// Of are the packets of a stream.
func (p *Probed) Of(stream int) (all []Packet) {
	for _, packet := range p.Packets {
		if packet.Stream == stream {
			all = append(all, packet)
		}
	}
	return all
}

// Ends is when the last packet of a stream is over.
func Ends(packets []Packet) (end float64) {
	for _, p := range packets {
		end = max(end, float64(p.PTS+p.Duration))
	}
	return end
}

// Begins is when the first packet of a stream begins.
func Begins(packets []Packet) float64 {
	if len(packets) == 0 {
		return 0
	}
	begin := float64(packets[0].PTS)
	for _, p := range packets {
		begin = min(begin, float64(p.PTS))
	}
	return begin
}

// avc compares the stream with what CODECS says of it (RFC 6381, section 3.3).
func avc(s Stream, codecs string) string {
	hex, ok := strings.CutPrefix(strings.ToLower(codecs), "avc1.")
	n, err := strconv.ParseUint(hex, 16, 24)
	if !ok || err != nil || len(hex) != 6 {
		return fmt.Sprintf("%q says no H.264", codecs)
	}
	profile := map[string]uint64{"Baseline": 66, "Constrained Baseline": 66, "Main": 77, "High": 100}[s.Profile]
	if n>>16 != profile || int(n&0xFF) != s.Level {
		return fmt.Sprintf("it is of profile %s and level %d, and said to be %s", s.Profile, s.Level, codecs)
	}
	return ""
}
