package store

// DropPart takes the part of that name away. Its blob is the caller's to delete.
func (m *Media) DropPart(name string) {
	kept := make([]Part, 0, len(m.Parts))
	for _, old := range m.Parts {
		if old.Name != name {
			kept = append(kept, old)
		}
	}
	m.Parts = kept
}

// Part finds a part by its name.
func (m *Media) Part(name string) (Part, bool) {
	for _, p := range m.Parts {
		if p.Name == name {
			return p, true
		}
	}
	return Part{}, false
}

// SetPart puts the part in the place of that of the same name. The blob that it
// replaces is the caller's to delete.
func (m *Media) SetPart(p Part) {
	kept := make([]Part, 0, len(m.Parts)+1) // the record that m is a copy of shares the old list
	for _, old := range m.Parts {
		if old.Name != p.Name {
			kept = append(kept, old)
		}
	}
	m.Parts = append(kept, p)
}
