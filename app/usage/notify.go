package usage

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"

	"picora/app/fault"
	"picora/app/mail"
	"picora/store"
)

// What a user was told of, as bits of store.Month.Told: each once a month.
const (
	storageLow uint8 = 1 << iota
	storageFull
	bandwidthLow
	bandwidthFull
	mediaStorageLow
	mediaStorageFull
	mediaBandwidthLow
	mediaBandwidthFull
)

// warn tells the user when the storage or the bandwidth is nearly used up, and when it
// is.
func (u *Usage) warn(ctx context.Context, st *store.Standing) {
	l, lang, now := u.Limits(st.User), mail.Language(st.User.Locale, ""), u.store.Now()
	u.warnOf(ctx, st, st.Count[store.Image].Bytes, l.ImageStorageBytes, storageLow, storageFull, func(used, limit string, full bool) mail.Text {
		if full {
			return mail.StorageFull(lang, used, limit)
		}
		return mail.StorageLow(lang, used, limit)
	})
	u.warnOf(ctx, st, st.Month.Served, l.ImageBandwidthBytes, bandwidthLow, bandwidthFull, func(used, limit string, full bool) mail.Text {
		if full {
			return mail.BandwidthFull(lang, used, limit, now)
		}
		return mail.BandwidthLow(lang, used, limit, now)
	})
	u.warnOf(ctx, st, mediaBytes(st), l.MediaStorageBytes, mediaStorageLow, mediaStorageFull, func(used, limit string, full bool) mail.Text {
		if full {
			return mail.MediaStorageFull(lang, used, limit)
		}
		return mail.MediaStorageLow(lang, used, limit)
	})
	u.warnOf(ctx, st, st.Month.Played, l.MediaBandwidthBytes, mediaBandwidthLow, mediaBandwidthFull, func(used, limit string, full bool) mail.Text {
		if full {
			return mail.MediaBandwidthFull(lang, used, limit, now)
		}
		return mail.MediaBandwidthLow(lang, used, limit, now)
	})
}

func (u *Usage) warnOf(ctx context.Context, st *store.Standing, used, limit int64, low, full uint8, text func(used, limit string, full bool) mail.Text) {
	if limit <= 0 { // none, or nothing that could be used up
		return
	}
	switch {
	case used >= limit:
		u.tell(ctx, st, full, full|low, text(Size(used), Size(limit), true))
	case float64(used) >= 0.8*float64(limit):
		u.tell(ctx, st, low|full, low, text(Size(used), Size(limit), false))
	}
}

// told is err; when it says that the storage lacks room, the user is told of that as
// well, although some bytes of it may be left.
func (u *Usage) told(ctx context.Context, st *store.Standing, err error) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != fault.QuotaExceeded {
		return err
	}
	l, lang := u.Limits(st.User), mail.Language(st.User.Locale, "")
	nearly := func(used, limit int64) bool { return float64(used) >= 0.8*float64(limit) }
	switch used := mediaBytes(st); {
	case f.Meta["type"] == "img_storage_bytes" && nearly(st.Count[store.Image].Bytes, l.ImageStorageBytes):
		u.tell(ctx, st, storageFull, storageFull|storageLow, mail.DidNotFit(lang, Size(st.Count[store.Image].Bytes), Size(l.ImageStorageBytes)))
	case f.Meta["type"] == "media_storage_bytes" && nearly(used, l.MediaStorageBytes):
		u.tell(ctx, st, mediaStorageFull, mediaStorageFull|mediaStorageLow, mail.MediaDidNotFit(lang, Size(used), Size(l.MediaStorageBytes)))
	}
	return err
}

// tell gives the user a notification, unless one of those bits is set this month. A
// failure is logged: what it is about went well.
func (u *Usage) tell(ctx context.Context, st *store.Standing, unless, bits uint8, t mail.Text) {
	if st.Month.Told&unless != 0 {
		return
	}
	n := store.Notification{User: st.User.ID, Type: "system", Title: t.Subject, Body: t.Body, About: store.AboutLimits}
	if _, err := u.store.TellOnce(context.WithoutCancel(ctx), unless, bits, n); err != nil {
		slog.Warn("a user was not told of a limit", "user", st.User.ID, "err", err)
	}
}

// Size writes bytes as people do, by powers of 1024.
func Size(n int64) string {
	units := []string{"bytes", "KB", "MB", "GB", "TB", "PB"}
	f, i := float64(n), 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	s := strconv.FormatFloat(f, 'f', 1, 64)
	return strings.TrimSuffix(s, ".0") + " " + units[i]
}
