package library

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"picora/app/fault"
	"picora/app/usage"
	"picora/media"
	"picora/media/strip"
	"picora/media/worker"
	"picora/store"
	"picora/store/cache"
)

const (
	// pdfSniff is where a PDF says that it is one, in bytes (ISO 32000-1, Annex H.3).
	pdfSniff = 1024
	// MaxPDFText is how much of a PDF's text is kept, for searching, in bytes.
	MaxPDFText = 5 << 20
	// pdfTextTime bounds reading the text, whose rest is left out: somebody waits.
	pdfTextTime = 8 * time.Second
	// pdfWake bounds the wait until a worker is ready, pdfTime looking into the file,
	// pdfPageTime the picture.
	pdfWake     = time.Minute
	pdfTime     = 25 * time.Second
	pdfPageTime = 10 * time.Second
	// pdfWidth is how wide the picture of the first page is, in pixels.
	pdfWidth = 800
)

var errNoPDF = fault.New(fault.FeatureDisabled, "This server does not look into PDFs, and so takes none.")

// UsePDF lets the library take PDFs: the pool's workers are prepared for them. It is
// called once, before the start.
func (l *Library) UsePDF(p *worker.Pool) { l.pdfs = p }

// PDFRoom refuses, before its body is read, a PDF of at least that many bytes that is
// too large for the user's plan. It returns the limit.
func (l *Library) PDFRoom(ctx context.Context, user string, least int64) (most int64, err error) {
	most = l.upload.MaxBytes
	lim, err := l.docLimits(ctx, user)
	if err != nil {
		return 0, err
	}
	if lim != nil && lim.PDFFileBytes >= 0 {
		most = min(most, lim.PDFFileBytes)
	}
	if most == 0 {
		return 0, fault.New(fault.Forbidden, "PDFs need an upgrade: the account's plan has none. Ask the administrator for a plan that does.")
	}
	if least > most {
		err = pdfTooLarge(most)
	}
	return most, err
}

func pdfTooLarge(limit int64) error {
	return fault.New(fault.Invalid, "The file is larger than the %s that one PDF of this account may have.", usage.Size(limit))
}

// addPDF is Add of a PDF: a worker looks into it when it is stored, and before it has a
// record.
func (l *Library) addPDF(ctx context.Context, up Upload, room *usage.Reservation) (m store.Media, fresh bool, err error) {
	if l.pdfs == nil {
		return m, false, errNoPDF
	}
	most, err := l.PDFRoom(ctx, up.User, up.Least)
	if err != nil {
		return m, false, err
	}
	body := bufio.NewReaderSize(up.Body, pdfSniff)
	head, err := body.Peek(pdfSniff)
	if err != nil && !errors.Is(err, io.EOF) {
		return m, false, err
	}
	if !bytes.Contains(head, []byte("%PDF-")) {
		return m, false, media.Unsupported("this is no PDF; documents are PDF, Markdown (.md, .markdown) and Typst (.typ)")
	}
	t := media.PDFDocument
	m = store.Media{
		User: up.User, Kind: store.Doc, MIME: t.MIME, Ext: t.Ext, Public: true,
		Filename: CleanName(up.Filename, t.Ext), Blob: l.intakes.begin(up.Length), Text: store.Text{Format: "pdf"},
	}
	defer l.intakes.end(m.Blob)
	if err = l.takePDF(ctx, up, body, &m, most, room); err == nil {
		err = l.readPDF(ctx, &m)
		for _, p := range m.Parts {
			defer l.intakes.end(p.Blob)
		}
	}
	if d, ok := errors.AsType[duplicate](err); ok {
		return d.media, false, nil
	}
	if err != nil {
		return m, false, err
	}
	room.Release() // the record counts from here on
	return l.recordDoc(ctx, m)
}

// takePDF streams the body into the blob store while it is hashed. Whatever can be
// refused before its end is.
func (l *Library) takePDF(ctx context.Context, up Upload, body io.Reader, m *store.Media, most int64, room *usage.Reservation) error {
	go l.wakePDF(context.WithoutCancel(ctx)) // what is wrong with it is seen by the one that follows
	in := newSoundIntake(body)
	defer in.stop()
	in.progress = l.progress(ctx, up, m.Blob, most, pdfTooLarge, room)
	in.atEnd = func(hash []byte, _ *strip.Report) error {
		m.Hash, m.Size = hash, in.n
		if err := l.describe(ctx, up, m); err != nil {
			return err
		}
		return tidyDoc(m)
	}
	info, err := l.blobs.Put(ctx, m.Blob, in)
	m.BlobSize = info.Size
	return err
}

// wakePDF has a worker get ready, which takes seconds the first time: while the file
// arrives, if it can.
func (l *Library) wakePDF(ctx context.Context) error {
	_, err := l.pdfs.Do(ctx, worker.Job{Kind: "ping", Time: pdfWake})
	if errors.Is(err, worker.ErrTimeout) {
		err = worker.ErrBusy
	}
	return err
}

// tidyDoc refuses a title and tags that other documents may not have either.
func tidyDoc(m *store.Media) (err error) {
	if m.Title, err = docTitle(m.Title); err == nil {
		m.Tags, err = docTags(m.Tags)
	}
	return err
}

// readPDF has workers tell what the stored file of m is, take out its text, and draw its
// first page. On an error nothing is kept.
func (l *Library) readPDF(ctx context.Context, m *store.Media) (err error) {
	defer func() {
		if err != nil {
			err = l.discard(ctx, m, unread(err))
		}
	}()
	if err := l.wakePDF(ctx); err != nil { // which others may be waiting for, too
		return err
	}
	in, err := l.source(ctx, m.Blob)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := l.variants.cache.Create()
	if err != nil {
		return err
	}
	defer out.Close()
	defer out.Discard()
	var facts media.PDF
	args := media.PDFArgs{MaxText: MaxPDFText, TextTime: pdfTextTime, Width: pdfWidth}
	result, err := l.pdfs.Do(ctx, worker.Job{Kind: media.PDFJob, In: in.File, Out: out.File, Args: args, Time: pdfTime})
	if err == nil && json.Unmarshal(result, &facts) != nil {
		err = errNonsense
	}
	if err == nil {
		err = notePDF(m, facts)
	}
	if err != nil {
		return err
	}
	if facts.Locked {
		return nil
	}
	if err := l.keepText(ctx, m, out); err != nil {
		return err
	}
	if err := l.drawPDF(ctx, m, in, args); err != nil && !errors.Is(err, worker.ErrClosed) {
		slog.Warn("the first page of a PDF was not drawn", "file", m.Filename, "err", err) // it is readable without
	}
	return nil
}

// unread is what the sender is told of a failure to look into a PDF.
func unread(err error) error {
	if errors.Is(err, worker.ErrCrashed) {
		return media.Corrupt("the PDF cannot be read")
	}
	return unheard(err)
}

// notePDF puts into the record of m what a worker told, which is not believed.
func notePDF(m *store.Media, f media.PDF) error {
	if f.Pages < 0 || f.Pages > 1<<20 || f.Pages == 0 != f.Locked || f.Words < 0 || f.Words > MaxPDFText {
		return fmt.Errorf("%w: %+v", errNonsense, f)
	}
	m.Text.Pages, m.Text.Words = f.Pages, f.Words
	if m.Title == "" {
		m.Title = line(f.Title, maxDocTitle)
	}
	if m.Title == "" {
		m.Title = strings.TrimSuffix(m.Filename, path.Ext(m.Filename))
	}
	return nil
}

// keepText stores the text that the worker wrote as a part of m, if there is any.
func (l *Library) keepText(ctx context.Context, m *store.Media, out *cache.File) error {
	n, err := rewind(out)
	if err != nil || n == 0 {
		return err
	}
	b, err := io.ReadAll(io.LimitReader(out, MaxPDFText+1))
	if err != nil || len(b) > MaxPDFText || !utf8.Valid(b) {
		return fmt.Errorf("%w: a text of %d bytes: %w", errNonsense, n, err)
	}
	return l.keepPart(ctx, m, store.TextPart, "text/plain; charset=utf-8", out)
}

// drawPDF has a worker draw the first page.
func (l *Library) drawPDF(ctx context.Context, m *store.Media, in local, args media.PDFArgs) error {
	out, err := l.variants.cache.Create()
	if err != nil {
		return err
	}
	defer out.Close()
	defer out.Discard()
	for range 3 { // others may have the worker, and for longer than this takes
		_, err = l.pdfs.Do(ctx, worker.Job{Kind: media.PDFPageJob, In: in.File, Out: out.File, Args: args, Time: pdfPageTime})
		if !errors.Is(err, worker.ErrBusy) {
			break
		}
	}
	if err != nil {
		return err
	}
	return l.keepCover(ctx, m, out)
}

// recordDoc is record of a document.
func (l *Library) recordDoc(ctx context.Context, m store.Media) (out store.Media, fresh bool, err error) {
	put := l.store.PutDoc
	if l.usage != nil {
		put = l.usage.PutDoc
	}
	for range 5 { // as record does
		m.ID = newID(store.Doc)
		if out, _, fresh, err = put(ctx, store.NewDoc{Media: m}); !errors.Is(err, store.ErrExists) {
			break
		}
	}
	if err == nil && fresh {
		return out, true, nil
	}
	return out, false, l.discard(ctx, &m, err)
}
