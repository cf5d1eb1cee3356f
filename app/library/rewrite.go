package library

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"picora/app/fault"
	"picora/app/link"
	"picora/media/markdown"
	"picora/store"
)

const (
	readTime = 10 * time.Second // for taking a document apart
	// mostRewritten is how many pictures of one document are stored, whatever a plan says:
	// each takes a moment, and somebody waits for the answer.
	mostRewritten = 500
)

// embeddable are the types of embedded pictures that are stored (contract 13),
// with the endings of their files' names.
var embeddable = map[string]string{"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif", "image/svg+xml": "svg"}

// readDoc finds out what the document says of itself.
func (l *Library) readDoc(ctx context.Context, d *Doc, f docFormat) (facts markdown.Facts, err error) {
	select { // taking long texts apart takes memory
	case l.readers <- struct{}{}:
		defer func() { <-l.readers }()
	case <-ctx.Done():
		return facts, ctx.Err()
	}
	if f.name == "typst" {
		return markdown.ReadTypst(d.Content), nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	facts, err = markdown.Read(ctx, d.Content)
	if errors.Is(err, markdown.ErrIntricate) {
		facts.Warnings = append(facts.Warnings, "The text is so intricate that it was not looked for pictures: none was counted, and embedded ones stay embedded.")
		err = nil
	}
	return facts, err
}

// rewriting is the work on the embedded pictures of one document.
type rewriting struct {
	library *Library
	user    string
	name    string // of the document's file, without its ending
	report  *DocReport
	left    int // pictures that may be stored
	limit   int
	full    error               // a refusal that all others would meet, too
	done    map[[32]byte]string // addresses by the SHA-256 of what is embedded
	stored  int                 // pictures whose addresses were written
}

// rewrite stores the embedded pictures, and gives the text with their addresses in their
// places, and the address of each; empty: it stays embedded.
func (w *rewriting) rewrite(ctx context.Context, text []byte, list []markdown.Embedded) (out []byte, at []string, err error) {
	out = make([]byte, 0, len(text))
	from := 0
	for i, e := range list {
		address, err := w.picture(ctx, text[e.Data:e.End], e.Type, i)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil {
			f := fault.From(err)
			if f.Code == fault.Internal || f.Code == fault.StorageFull {
				return nil, nil, err
			}
			w.report.Failures = append(w.report.Failures, DocFailure{Index: i, Type: e.Type, Reason: f.Message})
		}
		at = append(at, address)
		if address == "" {
			continue
		}
		w.stored++
		out = append(append(out, text[from:e.Start]...), address...)
		from = e.End
	}
	return append(out, text[from:]...), at, nil
}

// picture stores one embedded picture.
func (w *rewriting) picture(ctx context.Context, data []byte, kind string, i int) (address string, err error) {
	if embeddable[kind] == "" {
		return "", fault.New(fault.Invalid, "Embedded pictures of the type %s are not stored, only PNG, JPEG, WebP, GIF and SVG.", kind)
	}
	if address, known := w.done[sha256.Sum256(data)]; known {
		return address, nil
	}
	if w.full != nil {
		return "", w.full
	}
	if w.left == 0 {
		return "", fault.New(fault.Invalid, "The document has more embedded pictures than the %d that are stored of one.", w.limit)
	}
	w.left--
	b, err := decode64(data)
	if err != nil {
		return "", err
	}
	yes := true
	m, _, err := w.library.Add(ctx, Upload{
		User: w.user, Kind: store.Image, Filename: fmt.Sprintf("%s-%d.%s", w.name, i+1, embeddable[kind]), Body: bytes.NewReader(b), Length: int64(len(b)), Least: int64(len(b)),
		Describe: func(m *store.Media) error { c := Change{Public: &yes}; return c.Apply(m) },
	})
	switch f, refused := errors.AsType[*fault.Error](err); {
	case refused && (f.Code == fault.QuotaExceeded || f.Code == fault.PlanInactive):
		w.full = err
		return "", err
	case err != nil:
		return "", err
	case !m.Public || m.Restricted || m.RequireSignature:
		return "", fault.New(fault.Invalid, "You have this picture already, and not everybody may see it.")
	}
	address = link.Of(ctx).Image(m.ID, m.Ext)
	w.done[sha256.Sum256(data)] = address
	return address, nil
}

// decode64 reads base64, of which some writers leave the end away and some use the
// alphabet of addresses.
func decode64(data []byte) ([]byte, error) {
	text := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(string(data)), "=")
	b, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(b) == 0 {
		return nil, fault.New(fault.Invalid, "The embedded picture is no base64 that can be read.")
	}
	return b, nil
}
