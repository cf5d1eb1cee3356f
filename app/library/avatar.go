package library

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"time"

	"picora/app/fault"
	"picora/media"
	"picora/media/strip"
	"picora/store"
)

const (
	// MaxAvatar is the largest file that is taken for an avatar, in bytes (contract 7).
	MaxAvatar = 2 << 20
	// avatarSide is the width and height of what is kept of it, in pixels.
	avatarSide = 256
	// avatarMost is far more than such a picture takes, in bytes.
	avatarMost = 1 << 20
)

// avatarTypes are those that contract 7 names.
var avatarTypes = []media.Type{media.JPEG, media.PNG, media.WebP, media.GIF}

var errAvatarType = fault.New(fault.BadRequest, "An avatar is a JPEG, PNG, WebP or GIF.")

// SetAvatar makes the picture in body the user's avatar. What is kept is a small picture
// made of it, without metadata; the body itself is not. AtEnd is asked before anything
// is made: form fields may follow the file.
func (l *Library) SetAvatar(ctx context.Context, user string, body io.Reader, atEnd func() error) (u store.User, err error) {
	if l.variants == nil {
		return u, fault.New(fault.FeatureDisabled, "This server does not make pictures of pictures, and so has no avatars.")
	}
	if err := l.Room(ctx, MaxAvatar); err != nil {
		return u, err
	}
	spool, err := l.variants.cache.Create()
	if err != nil {
		return u, err
	}
	defer spool.Close()
	defer spool.Discard()
	is, err := l.takeAvatar(body, spool, atEnd)
	if err != nil {
		return u, err
	}
	spec := media.Spec{Width: avatarSide, Height: avatarSide, Fit: media.Cover, Format: "webp", Still: true}
	made, info, err := l.remakeFile(ctx, spool.File, is, spec)
	if err != nil {
		return u, undecoded(err)
	}
	defer l.intakes.end(info.Key)
	u, err = l.store.UpdateUser(ctx, user, func(u *store.User) error {
		u.Avatar, u.AvatarType, u.AvatarSet, u.AvatarLink = info.Key, made.MIME, l.store.Now(), ""
		return nil
	})
	if err != nil {
		return u, l.discard(ctx, &store.Media{Blob: info.Key}, err)
	}
	l.signalTrash()
	return u, nil
}

// takeAvatar copies the body into a file, and examines it on the way as an upload.
func (l *Library) takeAvatar(body io.Reader, to io.Writer, atEnd func() error) (media.FileArgs, error) {
	return l.spoolPicture(body, to, MaxAvatar, AvatarTooLarge, atEnd, func(head []byte) (media.Type, error) {
		t, err := media.Sniff(head)
		if err != nil || !slices.Contains(avatarTypes, t) {
			return t, errAvatarType
		}
		return t, nil
	})
}

// spoolPicture copies a picture of at most so many bytes into a file, and examines it on
// the way as an upload. Sniff tells its type, or refuses it.
func (l *Library) spoolPicture(body io.Reader, to io.Writer, most int64, tooLarge, atEnd func() error, sniff func(head []byte) (media.Type, error)) (is media.FileArgs, err error) {
	b := bufio.NewReaderSize(io.LimitReader(body, most+1), 4<<10)
	head, err := b.Peek(4 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return is, err
	}
	t, err := sniff(head)
	if err != nil {
		return is, err
	}
	in := newIntake(b, t, strip.Limits{MaxPixels: l.maxPixels()})
	defer in.stop()
	in.progress = func(n int64) error {
		if n > most {
			return tooLarge()
		}
		return nil
	}
	in.atEnd = func(_ []byte, r *strip.Report) error {
		is = media.FileArgs{MIME: t.MIME, Orientation: r.Orientation, MaxPixels: l.maxPixels()}
		return atEnd()
	}
	_, err = io.Copy(to, in)
	return is, err
}

// AvatarTooLarge is the refusal of a file above MaxAvatar.
func AvatarTooLarge() error {
	return fault.New(fault.TooLarge, "An avatar has at most %s.", size(MaxAvatar))
}

// Avatar is a picture of a user that this server has.
type Avatar struct {
	Bytes []byte
	MIME  string
	ETag  string
}

// Avatar finds the user's avatar. Those of accounts that may not be used are not shown.
func (l *Library) Avatar(ctx context.Context, user string) (a Avatar, err error) {
	u, err := l.store.User(ctx, user)
	if err != nil {
		return a, err
	}
	if u.Avatar == "" || !u.Banned.IsZero() {
		return a, store.ErrNotFound
	}
	r, err := l.blobs.Open(ctx, u.Avatar, 0, -1)
	if err != nil {
		return a, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, avatarMost))
	tag := sha256.Sum256([]byte(u.Avatar)) // no blob is named to the world
	return Avatar{b, u.AvatarType, `"` + hex.EncodeToString(tag[:16]) + `"`}, err
}

// RemoveAvatar takes the user's avatar away, whether it is here or elsewhere.
func (l *Library) RemoveAvatar(ctx context.Context, user string) error {
	_, err := l.store.UpdateUser(ctx, user, func(u *store.User) error {
		u.Avatar, u.AvatarType, u.AvatarSet, u.AvatarLink = "", "", time.Time{}, ""
		return nil
	})
	l.signalTrash()
	return err
}
