package library

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"os"
	"time"

	"picora/app/fault"
	"picora/app/usage"
	"picora/store"
)

const (
	// UploadAge is how long an upload in pieces is kept after its last piece, or up to
	// noteTime less, and what is known of one that is complete.
	UploadAge = 24 * time.Hour
	// MaxUploadLength is the longest upload in pieces, in bytes.
	MaxUploadLength = 1 << 40
	maxOpenUploads  = 1000 // of a user's
)

var (
	errNoUploads = fault.New(fault.FeatureDisabled, "This server takes no uploads in pieces.")
	errLocked    = fault.New(fault.Locked, "Another request is sending this upload. Wait for its end, or a few seconds, and ask how much has arrived.")
)

// Sum is what the bytes of a piece are to give.
type Sum struct {
	Hash hash.Hash
	Want []byte
}

// UseUploads has the library take uploads in pieces, which it keeps in the folder dir. It
// is called before the start. Boot tells the runs of the machine apart.
func (l *Library) UseUploads(ctx context.Context, dir, boot string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("library: the folder for uploads: %w", err)
	}
	l.pieces = &pieces{dir: dir, held: map[string]*piece{}}
	if err := l.distrustPieces(ctx, boot); err != nil {
		return fmt.Errorf("library: uploads of an earlier run of the machine: %w", err)
	}
	return nil
}

// StartUpload begins an upload in pieces, and keeps room for all of it.
func (l *Library) StartUpload(ctx context.Context, u store.Upload) (store.Upload, error) {
	if l.pieces == nil {
		return u, errNoUploads
	}
	if err := l.mayUpload(ctx, &u); err != nil {
		return u, err
	}
	room, err := l.keepRoom(ctx, &u)
	if err != nil {
		return u, err
	}
	u.Expires = l.store.Now().Add(UploadAge)
	if u, err = l.store.CreateUpload(ctx, u, maxOpenUploads); err != nil {
		room.Release()
		if errors.Is(err, store.ErrFull) {
			err = fault.New(fault.Conflict, "There are %d uploads that were begun and not ended. End or delete some first.", maxOpenUploads)
		}
		return u, err
	}
	l.pieces.setRoom(u.ID, room)
	return u, nil
}

// mayUpload refuses an upload that could not become anything.
func (l *Library) mayUpload(ctx context.Context, u *store.Upload) error {
	if u.Length > MaxUploadLength {
		return fault.New(fault.TooLarge, "The file is larger than any that this server takes.")
	}
	if u.Kind != 0 && u.Collection != "" {
		if err := l.CollectionFor(ctx, u.User, u.Collection, u.Kind); err != nil {
			return err
		}
	}
	ch := uploadChange(u)
	if err := ch.check(); err != nil {
		return err
	}
	if err := l.sizeAllowed(ctx, u); err != nil {
		return err
	}
	return l.Room(ctx, u.Length)
}

// sizeAllowed is fits, in the words of tus.
func (l *Library) sizeAllowed(ctx context.Context, u *store.Upload) error {
	err := l.fits(ctx, u, u.Length)
	if f := fault.From(err); err != nil && f.Code == fault.Invalid {
		return fault.New(fault.TooLarge, "%s", f.Message)
	}
	return err
}

// fits refuses a file of at least n bytes that is larger than the user's plan, or this
// server, lets one of its kind be.
func (l *Library) fits(ctx context.Context, u *store.Upload, n int64) (err error) {
	switch u.Kind {
	case store.Image:
		if n > l.upload.MaxBytes {
			err = l.TooLarge()
		}
	case store.Doc:
		_, err = l.PDFRoom(ctx, u.User, n)
	case store.Audio:
		err = l.SoundRoom(ctx, u.User, n)
	case store.Video:
		err = l.FilmRoom(ctx, u.User, n)
	}
	return err
}

// keepRoom reserves the whole length within the user's quota.
func (l *Library) keepRoom(ctx context.Context, u *store.Upload) (*usage.Reservation, error) {
	if l.usage == nil {
		return nil, nil
	}
	if u.Kind != 0 {
		return l.usage.Reserve(ctx, u.User, u.Kind, u.Length)
	}
	// A part does not say what it is of: it is to fit as something.
	room, err := l.usage.Reserve(ctx, u.User, store.Video, u.Length)
	if err != nil {
		room, err = l.usage.Reserve(ctx, u.User, store.Image, u.Length)
	}
	return room, err
}

// OwnUpload finds the user's upload, and how many bytes of it are there.
func (l *Library) OwnUpload(ctx context.Context, user, id string) (u store.Upload, offset int64, err error) {
	if l.pieces == nil {
		return u, 0, errNoUploads
	}
	if u, err = l.store.Upload(ctx, user, id); err != nil {
		return u, 0, err
	}
	if !u.Expires.After(l.store.Now()) {
		return u, 0, store.ErrNotFound
	}
	if u.Done() {
		return u, u.Length, nil
	}
	offset, err = l.pieces.size(id)
	return u, offset, err
}

// LookAtUpload is OwnUpload for somebody who means to go on: a sender that fell silent is
// cut off, so that what is there stays as it is, and an upload that is all there and could
// not be taken before is taken now.
func (l *Library) LookAtUpload(ctx context.Context, user, id string) (u store.Upload, offset int64, err error) {
	if u, offset, err = l.OwnUpload(ctx, user, id); err != nil || u.Done() || u.URL != "" {
		return u, offset, err
	}
	one, err := l.pieces.take(id, false, nil)
	if errors.Is(err, errAtWork) {
		return u, offset, nil // it grows
	}
	defer l.pieces.release(one)
	if u, offset, err = l.OwnUpload(ctx, user, id); err != nil || u.Done() || offset < u.Length || u.Partial() {
		return u, offset, err
	}
	u, err = l.finishUpload(ctx, u, one)
	return u, offset, err
}

// AddPiece appends body, which begins at the byte offset, to the user's upload. Length is
// that of the body, -1 when it is not known. What has arrived is kept when the body breaks
// off, unless it came with a sum. Cut ends the request from outside. The upload that is
// whole then has become a record.
func (l *Library) AddPiece(ctx context.Context, user, id string, offset, length int64, body io.Reader, sum *Sum, cut func()) (u store.Upload, now int64, err error) {
	if l.pieces == nil {
		return u, 0, errNoUploads
	}
	if u, now, err = l.OwnUpload(ctx, user, id); err != nil {
		return u, 0, err
	}
	if u.URL != "" {
		return u, now, fault.New(fault.Forbidden, "This upload is fetched from another server; nothing can be added to it.")
	}
	one, err := l.pieces.take(id, false, cut)
	if err != nil {
		return u, 0, errLocked
	}
	defer l.pieces.release(one)
	if u, now, err = l.OwnUpload(ctx, user, id); err != nil {
		return u, 0, err
	}
	switch {
	case u.Final():
		return u, now, fault.New(fault.Forbidden, "This upload is made of others; nothing can be added to it.")
	case offset != now:
		return u, now, fault.New(fault.Conflict, "The upload has %d bytes; go on from there, not from %d.", now, offset)
	case u.Done():
		return u, now, nil
	case length > u.Length-now:
		return u, now, fault.New(fault.TooLarge, "The upload was to have %d bytes; this would be more.", u.Length)
	}
	if now, err = l.takePiece(ctx, &u, one, now, length, body, sum); err != nil {
		return u, now, err
	}
	if now == u.Length && !u.Partial() {
		u, err = l.finishUpload(ctx, u, one)
	}
	return u, now, err
}

// takePiece writes a piece behind the at bytes that are there.
func (l *Library) takePiece(ctx context.Context, u *store.Upload, one *piece, at, length int64, body io.Reader, sum *Sum) (now int64, err error) {
	if err := l.Room(ctx, max(length, 0)); err != nil {
		return at, err
	}
	key := l.intakes.begin(max(length, 0))
	defer l.intakes.end(key)
	limited := &io.LimitedReader{R: body, N: u.Length - at + 1} // one more shows that there is more
	src := io.Reader(limited)
	if sum != nil {
		src = io.TeeReader(src, sum.Hash)
	}
	arrived := func(now int64) { l.noteArrived(ctx, u, now) }
	if sum != nil || length < 0 { // it may have to be taken back
		arrived = nil
	}
	now, err = l.pieces.write(u.ID, one, at, src, arrived)
	if err == nil && sum != nil && string(sum.Hash.Sum(nil)) != string(sum.Want) {
		err = fault.New(fault.WrongSum, "The piece did not arrive as it was sent. Send it again.")
	}
	if now > u.Length && err == nil {
		err = fault.New(fault.TooLarge, "The upload was to have %d bytes; this would be more.", u.Length)
	}
	if now > u.Length || err != nil && sum != nil {
		if e := l.pieces.cutTo(u.ID, one, at); e != nil {
			return now, errors.Join(err, e)
		}
		now = at
	}
	if now > at {
		l.noteArrived(ctx, u, now)
	}
	return now, err
}

// changeUpload has edit change u, here and in the store.
func (l *Library) changeUpload(ctx context.Context, u *store.Upload, edit func(*store.Upload)) error {
	changed, err := l.store.ChangeUpload(ctx, u.User, u.ID, edit)
	if err == nil {
		*u = changed
	}
	return err
}

// finishUpload makes a record of an upload that is all there. When it is refused, it is
// gone; when the server is at fault, it stays, to be taken later.
func (l *Library) finishUpload(ctx context.Context, u store.Upload, one *piece) (store.Upload, error) {
	f, err := os.Open(l.pieces.path(u.ID))
	if err != nil {
		return u, err
	}
	defer f.Close()
	up := Upload{User: u.User, Kind: u.Kind, Filename: u.Filename, Body: f, Length: u.Length, Least: u.Length}
	ch := uploadChange(&u)
	up.Describe = ch.Apply
	if u.Kind == store.Audio || u.Kind == store.Video { // these are stored as they are
		hash, err := l.pieces.sum(ctx, u.ID, one, u.Length)
		if err != nil {
			return u, err
		}
		up.file = &wholeFile{f.Name(), hash, u.Length}
	}
	l.pieces.setRoom(u.ID, nil) // Add keeps its own
	m, fresh, err := l.Add(ctx, up)
	if err == nil && !fresh && m.Film.State == store.FilmFailed { // whoever sends it again wants that
		m, err = l.RetryFilm(ctx, m.User, m.ID)
	}
	switch {
	case err != nil && transient(err):
		l.pieces.setRoom(u.ID, l.holdRoom(&u))
		if u.Durable < u.Length {
			l.noteDurable(ctx, &u, u.Length)
		}
		return u, err
	case err != nil && u.URL != "": // whoever asks is to hear why
		return u, err
	case err != nil:
		return u, errors.Join(err, l.endUpload(ctx, &u))
	}
	done, err := l.store.ChangeUpload(ctx, u.User, u.ID, func(u *store.Upload) {
		u.Media, u.Kind, u.Duplicate, u.Ended = m.ID, m.Kind, !fresh, l.store.Now()
		u.Expires = u.Ended.Add(UploadAge)
	})
	if err != nil { // the record is there; the upload is taken for a duplicate when it is asked about
		slog.Error("that an upload is complete was not noted", "id", u.ID, "media", m.ID, "err", err)
		u.Media, u.Kind, u.Duplicate = m.ID, m.Kind, !fresh
		return u, nil
	}
	return done, l.pieces.forget(u.ID)
}

// transient reports whether the same bytes may be taken another time.
func transient(err error) bool {
	switch fault.From(err).Code {
	case fault.Internal, fault.Busy, fault.StorageFull, fault.Timeout:
		return true
	}
	return false
}

func (l *Library) holdRoom(u *store.Upload) *usage.Reservation {
	if l.usage == nil {
		return nil
	}
	k := u.Kind
	if k == 0 {
		k = store.Video
	}
	return l.usage.Hold(u.User, k, u.Length)
}

// uploadChange is what the sender said of the file.
func uploadChange(u *store.Upload) (ch Change) {
	if u.Title != "" {
		ch.Title = &u.Title
	}
	if len(u.Tags) > 0 {
		ch.Tags = &u.Tags
	}
	if u.Collection != "" {
		ch.Collection = &u.Collection
	}
	ch.Public, ch.KeepMetadata = u.Public, u.KeepMeta
	return ch
}

// RemoveUpload ends the user's upload, and gives its room back.
func (l *Library) RemoveUpload(ctx context.Context, user, id string) error {
	u, _, err := l.OwnUpload(ctx, user, id)
	if err != nil {
		return err
	}
	one, err := l.pieces.take(id, true, nil)
	if err != nil {
		return errLocked
	}
	defer l.pieces.release(one)
	return l.endUpload(ctx, &u)
}

// endUpload forgets an upload. The record goes first: a file without one is swept.
func (l *Library) endUpload(ctx context.Context, u *store.Upload) error {
	if err := l.store.RemoveUpload(ctx, u.User, u.ID); err != nil {
		return err
	}
	return l.pieces.forget(u.ID)
}

// ResumeUploads keeps, after a start, the room of the uploads that are under way, takes
// those that are whole, goes on fetching, and removes files that belong to none.
func (l *Library) ResumeUploads(ctx context.Context) error {
	if l.pieces == nil {
		return nil
	}
	known := map[string]bool{}
	err := l.eachUpload(ctx, func(u *store.Upload) error {
		known[u.ID] = u.Open()
		if u.Open() {
			l.pieces.holdRoom(u.ID, func() *usage.Reservation { return l.holdRoom(u) })
			if u.URL != "" {
				l.fetches.put(u.User, u.ID)
				return nil
			}
			now, _, err := l.LookAtUpload(ctx, u.User, u.ID)
			if errors.Is(err, store.ErrNotFound) || now.Done() { // meanwhile
				l.pieces.setRoom(u.ID, nil)
			} else if err != nil && ctx.Err() == nil {
				slog.Warn("an upload that is all there was not taken", "id", u.ID, "err", err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return l.sweepPieces(known)
}

// sweepPieces removes the files that belong to no upload under way: those of accounts that
// are gone, and what a crash left.
func (l *Library) sweepPieces(known map[string]bool) error {
	files, err := os.ReadDir(l.pieces.dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		i, err := f.Info()
		if err != nil || known[f.Name()] || time.Since(i.ModTime()) < time.Hour { // it may be newer than what is known
			continue
		}
		if err := l.pieces.forget(f.Name()); err != nil {
			return err
		}
	}
	return nil
}

// ExpireUploads removes the uploads whose time is over, and returns how many.
func (l *Library) ExpireUploads(ctx context.Context) (n int, err error) {
	if l.pieces == nil {
		return 0, nil
	}
	now, known := l.store.Now(), map[string]bool{}
	err = l.eachUpload(ctx, func(u *store.Upload) error {
		if u.Expires.After(now) {
			known[u.ID] = u.Open()
			return nil
		}
		one, err := l.pieces.take(u.ID, false, nil)
		if err != nil {
			known[u.ID] = true // it goes on after all
			return nil
		}
		defer l.pieces.release(one)
		latest, err := l.store.Upload(ctx, u.User, u.ID)
		if errors.Is(err, store.ErrNotFound) || err == nil && latest.Expires.After(now) { // meanwhile
			known[u.ID] = err == nil && latest.Open()
			if err != nil {
				return l.pieces.forget(u.ID)
			}
			return nil
		}
		if err != nil {
			return err
		}
		n++
		return l.endUpload(ctx, u)
	})
	if err != nil {
		return n, err
	}
	return n, l.sweepPieces(known)
}

func (l *Library) eachUpload(ctx context.Context, do func(*store.Upload) error) error {
	const some = 100
	for after := ""; ; {
		list, err := l.store.Uploads(ctx, after, some)
		if err != nil {
			return err
		}
		for i := range list {
			if err := do(&list[i]); err != nil {
				return err
			}
		}
		if len(list) < some {
			return nil
		}
		after = list[some-1].User + list[some-1].ID
	}
}
