package av

import (
	"errors"

	"github.com/asticode/go-astiav"

	"picora/media"
)

// place is where the picture of a stream goes.
type place struct {
	layer *layer
	x, y  int
}

// grid is a picture made of tiles, which are streams (ISO/IEC 23008-12, 6.6.2.3).
type grid struct {
	id, w, h int
	tiles    []tile
}

type tile struct{ stream, x, y int }

// items tells where the streams of a HEIF or AVIF still belong: into its primary picture or into its alpha plane. In
// other files, and in those whose first brand says that they move, colour is nil.
func (in *Input) items() (places map[int][]place, colour, alpha *layer) {
	if in.container() != "mov" {
		return nil, nil, nil
	}
	switch tags(in.format.Metadata())["major_brand"] {
	case "avis", "hevc", "hevx", "msf1":
		return nil, nil, nil
	}
	primary, auxiliary := heifItems(in.r, in.size)
	if primary == 0 {
		return nil, nil, nil
	}
	places = map[int][]place{}
	if colour = in.item(int(primary), places); colour == nil {
		return nil, nil, nil
	}
	if auxiliary != 0 {
		if alpha = in.item(int(auxiliary), places); alpha != nil {
			alpha.alpha = true
		}
	}
	return places, colour, alpha
}

// item returns the layer of an item, which is one stream or a grid, and enters its streams in places.
func (in *Input) item(id int, places map[int][]place) *layer {
	for _, g := range gridsOf(in.format) {
		if g.id == id {
			l := &layer{w: g.w, h: g.h}
			for _, t := range g.tiles {
				places[t.stream] = append(places[t.stream], place{l, t.x, t.y})
			}
			return l
		}
	}
	for _, s := range in.format.Streams() {
		if p := s.CodecParameters(); s.ID() == id && p.MediaType() == astiav.MediaTypeVideo {
			l := &layer{w: p.Width(), h: p.Height()}
			places[s.Index()] = append(places[s.Index()], place{l, 0, 0})
			return l
		}
	}
	return nil
}

// still decodes the items of one picture, each as its packet comes.
func (in *Input) still(places map[int][]place, colour, alpha *layer) (Picture, error) {
	if err := in.tooLarge(colour.w, colour.h); err != nil {
		return Picture{}, err
	}
	if alpha != nil && (alpha.w != colour.w || alpha.h != colour.h) {
		return Picture{}, media.Unsupported("the alpha plane has another size than the picture")
	}
	if colour.w < 1 || colour.h < 1 || len(places) == 0 {
		return Picture{}, media.Corrupt("the picture has no size")
	}
	streams := in.format.Streams()
	for _, s := range streams {
		if places[s.Index()] == nil {
			s.SetDiscard(astiav.DiscardAll)
		}
	}
	var v converter
	defer v.free()
	for len(places) > 0 {
		packet, err := in.packet()
		if err != nil {
			return Picture{}, in.refuse("read", err) // also when the file ends with tiles missing
		}
		i := packet.StreamIndex()
		if i >= len(streams) || places[i] == nil {
			packet.Free()
			continue
		}
		if err := in.tiles(streams[i], packet, places[i], &v); err != nil {
			return Picture{}, err
		}
		delete(places, i)
	}
	p := colour.picture(alpha)
	if p.ICC == nil {
		p.ICC = in.itemICC()
	}
	return p, nil
}

// itemICC returns the profile that an item's properties hold; FFmpeg hangs it to the streams.
func (in *Input) itemICC() []byte {
	for _, s := range in.format.Streams() {
		if icc := parametersOf(s.CodecParameters()).icc; icc != nil {
			return icc
		}
	}
	return nil
}

// tiles decodes one packet, and paints it wherever it belongs.
func (in *Input) tiles(s *astiav.Stream, packet *astiav.Packet, places []place, v *converter) error {
	d, err := in.decoder(s)
	if err != nil {
		packet.Free()
		return err
	}
	d.heif, d.convert = true, *v
	defer func() {
		*v, d.convert = d.convert, converter{} // the next tile's conversion is most often the same
		d.free()
	}()
	shown := false
	show := func(f *astiav.Frame) (bool, error) {
		shown = true
		for _, p := range places {
			if err := p.layer.paint(d, f, p.x, p.y); err != nil {
				return false, err
			}
		}
		return false, nil
	}
	err = d.decode(packet, show)
	if err == nil {
		err = d.decode(nil, show)
	}
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if !shown {
		return media.Corrupt("there is no whole picture in the file")
	}
	return nil
}
