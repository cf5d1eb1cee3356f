package corpus

import (
	"encoding/json"
	"fmt"
	"strconv"
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
	return p, nil
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
