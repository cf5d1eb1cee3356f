package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o media_gen.go

//msgp:timezone utc

// Kind is what sort of media a record is. The numbers are part of keys.
type Kind uint8

// The kinds. A Doc is text (Markdown, Typst) or a PDF.
const (
	Image Kind = 1
	Video Kind = 2
	Audio Kind = 3
	Doc   Kind = 4
)

// Media is one stored file: its description, and where its bytes are.
type Media struct {
	ID       string `msg:"id"`
	User     string `msg:"user"`
	Kind     Kind   `msg:"kind"`
	Filename string `msg:"file"`
	Title    string `msg:"title"` // empty: none
	MIME     string `msg:"mime"`
	Ext      string `msg:"ext"`  // of the public URL, without a dot
	Size     int64  `msg:"size"` // bytes as uploaded; what the quota counts
	Hash     []byte `msg:"hash"` // SHA-256 of the bytes as uploaded

	Blob     string `msg:"blob"`  // key of the stored bytes; empty: the file was not kept
	BlobSize int64  `msg:"bsize"` // bytes in the blob (a sanitised SVG differs from its upload)
	// Plan is what may be delivered of the blob without metadata, as package
	// strip encodes it; empty: the whole blob.
	Plan         []byte `msg:"plan"`
	KeepMetadata bool   `msg:"keepmeta"` // deliver the whole blob all the same
	// Source is the blob of the file as uploaded, when it is of a type that browsers
	// do not show and Blob is what was made of it; empty: Blob is the file.
	Source string `msg:"source"`
	// Parts are what else is kept of it: see the Part names.
	Parts []Part `msg:"parts"`

	Width       int `msg:"w"` // pixels as shown, after orientation; 0: unknown
	Height      int `msg:"h"`
	Frames      int `msg:"frames"` // 1 for a still picture
	Orientation int `msg:"orient"` // of Blob, EXIF 1 to 8; 0: unknown

	// What the file's metadata says; zero: nothing.
	Taken  time.Time `msg:"taken"`
	Camera string    `msg:"camera"`
	GPS    []float64 `msg:"gps"` // latitude and longitude in degrees, WGS 84

	// Look is found out after the upload; Seen says that it was, or cannot be.
	Seen bool `msg:"seen"`
	Look Look `msg:"look"`

	Tags   []string `msg:"tags"`
	Public bool     `msg:"public"`
	// Restricted and Referers are the hot-link rule: not restricted, any page may
	// show the file; restricted, those that Referers lists, which may be nobody.
	Restricted       bool     `msg:"restricted"`
	Referers         []string `msg:"referers"`
	RequireSignature bool     `msg:"signed"`

	// Collection is the id of the collection that it is in; empty: none.
	Collection string `msg:"kb"`

	Sound Sound `msg:"sound"` // of Audio
	Text  Text  `msg:"text"`  // of Doc
	Film  Film  `msg:"film"`  // of Video

	Created time.Time `msg:"created"`
	Updated time.Time `msg:"updated"`
	// Deleted is when it went into the trash; zero: it did not. Nothing finds what is
	// in the trash but what asks for that.
	Deleted time.Time `msg:"deleted"`

	// Number is its own among its user's records, the newer the larger, and Seq that of
	// its last change among all changes of its user's. The store gives them.
	Number uint32 `msg:"num"`
	Seq    uint64 `msg:"seq"`
}

// Trashed reports whether the record is in the trash.
func (m *Media) Trashed() bool { return !m.Deleted.IsZero() }

// Name is what people know the file by.
func (m *Media) Name() string {
	if m.Title != "" {
		return m.Title
	}
	return m.Filename
}

// Part is a file that was made of the record's file or came inside it.
type Part struct {
	Name string `msg:"name"` // one of the names below; a record has each once at most
	Blob string `msg:"blob"`
	MIME string `msg:"mime"`
	Size int64  `msg:"size"` // bytes
}

// The names of parts.
const (
	CoverPart = "cover" // the picture of an audio file, or the first page of a PDF, as JPEG
	PeaksPart = "peaks" // the waveform of an audio file, as JSON
	SoundPart = "sound" // an audio file made equally loud, as AAC in MP4
	TextPart  = "text"  // the text of a PDF, UTF-8

	// Of a video, beside a part for each of its tracks, under the track's name:
	PosterPart  = "poster"  // its picture, as JPEG
	UploadPart  = "upload"  // a picture that its owner put in the place of the poster, as JPEG
	BoardPart   = "board"   // the sheets of its storyboard, JPEGs one behind the other: see Board
	PreviewPart = "preview" // a few seconds without sound, as MP4
	FilePart    = "file"    // all of it in one MP4 for players without HLS
)

// Sound is what is known of an audio file. What is not known is zero.
type Sound struct {
	Codec      string  `msg:"codec"` // FFmpeg's name
	Duration   float64 `msg:"secs"`  // seconds
	BitRate    int     `msg:"kbps"`  // thousands of bits a second
	Channels   int     `msg:"chan"`
	SampleRate int     `msg:"rate"` // hertz

	Title    string    `msg:"title"` // the file's own, and so on
	Artist   string    `msg:"artist"`
	Album    string    `msg:"album"`
	Genre    string    `msg:"genre"`
	Track    int       `msg:"track"`
	Year     int       `msg:"year"`
	Chapters []Chapter `msg:"chapters"`

	Level Level `msg:"level"`

	// Measured says that the waveform and what follows were found out, or cannot be.
	Measured bool    `msg:"measured"`
	Loudness float64 `msg:"lufs"` // integrated, LUFS (EBU R 128); 0: unknown
	TruePeak float64 `msg:"dbtp"` // dBTP; meaningless while Loudness is 0
}

// Level is what became of a wish to have an audio file equally loud.
type Level struct {
	State  LevelState `msg:"state"`
	Target float64    `msg:"target"` // LUFS
}

// LevelState is how far a Level has come.
type LevelState uint8

// The states of a Level.
const (
	LevelNone   LevelState = 0
	LevelWanted LevelState = 1 // it is to be made
	LevelMade   LevelState = 2 // it is the SoundPart
	LevelFailed LevelState = 3 // it cannot be made
)

// Chapter is a stretch of an audio or video file that has a name.
type Chapter struct {
	Start float64 `msg:"from"` // seconds
	End   float64 `msg:"to"`
	Title string  `msg:"title"`
}

// Text is what is known of a document.
type Text struct {
	Format    string `msg:"format"` // markdown, typst or pdf
	Words     int    `msg:"words"`
	Images    int    `msg:"images"`    // that it shows
	Rewritten int    `msg:"rewritten"` // of these, embedded ones that became hosted
	Path      string `msg:"path"`      // in its collection, as the client names it
	Cover     string `msg:"cover"`     // address of its first picture
	Pages     int    `msg:"pages"`     // of a PDF
	// Lineage is what the revisions of a document have in common: the id of its first.
	Lineage string `msg:"lineage"`
	// Version counts the contents that the document had, from 1; Origin says where this
	// one came from, and Written when.
	Version int       `msg:"version"`
	Origin  string    `msg:"origin"` // one of the origins; empty: UploadOrigin
	Written time.Time `msg:"written"`
}

// The origins of a document's content.
const (
	UploadOrigin  = "upload"  // it is the first
	SyncOrigin    = "sync"    // it took the place of another
	RestoreOrigin = "restore" // it was a revision
)

// Look is how a picture looks before it is loaded.
type Look struct {
	ThumbHash []byte `msg:"thumb"`  // empty: unknown, as all of it
	BlurHash  string `msg:"blur"`   //
	Colour    string `msg:"colour"` // "#rrggbb", the dominant one
	Alpha     bool   `msg:"alpha"`  // some of it is transparent
}

// Count is how much of a kind a user has.
type Count struct {
	N      int64 `msg:"n"` // those in the trash too
	Public int64 `msg:"public"`
	Bytes  int64 `msg:"bytes"` // those in the trash too
	Trash  int64 `msg:"trash"` // of N, those in the trash
}

// CreateMedia is CreateMediaIf for a user who may have everything.
func (s *Store) CreateMedia(ctx context.Context, m Media) (out Media, fresh bool, err error) {
	return s.CreateMediaIf(ctx, m, nil)
}

// CreateMediaIf adds m, whose ID the caller made, unless the user has a record of
// that kind with the same hash: then that record comes back, and fresh is false.
// ErrExists when the id is taken: try another. Otherwise may decides, nil for yes, on
// how far the user has come without m; it may be called again, and is in the
// transaction, so whatever else is added meanwhile, no two see the same room.
func (s *Store) CreateMediaIf(ctx context.Context, m Media, may func(Standing) error) (out Media, fresh bool, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		out, fresh = m, false
		if err := notGone(tx, m.User); err != nil {
			return err
		}
		old, err := mediaOf(tx, m.User, m.Kind, m.Hash)
		if err == nil {
			out = old
			return nil
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		for _, k := range [][]byte{keyMediaID(m.ID), keyTrashID(m.ID)} {
			if taken, err := has(tx, k); err != nil || taken {
				return or(err, fmt.Errorf("store: media %s: %w", m.ID, ErrExists))
			}
		}
		out.Created = s.Now()
		out.Updated = out.Created
		if may != nil {
			st, err := standing(tx, m.User, out.Created)
			if err != nil {
				return fmt.Errorf("store: the owner of %s: %w", m.ID, err)
			}
			if err := may(st); err != nil {
				return err
			}
		}
		fresh = true
		if m.Kind == Image { // limits count these alone
			if err := uploaded(tx, m.User, out.Created); err != nil {
				return err
			}
		}
		return change(tx, nil, &out)
	})
	return out, fresh && err == nil, err
}

// Media finds a record by id, whoever owns it. Those of a removed account are not
// found, though it may take a while until they are deleted.
func (s *Store) Media(ctx context.Context, id string) (m Media, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		if m, err = mediaByID(tx, id); err != nil {
			return err
		}
		return notGone(tx, m.User)
	})
	return m, err
}

// MediaByHash finds the user's record of that kind and content, one that is not in the
// trash. There may be several when one came back from there: then it is any of them.
func (s *Store) MediaByHash(ctx context.Context, user string, k Kind, hash []byte) (m Media, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		m, err = mediaOf(tx, user, k, hash)
		return err
	})
	return m, err
}

func mediaOf(tx kv.Reader, user string, k Kind, hash []byte) (Media, error) {
	prefix := append(mediaOfHash(user, hash), byte(k))
	for e, err := range tx.Scan(kv.Prefix(prefix)) {
		if err != nil {
			return Media{}, err
		}
		return mediaByID(tx, string(e.Key[len(prefix):]))
	}
	return Media{}, ErrNotFound
}

// UpdateMedia lets edit change the user's record. ErrNotFound when it is not theirs.
// Edit may run more than once; its error undoes everything. An edit that changes
// nothing leaves the time of the last change alone.
func (s *Store) UpdateMedia(ctx context.Context, user, id string, edit func(*Media) error) (m Media, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		old, err := ownMedia(tx, user, id)
		if err != nil {
			return err
		}
		m = old
		if err := edit(&m); err != nil {
			return err
		}
		if same, err := equal(&old, &m); same || err != nil {
			return err
		}
		m.Updated = s.Now()
		return change(tx, &old, &m)
	})
	return m, err
}

// DeleteMedia ends those of the user's records whose ids are given, and has their
// blobs deleted. Ids that are not theirs, and those in the trash, are passed over.
func (s *Store) DeleteMedia(ctx context.Context, user string, ids []string) (deleted []Media, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		deleted = nil
		for _, id := range ids {
			m, err := ownMedia(tx, user, id)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if err := deleteMedia(tx, &m, s.Now()); err != nil {
				return err
			}
			deleted = append(deleted, m)
		}
		return nil
	})
	return deleted, err
}

// deleteMedia ends a record at that time, and has its blobs deleted.
func deleteMedia(tx kv.Tx, m *Media, at time.Time) error {
	if err := changeAt(tx, m, nil, at); err != nil {
		return err
	}
	if m.Kind == Doc {
		if err := dropRevisions(tx, m.User, m.Text.Lineage); err != nil {
			return err
		}
	}
	for _, b := range m.Blobs() {
		if err := tx.Put(keyTrashed(b), nil); err != nil {
			return err
		}
	}
	return nil
}

// Unseen lists up to limit pictures of which nobody knows yet how they look, the
// newest first.
func (s *Store) Unseen(ctx context.Context, limit int) (list []Media, err error) {
	r := kv.Prefix(keyUnseen)
	r.Reverse = true
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list = nil
		for e, err := range tx.Scan(r) {
			if err != nil || len(list) == limit {
				return err
			}
			var m Media
			if err := get(tx, keyPlace(string(e.Value), string(e.Key[len(keyUnseen):])), &m); err != nil {
				return err
			}
			list = append(list, m)
		}
		return nil
	})
	return list, err
}

// SetLooks notes how pictures look, by id, and that they were seen. Ids of which
// there is no picture any more are passed over. It is no change in the owner's eyes:
// Updated stays.
func (s *Store) SetLooks(ctx context.Context, looks map[string]Look) error {
	return s.db.Update(ctx, func(tx kv.Tx) error {
		for id, l := range looks {
			old, err := mediaByID(tx, id)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			m := old
			m.Seen, m.Look = true, l
			if err := change(tx, &old, &m); err != nil {
				return err
			}
		}
		return nil
	})
}

// Count is how much of the kind the user has.
func (s *Store) Count(ctx context.Context, user string, k Kind) (c Count, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		if err := get(tx, keyCount(user, k), &c); !errors.Is(err, ErrNotFound) {
			return err
		}
		return nil
	})
	return c, err
}

func mediaByID(tx kv.Reader, id string) (m Media, err error) {
	at, err := getKey(tx, keyMediaID(id))
	if err != nil {
		return m, err
	}
	err = get(tx, keyPlace(string(at), id), &m)
	return m, err
}

// equal reports whether two records say the same.
func equal(a, b *Media) (bool, error) {
	x, err := a.MarshalMsg(nil)
	if err != nil {
		return false, err
	}
	y, err := b.MarshalMsg(nil)
	return bytes.Equal(x, y), err
}

func ownMedia(tx kv.Reader, user, id string) (Media, error) {
	m, err := mediaByID(tx, id)
	if err == nil && m.User != user {
		return Media{}, ErrNotFound
	}
	return m, err
}

// Blobs are the keys of all that the record keeps. A video has no blob of its own when
// its file was not to be kept.
func (m *Media) Blobs() []string {
	var list []string
	if m.Blob != "" {
		list = append(list, m.Blob)
	}
	if m.Source != "" {
		list = append(list, m.Source)
	}
	for _, p := range m.Parts {
		list = append(list, p.Blob)
	}
	return list
}

func (c *Count) add(m *Media, sign int64) {
	if m == nil {
		return
	}
	c.N += sign
	c.Bytes += sign * m.Size
	switch {
	case m.Trashed():
		c.Trash += sign
	case m.Public:
		c.Public += sign
	}
}
