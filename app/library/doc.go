package library

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"picora/app/fault"
	"picora/app/usage"
	"picora/media/markdown"
	"picora/store"
)

// MaxDoc is the largest document that is taken as text, in bytes, whatever a plan says.
const MaxDoc = 5 << 20

// What a document's record may say, in characters and entries (contract 13).
const (
	maxDocTitle = 200
	maxDocTags  = 10
	maxDocTag   = 32
)

// Doc is a document of text on its way in.
type Doc struct {
	User     string
	Filename string // ends in .md, .markdown or .typ
	Content  []byte // UTF-8
	Title    string // empty: the document's own, or its file's name
	// Tags and Public are nil when the client did not say: then the document itself does,
	// or the one whose place it takes.
	Tags   *[]string
	Public *bool
	// Collection and Path are where it is to be, both or none. A document that is there is
	// replaced.
	Collection, Path string
	// Rewrite has embedded pictures stored as pictures, and their addresses written in
	// their places.
	Rewrite  bool
	restored *store.Revision // whose text this is; nil: a new one's
}

// DocReport is what happened to a document on its way in.
type DocReport struct {
	Duplicate bool   // the user has this content already, and gets that document
	Replaced  string // id of the document whose place it took
	Failures  []DocFailure
	Warnings  []string
}

// DocFailure is an embedded picture that could not be stored, and is still embedded.
type DocFailure struct {
	Index  int    // of the embedded pictures, from 0
	Type   string // as it calls itself
	Reason string
}

// AddDoc takes a document. When it returns without error the document survives a power
// failure.
func (l *Library) AddDoc(ctx context.Context, d Doc) (m store.Media, r DocReport, err error) {
	format, err := l.checkDoc(ctx, &d)
	if err != nil {
		return m, r, err
	}
	hash := d.hash()
	old, err := l.store.MediaByHash(ctx, d.User, store.Doc, hash)
	if err == nil {
		return old, DocReport{Duplicate: true}, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return m, r, err
	}
	if err := l.roomForDoc(ctx, &d); err != nil {
		return m, r, err
	}
	facts, err := l.readDoc(ctx, &d, format)
	if err != nil {
		return m, r, err
	}
	r.Warnings = facts.Warnings
	m = d.record(format, hash, &facts, &r)
	content := d.Content
	if d.Rewrite && len(facts.Embedded) > 0 {
		if content, err = l.rewrite(ctx, &d, &facts, &m, &r); err != nil {
			return m, r, err
		}
	}
	m, r.Duplicate, r.Replaced, err = l.storeDoc(ctx, &d, m, content)
	return m, r, err
}

// hash is the SHA-256 of the text as it was uploaded: that of a revision may be another
// than that of its text, in which addresses of pictures were written.
func (d *Doc) hash() []byte {
	if d.restored != nil {
		return d.restored.Hash
	}
	sum := sha256.Sum256(d.Content)
	return sum[:]
}

// record is the document's record as far as the document tells.
func (d *Doc) record(f docFormat, hash []byte, facts *markdown.Facts, r *DocReport) store.Media {
	stem := strings.TrimSuffix(d.Filename, path.Ext(d.Filename))
	m := store.Media{
		User: d.User, Kind: store.Doc, Filename: d.Filename, MIME: f.mime, Ext: f.ext,
		Title: clipTitle(cmp.Or(d.Title, facts.Title, facts.Heading, stem, d.Filename)),
		Hash:  hash, Public: true, Collection: d.Collection,
		Text: store.Text{Format: f.name, Path: d.Path, Words: facts.Words, Images: facts.Images, Cover: clipCover(facts.Cover)},
	}
	if d.restored != nil {
		m.Text.Origin, m.Text.Rewritten = store.RestoreOrigin, d.restored.Rewritten
	}
	if d.Public == nil {
		d.Public = facts.Public
	}
	if d.Tags == nil && len(facts.Tags) > 0 {
		tags, err := docTags(facts.Tags)
		if err != nil {
			r.Warnings = append(r.Warnings, "The tags of the front matter were passed over: a document has at most 10, each of at most 32 characters.")
		} else {
			d.Tags = &tags
		}
	}
	return m
}

// rewrite stores the embedded pictures of a document, and returns its text with their
// addresses.
func (l *Library) rewrite(ctx context.Context, d *Doc, facts *markdown.Facts, m *store.Media, r *DocReport) ([]byte, error) {
	limit := mostRewritten
	if lim, err := l.docLimits(ctx, d.User); err != nil {
		return nil, err
	} else if lim != nil && lim.DocImages >= 0 {
		limit = min(limit, int(lim.DocImages))
	}
	w := rewriting{
		library: l, user: d.User, name: strings.TrimSuffix(d.Filename, path.Ext(d.Filename)), report: r,
		left: limit, limit: limit, done: map[[32]byte]string{},
	}
	text, at, err := w.rewrite(ctx, d.Content, facts.Embedded)
	if err != nil {
		return nil, err
	}
	m.Text.Rewritten = w.stored
	for i, e := range facts.Embedded {
		if at[i] != "" && (m.Text.Cover == "" || e.At < facts.CoverAt) {
			m.Text.Cover, facts.CoverAt = at[i], e.At
		}
	}
	return text, nil
}

// clipTitle is a title that was found, as long as titles may be.
func clipTitle(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s))
	if utf8.RuneCountInString(s) > maxDocTitle {
		s = string([]rune(s)[:maxDocTitle])
	}
	return s
}

// clipCover is an address that was found; one that is very long is none.
func clipCover(s string) string {
	if len(s) > 2048 {
		return ""
	}
	return s
}

// storeDoc writes the content, then the record.
func (l *Library) storeDoc(ctx context.Context, d *Doc, m store.Media, content []byte) (out store.Media, duplicate bool, replaced string, err error) {
	m.Size = int64(len(content))
	m.Blob = l.intakes.begin(m.Size)
	defer l.intakes.end(m.Blob)
	info, err := l.blobs.Put(ctx, m.Blob, bytes.NewReader(content))
	if err != nil {
		return m, false, "", err
	}
	m.BlobSize = info.Size
	account, err := l.store.User(ctx, m.User)
	if err != nil {
		return m, false, "", l.discard(ctx, &m, err)
	}
	in := store.NewDoc{Media: m, Keep: kept(&account, d.restored != nil), Settle: d.settle}
	put := l.store.PutDoc
	if l.usage != nil {
		put = l.usage.PutDoc
	}
	var fresh bool
	for range 5 { // as record does
		in.ID = newID(store.Doc)
		if out, replaced, fresh, err = put(ctx, in); !errors.Is(err, store.ErrExists) {
			break
		}
	}
	if err != nil || !fresh {
		return out, err == nil, "", l.discard(ctx, &m, err)
	}
	if replaced != "" {
		l.onEdit(replaced)
		l.signalTrash()
	}
	return out, false, replaced, nil
}

// defaultVersions is how many revisions of a document are kept when its owner did not
// say.
const defaultVersions = 10

// kept is how many revisions of a document its owner keeps. What a restored revision
// replaces is kept in any case: whoever goes back may want to go forward again.
func kept(u *store.User, restored bool) int {
	n := u.DocVersioningMax
	if n == 0 {
		n = defaultVersions
	}
	if !u.DocVersioning && !restored {
		return 0
	}
	return n
}

// settle completes the record when it is known whose place it takes.
func (d *Doc) settle(m, old *store.Media) {
	if old != nil { // what nobody said anything about stays as it was: above all, private
		m.Public, m.Tags = old.Public, old.Tags
	}
	if d.Public != nil {
		m.Public = *d.Public
	}
	if d.Tags != nil {
		m.Tags = *d.Tags
	}
}

// docFormat is a kind of text that is taken.
type docFormat struct{ name, mime, ext string }

// docFormats are the kinds by the ending of the file's name.
var docFormats = map[string]docFormat{
	".md":       {"markdown", "text/markdown", "md"},
	".markdown": {"markdown", "text/markdown", "md"},
	".typ":      {"typst", "text/typst", "typ"},
}

// checkDoc refuses what no document may be, and tidies the rest.
func (l *Library) checkDoc(ctx context.Context, d *Doc) (f docFormat, err error) {
	name := strings.TrimSpace(d.Filename)
	if n := utf8.RuneCountInString(name); n < 1 || n > maxName {
		return f, fault.New(fault.Invalid, "filename has 1 to %d characters.", maxName)
	}
	d.Filename = CleanName(name, "md")
	f, known := docFormats[strings.ToLower(path.Ext(d.Filename))]
	if !known {
		return f, fault.New(fault.Invalid, "filename ends in .md, .markdown or .typ.")
	}
	if d.Title, err = docTitle(d.Title); err != nil {
		return f, err
	}
	if d.Tags != nil {
		tags, err := docTags(*d.Tags)
		if err != nil {
			return f, err
		}
		d.Tags = &tags
	}
	if d.Path, err = docPath(d.Path); err != nil {
		return f, err
	}
	if (d.Collection == "") != (d.Path == "") {
		return f, fault.New(fault.Invalid, "kbId and relativePath go together: send both, or none.")
	}
	if d.Collection != "" {
		if err := l.CollectionFor(ctx, d.User, d.Collection, store.Doc); err != nil {
			return f, err
		}
	}
	return f, l.checkContent(ctx, d)
}

func (l *Library) checkContent(ctx context.Context, d *Doc) error {
	limit := int64(MaxDoc)
	if lim, err := l.docLimits(ctx, d.User); err != nil {
		return err
	} else if lim != nil && lim.DocFileBytes >= 0 {
		limit = min(limit, lim.DocFileBytes)
	}
	switch n := int64(len(d.Content)); {
	case n > limit:
		return fault.New(fault.Invalid, "content is larger than the %s that a document may have.", size(limit))
	case n == 0:
		return fault.New(fault.Invalid, "content is empty.")
	case !utf8.Valid(d.Content) || bytes.IndexByte(d.Content, 0) >= 0:
		return fault.New(fault.Invalid, "content is not text: it is to be UTF-8 without NUL characters.")
	}
	return nil
}

// docLimits is what the user's plan allows; nil when nobody is limited.
func (l *Library) docLimits(ctx context.Context, user string) (*usage.Limits, error) {
	if l.usage == nil {
		return nil, nil
	}
	u, err := l.store.User(ctx, user)
	if err != nil {
		return nil, err
	}
	lim := l.usage.Limits(u)
	return &lim, nil
}

// roomForDoc refuses a document for which there is no room, before anything is done
// for it. One that takes another's place needs none.
func (l *Library) roomForDoc(ctx context.Context, d *Doc) error {
	if err := l.Room(ctx, int64(len(d.Content))); err != nil || l.usage == nil {
		return err
	}
	if d.Collection != "" {
		_, err := l.store.DocAt(ctx, d.User, d.Collection, d.Path)
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return l.usage.MayAddDoc(ctx, d.User)
}

// docTitle tidies a title and refuses one that is too long.
func docTitle(s string) (string, error) {
	s = strings.TrimSpace(strings.ToValidUTF8(s, ""))
	if utf8.RuneCountInString(s) > maxDocTitle {
		return "", fault.New(fault.Invalid, "title has at most %d characters.", maxDocTitle)
	}
	return s, nil
}

// docTags refuses tags that documents may not have.
func docTags(in []string) ([]string, error) {
	tags, err := cleanTags(in)
	if err != nil || len(tags) > maxDocTags {
		return nil, fault.New(fault.Invalid, "tags has at most %d entries, each of 1 to %d visible characters.", maxDocTags, maxDocTag)
	}
	for _, t := range tags {
		if utf8.RuneCountInString(t) > maxDocTag {
			return nil, fault.New(fault.Invalid, "tags: %q has more than %d characters.", t, maxDocTag)
		}
	}
	return tags, nil
}

// maxPath bounds paths in collections, in bytes.
const maxPath = 1024

// docPath tidies a path in a collection: names with slashes between, none of which
// leads elsewhere.
func docPath(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	bad := fault.New(fault.Invalid, "relativePath is a path such as notes/2026/today.md: at most %d bytes, without . or .. or empty parts, and no backslash.", maxPath)
	if len(s) > maxPath || !utf8.ValidString(s) || strings.ContainsRune(s, '\\') {
		return "", bad
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == "" || part == "." || part == ".." || CleanName(part, "md") != part {
			return "", bad
		}
	}
	return s, nil
}

// readText reads the text of a document or revision.
func (l *Library) readText(ctx context.Context, key string, size int64) ([]byte, error) {
	r, err := l.blobs.Open(ctx, key, 0, size)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := make([]byte, size)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("library: document %s: %w", key, err)
	}
	return b, nil
}
