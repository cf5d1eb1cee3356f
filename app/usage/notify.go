package usage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"picora/app/fault"
	"picora/store"
)

// What a user was told of, as bits of store.Month.Told: each once a month.
const (
	storageLow uint8 = 1 << iota
	storageFull
	bandwidthLow
	bandwidthFull
)

// warn tells the user when the storage or the bandwidth is nearly used up, and when it
// is.
func (u *Usage) warn(ctx context.Context, st *store.Standing) {
	l := u.Limits(st.User)
	u.warnOf(ctx, st, st.Count.Bytes, l.ImageStorageBytes, storageLow, storageFull, "image storage",
		"Delete pictures or ask the administrator to upgrade the plan.", "No more pictures are taken in.")
	u.warnOf(ctx, st, st.Month.Served, l.ImageBandwidthBytes, bandwidthLow, bandwidthFull, "bandwidth of "+month(u.store.Now()),
		"Ask the administrator to upgrade the plan if it will not do.", "Links go on working, but no more pictures are taken in this month.")
}

func (u *Usage) warnOf(ctx context.Context, st *store.Standing, used, limit int64, low, full uint8, what, advice, consequence string) {
	if limit <= 0 { // none, or nothing that could be used up
		return
	}
	switch figures := fmt.Sprintf("%s of %s.", Size(used), Size(limit)); {
	case used >= limit:
		u.tell(ctx, st, full, full|low, "Your "+what+" is used up", figures+" "+consequence+" "+advice)
	case float64(used) >= 0.8*float64(limit):
		u.tell(ctx, st, low|full, low, "80 % of your "+what+" is used", figures+" "+advice)
	}
}

// told is err; when it says that the storage lacks room, the user is told of that as
// well, although some bytes of it may be left.
func (u *Usage) told(ctx context.Context, st *store.Standing, err error) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != fault.QuotaExceeded {
		return err
	}
	l := u.Limits(st.User)
	if f.Meta["type"] == "img_storage_bytes" && float64(st.Count.Bytes) >= 0.8*float64(l.ImageStorageBytes) {
		u.tell(ctx, st, storageFull, storageFull|storageLow, "Your image storage is full", "A picture did not fit: "+f.Message)
	}
	return err
}

// tell gives the user a notification, unless one of those bits is set this month. A
// failure is logged: what it is about went well.
func (u *Usage) tell(ctx context.Context, st *store.Standing, unless, bits uint8, title, body string) {
	if st.Month.Told&unless != 0 {
		return
	}
	n := store.Notification{User: st.User.ID, Type: "system", Title: title, Body: body}
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
