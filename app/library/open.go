package library

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"picora/media/strip"
	"picora/store"
	"picora/store/blob"
)

// Delivery is what the public gets of a record: its blob, or a view of it without
// metadata.
type Delivery struct {
	Size int64  // bytes
	ETag string // strong entity tag with its quotes; another content, another tag

	blob string
	plan strip.Plan // nil: the whole blob
}

// Delivery says what is delivered of m.
func (l *Library) Delivery(m *store.Media) (Delivery, error) {
	d := Delivery{Size: m.BlobSize, blob: m.Blob}
	tag := hex.EncodeToString(m.Hash[:16])
	if len(m.Plan) > 0 && !m.KeepMetadata {
		plan, err := strip.Unmarshal(m.Plan)
		if err != nil {
			return d, fmt.Errorf("library: plan of %s: %w", m.ID, err)
		}
		d.plan, d.Size = plan, plan.Size()
		tag += "-s"
	}
	d.ETag = `"` + tag + `"`
	return d, nil
}

// Part is what is delivered of a part of a record.
func (l *Library) Part(p store.Part) Delivery {
	tag := sha256.Sum256([]byte(p.Blob)) // no blob is named to the world
	return Delivery{Size: p.Size, ETag: `"` + hex.EncodeToString(tag[:16]) + `"`, blob: p.Blob}
}

// Weight is about how many bytes of memory the delivery takes.
func (d *Delivery) Weight() (n int) {
	for _, p := range d.plan {
		n += len(p.Data) + 48
	}
	return n
}

// Open reads n bytes of the delivery from off on; off+n is at most its Size.
func (l *Library) Open(ctx context.Context, d Delivery, off, n int64) (*Content, error) {
	plan := d.plan
	if plan == nil {
		plan = strip.Plan{{Len: d.Size}}
	}
	c := &Content{pieces: plan.Section(off, n)}
	lo, hi := bounds(c.pieces)
	if lo == hi { // nothing of the blob itself
		return c, nil
	}
	r, err := l.blobs.Open(ctx, d.blob, lo, hi-lo)
	if err != nil {
		return nil, err
	}
	c.blob, c.lo, c.at = r, lo, lo
	return c, nil
}

// Whole reports whether the delivery is a blob as it is stored.
func (d *Delivery) Whole() bool { return d.plan == nil }

// Presign returns an address from which whoever knows it reads the delivery, of the type
// mime, as long as life: see blob.Presigner. It is for deliveries that are Whole.
func (l *Library) Presign(ctx context.Context, d Delivery, mime, saveAs string, life time.Duration) (string, error) {
	p, ok := l.blobs.(blob.Presigner)
	if !ok || !d.Whole() {
		return "", errors.New("library: nobody else delivers it")
	}
	return p.Presign(ctx, d.blob, mime, saveAs, life)
}

// Content is a stretch of a delivery. It is read once, by WriteTo or by Read.
type Content struct {
	blob   io.ReadCloser // the blob's bytes from lo on
	lo     int64
	at     int64 // where a blob stands that is read as a stream
	pieces strip.Plan
	now    io.Reader // the piece that Read is in
}

// WriteTo writes the content to w. Bytes of a local file reach w through its
// ReadFrom as an io.LimitedReader over the *os.File, so that a connection can
// let the kernel copy them (sendfile).
func (c *Content) WriteTo(w io.Writer) (n int64, err error) {
	for {
		piece, err := c.next()
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		k, err := io.Copy(w, piece)
		n += k
		if err != nil {
			return n, err
		}
	}
}

// Read reads the content as a stream.
func (c *Content) Read(p []byte) (int, error) {
	for {
		if c.now == nil {
			piece, err := c.next()
			if err != nil {
				return 0, err
			}
			c.now = piece
		}
		n, err := c.now.Read(p)
		if err == io.EOF {
			c.now, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Close frees the blob.
func (c *Content) Close() error {
	if c.blob == nil {
		return nil
	}
	return c.blob.Close()
}

// next is a reader over the first piece that is left, or io.EOF. Ranges of a
// plan ascend, so a blob that cannot seek is read forward.
func (c *Content) next() (io.Reader, error) {
	if len(c.pieces) == 0 {
		return nil, io.EOF
	}
	p := c.pieces[0]
	c.pieces = c.pieces[1:]
	if p.Data != nil {
		return &inline{p.Data}, nil
	}
	if f, ok := c.blob.(blob.Filer); ok {
		file, off, _ := f.File()
		_, err := file.Seek(off+p.Off-c.lo, io.SeekStart)
		return &io.LimitedReader{R: file, N: p.Len}, err
	}
	_, err := io.CopyN(io.Discard, c.blob, p.Off-c.at)
	c.at = p.Off + p.Len
	return io.LimitReader(c.blob, p.Len), err
}

// bounds is the stretch of the blob from the first range in p to the last.
func bounds(p strip.Plan) (lo, hi int64) {
	for _, piece := range p {
		if piece.Data == nil && piece.Len > 0 {
			if hi == 0 {
				lo = piece.Off
			}
			hi = piece.Off + piece.Len
		}
	}
	return lo, hi
}

// inline is a bytes.Reader without WriteTo, so that io.Copy asks the writer.
type inline struct{ b []byte }

func (i *inline) Read(p []byte) (int, error) {
	if len(i.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, i.b)
	i.b = i.b[n:]
	return n, nil
}
