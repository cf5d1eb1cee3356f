// Package pdf reads PDFs with PDFium, which runs as WebAssembly: in memory of its own,
// without C. It is compiled to machine code once, by Prepare, before a worker's walls
// forbid new code; interpreted it would be fifty times slower.
package pdf

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"io"
	"os"
	"time"

	"github.com/klippa-app/go-pdfium"
	pdfiumerrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"

	"picora/media"
)

const (
	// memoryPages bounds PDFium's memory, in pages of 64 KiB: 256 MiB.
	memoryPages = 4096
	// maxTitle bounds the title and the author, in runes.
	maxTitle = 500
	// maxPages is more than any PDF has that is read.
	maxPages = 1 << 20
)

// engine is PDFium, compiled.
var engine pdfium.Pool

// Prepare compiles PDFium, which takes seconds.
func Prepare() (err error) {
	if engine != nil {
		return nil
	}
	engine, err = webassembly.Init(webassembly.Config{
		MaxTotal: 1, FSConfig: wazero.NewFSConfig(), Stdout: io.Discard, Stderr: io.Discard,
		RuntimeConfig: wazero.NewRuntimeConfigCompiler().WithMemoryLimitPages(memoryPages),
	})
	if err != nil {
		return fmt.Errorf("pdf: %w", err)
	}
	return nil
}

// file is an open PDF.
type file struct {
	pdfium pdfium.Pdfium
	doc    references.FPDF_DOCUMENT
	pages  int
}

var errLocked = errors.New("pdf: a password is needed")

// open opens a PDF in a PDFium of its own: nothing of one file meets another's.
func open(ctx context.Context, in *os.File) (f *file, err error) {
	if engine == nil {
		if err := Prepare(); err != nil {
			return nil, err
		}
	}
	fi, err := in.Stat()
	if err != nil {
		return nil, err
	}
	p, err := engine.GetInstanceWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("pdf: %w", err)
	}
	f = &file{pdfium: p}
	d, err := p.OpenDocument(&requests.OpenDocument{FileReader: io.NewSectionReader(in, 0, fi.Size()), FileReaderSize: fi.Size()})
	switch {
	case err == nil:
		f.doc = d.Document
	case errors.Is(err, pdfiumerrors.ErrPassword), errors.Is(err, pdfiumerrors.ErrSecurity):
		f.close()
		return nil, errLocked
	default:
		f.close()
		return nil, media.Corrupt("the PDF cannot be opened: it is damaged, or not all of it is there")
	}
	n, err := p.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: f.doc})
	if err != nil || n.PageCount < 1 || n.PageCount > maxPages {
		f.close()
		return nil, media.Corrupt("the PDF has no pages")
	}
	f.pages = n.PageCount
	return f, nil
}

// close ends the file's PDFium, whose memory is garbage then.
func (f *file) close() { f.pdfium.Close() }

// Read tells what a PDF is, and writes its text to out: of the first pages, as many as
// a.MaxText and a.TextTime have room for.
func Read(ctx context.Context, in *os.File, a media.PDFArgs, out io.Writer) (p media.PDF, err error) {
	f, err := open(ctx, in)
	if errors.Is(err, errLocked) {
		return media.PDF{Locked: true}, nil
	}
	if err != nil {
		return p, err
	}
	defer f.close()
	p.Pages, p.Title, p.Author = f.pages, f.meta("Title"), f.meta("Author")
	w := bufio.NewWriter(out)
	p.Words, p.Cut = f.text(ctx, a, w)
	return p, w.Flush()
}

// meta is an entry of the document's information.
func (f *file) meta(tag string) string {
	m, err := f.pdfium.FPDF_GetMetaText(&requests.FPDF_GetMetaText{Document: f.doc, Tag: tag})
	if err != nil {
		return ""
	}
	return oneLine(m.Value, maxTitle)
}

// text writes the text of the pages, and counts its words. A page that cannot be read
// has none.
func (f *file) text(ctx context.Context, a media.PDFArgs, w io.StringWriter) (words int, cut bool) {
	left, until := a.MaxText, time.Now().Add(a.TextTime)
	for i := range f.pages {
		if ctx.Err() != nil || a.TextTime > 0 && time.Now().After(until) {
			return words, true
		}
		t := clean(f.pageText(i))
		if t == "" {
			continue
		}
		if int64(len(t))+1 > left {
			return words, true
		}
		left -= int64(len(t)) + 1
		words += count(t)
		w.WriteString(t) // its error comes with the flush
		w.WriteString("\n")
	}
	return words, false
}

// maxPageText bounds the text of one page, in characters.
const maxPageText = 1 << 20

func (f *file) pageText(i int) string {
	page, err := f.pdfium.FPDF_LoadPage(&requests.FPDF_LoadPage{Document: f.doc, Index: i})
	if err != nil {
		return ""
	}
	defer f.pdfium.FPDF_ClosePage(&requests.FPDF_ClosePage{Page: page.Page})
	t, err := f.pdfium.FPDFText_LoadPage(&requests.FPDFText_LoadPage{Page: requests.Page{ByReference: &page.Page}})
	if err != nil {
		return ""
	}
	defer f.pdfium.FPDFText_ClosePage(&requests.FPDFText_ClosePage{TextPage: t.TextPage})
	n, err := f.pdfium.FPDFText_CountChars(&requests.FPDFText_CountChars{TextPage: t.TextPage})
	if err != nil || n.Count <= 0 {
		return ""
	}
	s, err := f.pdfium.FPDFText_GetText(&requests.FPDFText_GetText{TextPage: t.TextPage, StartIndex: 0, Count: min(n.Count, maxPageText)})
	if err != nil {
		return ""
	}
	return s.Text
}

// Picture writes the first page to out as a JPEG on white, within a.Width and half
// again as many pixels high.
func Picture(ctx context.Context, in *os.File, a media.PDFArgs, out io.Writer) error {
	if a.Width < 1 || a.Width > 4096 {
		return fmt.Errorf("pdf: %d pixels wide", a.Width)
	}
	f, err := open(ctx, in)
	if err != nil {
		return err
	}
	defer f.close()
	first := requests.Page{ByIndex: &requests.PageByIndex{Document: f.doc, Index: 0}}
	size, err := f.pdfium.GetPageSize(&requests.GetPageSize{Page: first})
	if err != nil || !(size.Width > 0 && size.Height > 0) {
		return media.Corrupt("the first page cannot be drawn")
	}
	w, h := fit(size.Width, size.Height, a.Width)
	r, err := f.pdfium.RenderPageInPixels(&requests.RenderPageInPixels{Page: first, Width: w, Height: h})
	if err != nil {
		return media.Corrupt("the first page cannot be drawn")
	}
	defer r.Cleanup()
	page := r.Result.Image
	ground := image.NewRGBA(page.Bounds())
	draw.Draw(ground, ground.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(ground, ground.Bounds(), page, page.Bounds().Min, draw.Over)
	return jpeg.Encode(out, ground, &jpeg.Options{Quality: 82})
}

// fit is the size of a page in pixels, at most so wide and half again as high.
func fit(w, h float64, width int) (int, int) {
	scale := min(float64(width)/w, float64(width)*1.5/h)
	return max(1, int(w*scale+.5)), max(1, int(h*scale+.5))
}
