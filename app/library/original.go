package library

import (
	"context"

	"picora/store"
)

// Original is the file as its owner uploaded it, metadata and all; of an SVG, what the
// sanitiser left of it.
func (l *Library) Original(m *store.Media) Delivery {
	if m.Source != "" {
		return Delivery{Size: m.Size, blob: m.Source}
	}
	return Delivery{Size: m.BlobSize, blob: m.Blob}
}

// OpenOriginal reads n bytes of Original from off on; off+n is at most its Size.
func (l *Library) OpenOriginal(ctx context.Context, m *store.Media, off, n int64) (*Content, error) {
	return l.Open(ctx, l.Original(m), off, n)
}
