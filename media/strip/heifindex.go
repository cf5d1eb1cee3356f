package strip

// index is what a meta box says (ISO/IEC 14496-12 section 8.11, ISO/IEC
// 23008-12 section 6).
type index struct {
	primary    uint32
	hasPrimary bool
	items      map[uint32]*item
	crowded    bool  // there are more than maxItems
	props      []box // of ipco; their numbers begin at 1
	hasProps   bool
	refs       []ref
	data       *box   // idat
	parts      []span // what is delivered outside of the meta box
}

// item is a picture, a part of one, or metadata.
type item struct {
	kind    string
	kindAt  int64  // where its kind stands in the file; 0 when it has none
	said    []byte // its name, and what its kind is about
	saidAt  int64
	listed  bool // in iinf
	placed  bool // in iloc
	method  uint64
	extents []span // in the file, or in idat
	props   []int
	keep    bool
}

// ref is a reference from an item to others.
type ref struct {
	kind string
	from uint32
	to   []uint32
}

// index reads the meta box.
func (h *heif) index(size int64) error {
	if size < 4 || size > maxIndex {
		return errIndex
	}
	at := h.pos
	b, err := h.take(int(size))
	if err != nil {
		return err
	}
	h.meta, h.end = &index{items: map[uint32]*item{}}, h.pos
	if err := each(b[4:], at+4, h.metaBox); err != nil {
		return err
	}
	if err := h.choose(); err != nil {
		return err
	}
	h.settle()
	return nil
}

// metaBox handles a box in the meta box.
func (h *heif) metaBox(x box) error {
	m := h.meta
	f := fields{b: x.b}
	var err error
	switch x.kind {
	case "hdlr":
		if len(x.b) > 24 { // behind it is a name
			h.clear(x.at+24, x.b[24:])
		}
	case "pitm":
		version, _ := f.version()
		m.primary, m.hasPrimary = f.id(version > 0), true
	case "iinf":
		version, _ := f.version()
		f.id(version > 0) // how many
		if !f.short {
			err = x.children(f.n, m.infe)
		}
	case "iloc":
		err = m.iloc(&f)
	case "iprp":
		err = x.children(0, h.propertyBox)
	case "iref":
		version, _ := f.version()
		err = x.children(4, func(r box) error { return m.iref(r, version > 0) })
	case "idat":
		if m.data != nil {
			return errIndex
		}
		m.data = &x
	case "grpl":
	default:
		h.free(x)
	}
	if f.short || m.crowded {
		return errIndex
	}
	return err
}

// item returns the item of that number.
func (m *index) item(id uint32) *item {
	i := m.items[id]
	if i == nil && len(m.items) >= maxItems {
		m.crowded = true
		return &item{}
	}
	if i == nil {
		i = &item{}
		m.items[id] = i
	}
	return i
}

// infe reads an item's entry: number, kind, name (ISO/IEC 14496-12 section 8.11.6).
func (m *index) infe(x box) error {
	if x.kind != "infe" {
		return errIndex
	}
	f := fields{b: x.b}
	version, _ := f.version()
	i := m.item(f.id(version > 2))
	if f.uint(2); version >= 2 { // protection
		i.kindAt = x.at + int64(f.n)
		i.kind = string(f.bytes(4))
	}
	if f.short || i.listed || version > 3 {
		return errIndex
	}
	i.listed, i.said, i.saidAt = true, x.b[f.n:], x.at+int64(f.n)
	return nil
}

// iloc reads where the items are (ISO/IEC 14496-12 section 8.11.3).
func (m *index) iloc(f *fields) error {
	version, _ := f.version()
	sizes := f.uint(2)
	offset, length, base, number := int(sizes>>12), int(sizes>>8&15), int(sizes>>4&15), int(sizes&15)
	if version == 0 {
		number = 0
	}
	if version > 2 || offset > 8 || length > 8 || base > 8 || number > 8 {
		return errIndex
	}
	for range f.id(version > 1) {
		i := m.item(f.id(version > 1))
		if version > 0 {
			i.method = f.uint(2) & 15
		}
		if f.uint(2) != 0 { // the data is in another file
			i.method = 15
		}
		start := f.uint(base)
		count := f.uint(2)
		if f.short || i.placed || count > 1 && offset+length+number == 0 {
			return errIndex
		}
		i.placed = true
		for range count {
			f.uint(number)
			from := start + f.uint(offset)
			to := from + f.uint(length)
			if f.short || start > 1<<62 || from < start || to < from || to > 1<<62 {
				return errPlace
			}
			i.extents = append(i.extents, span{int64(from), int64(to)})
		}
	}
	return nil
}

// iref reads references (ISO/IEC 14496-12 section 8.11.12).
func (m *index) iref(x box, long bool) error {
	f := fields{b: x.b}
	r := ref{kind: x.kind, from: f.id(long)}
	for range f.uint(2) {
		if r.to = append(r.to, f.id(long)); f.short {
			return errIndex
		}
	}
	m.refs = append(m.refs, r)
	return nil
}

// kept are the properties that say how a picture looks. Others, such as a
// description or the time of a change, go.
var keptProperties = map[string]bool{
	"av1C": true, "hvcC": true, "lhvC": true, "avcC": true, "vvcC": true, "evcC": true, "jpgC": true, "j2kH": true,
	"uncC": true, "cmpd": true, "cmpC": true, "icef": true,
	"ispe": true, "pixi": true, "pasp": true, "colr": true, "clap": true, "irot": true, "imir": true, "auxC": true, "rloc": true,
	"lsel": true, "oinf": true, "tols": true, "a1op": true, "a1lx": true,
	"clli": true, "mdcv": true, "cclv": true, "amve": true, "reve": true, "ndwt": true, "free": true,
}

// propertyBox reads the properties and which items have them (ISO/IEC 23008-12
// section 9.3).
func (h *heif) propertyBox(x box) error {
	switch {
	case x.kind == "ipma":
		return h.meta.ipma(x)
	case x.kind != "ipco":
		h.free(x)
		return nil
	case h.meta.hasProps:
		return errIndex
	}
	h.meta.hasProps = true
	return x.children(0, func(p box) error {
		if !keptProperties[p.kind] || p.kind == "free" {
			h.free(p)
		}
		h.meta.props = append(h.meta.props, p)
		return nil
	})
}

// ipma reads which items have which properties, in the order in which they apply.
func (m *index) ipma(x box) error {
	f := fields{b: x.b}
	version, flags := f.version()
	for range f.uint(4) {
		i := m.item(f.id(version > 0))
		for range f.uint(1) {
			n := f.uint(1) & 0x7F
			if flags&1 != 0 {
				n = n<<8 | f.uint(1)
			}
			i.props = append(i.props, int(n))
		}
		if f.short || len(i.props) > 255 {
			return errIndex
		}
	}
	return nil
}
