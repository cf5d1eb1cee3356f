package library

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"picora/store"
)

const (
	// noteTime and noteBytes are how long pieces come, and how many bytes, before it is noted
	// at the end of a piece what has come: a note is a transaction, and a piece may come many
	// times a second. Within a piece it is noted each pieceSync bytes.
	noteTime  = time.Minute
	noteBytes = pieceSync
	// bootSetting is the run of the machine that the files of uploads are of; empty: it ended
	// in order.
	bootSetting = "uploads.boot"
)

// distrustPieces takes back what a power failure may have spoiled: when the machine was
// started since, open uploads have what was noted to be on the disk. A file may have the
// length that it was to get, and zeros instead of the last bytes (ext4, delayed allocation).
// When only the program ended, all is there, and is brought to the disk now.
func (l *Library) distrustPieces(ctx context.Context, boot string) error {
	b, err := l.store.Setting(ctx, bootSetting)
	if errors.Is(err, store.ErrNotFound) {
		b, err = nil, nil
	}
	if err == nil && len(b) > 0 { // it did not end in order
		err = l.eachUpload(ctx, func(u *store.Upload) error {
			if !u.Open() || u.Final() {
				return nil
			}
			if err := l.distrust(ctx, u, string(b) == boot); err != nil { // one file is no reason to serve none
				slog.Error("an upload that was not ended in order may end in zeros", "id", u.ID, "err", err)
			}
			return ctx.Err()
		})
	}
	if err != nil {
		return err
	}
	return l.store.PutSetting(ctx, bootSetting, []byte(boot))
}

// distrust is distrustPieces for one upload. Same: it is the same run of the machine.
func (l *Library) distrust(ctx context.Context, u *store.Upload, same bool) error {
	now, err := l.pieces.size(u.ID)
	switch {
	case err != nil || now == u.Durable:
		return err
	case now > u.Durable && !same:
		return os.Truncate(l.pieces.path(u.ID), u.Durable)
	case now > u.Durable:
		if err := l.pieces.sync(u.ID); err != nil {
			return err
		}
	} // else it is a folder that is older than its database
	return l.changeUpload(ctx, u, func(u *store.Upload) { u.Durable = now })
}

// TrustUploads notes that the program ends in order: the machine may be started anew, and
// all that came of uploads in pieces stays. Nothing may write to them any more.
func (l *Library) TrustUploads(ctx context.Context) {
	if err := l.store.PutSetting(ctx, bootSetting, nil); err != nil {
		slog.Warn("uploads in pieces lose what came last when the machine is started anew", "err", err)
	}
}

// noteArrived notes now and then, and when a part is whole, that the upload has now bytes on
// the disk, and that it lives on.
func (l *Library) noteArrived(ctx context.Context, u *store.Upload, now int64) {
	expires := l.store.Now().Add(UploadAge)
	whole := u.Partial() && now == u.Length && u.Durable < now
	if whole || now-u.Durable >= noteBytes || expires.Sub(u.Expires) >= noteTime {
		l.noteDurable(ctx, u, now)
	}
}

// noteDurable notes it at once.
func (l *Library) noteDurable(ctx context.Context, u *store.Upload, now int64) {
	expires := l.store.Now().Add(UploadAge)
	err := l.changeUpload(context.WithoutCancel(ctx), u, func(u *store.Upload) { u.Expires, u.Durable = expires, now })
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		slog.Warn("what has come of an upload was not noted: it expires too early, and a power failure costs more of it", "id", u.ID, "err", err)
	}
}
