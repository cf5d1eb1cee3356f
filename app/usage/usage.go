// Package usage is how much accounts may have and how much they do have: what plans
// allow, what uploads under way will take, and the bytes that are served.
package usage

import (
	"context"
	"sync"

	"picora/app/config"
	"picora/app/fault"
	"picora/store"
)

// Usage knows the plans, the uploads under way and what was served lately.
type Usage struct {
	store *store.Store
	plans map[string]config.Plan
	free  config.Plan // of accounts without limits

	mu       sync.Mutex
	reserved map[room]int64 // bytes that uploads under way will have at least

	meters meters
	states states
	counts sync.Mutex // held by a recount
}

// New puts it together. The plans are all of config.PlanNames.
func New(s *store.Store, plans map[string]config.Plan) *Usage {
	free := config.Plan{Video: true, Watermarks: true, CustomDomains: true}
	for _, name := range config.LimitNames() {
		free.SetLimit(name, Unlimited)
	}
	return &Usage{store: s, plans: plans, free: free, reserved: map[room]int64{}, meters: meters{of: map[meterKey]*Meter{}}}
}

// Unlimited is a limit that is none.
const Unlimited = -1

// Limits is what an account may have now.
type Limits struct {
	config.Plan
	Name   string // of the plan
	Active bool   // the account may write: its plan is not "none"
}

// Limits says what the account may have: its plan's limits until the plan ends, with
// those in place that are the account's own, or none when it has no limits.
func (u *Usage) Limits(a store.User) Limits {
	l := Limits{Name: a.PlanAt(u.store.Now())}
	if a.Unlimited {
		l.Plan, l.Active = u.free, true
		return l
	}
	l.Plan, l.Active = u.plans[l.Name], l.Name != "none"
	for name, n := range a.Limits {
		l.SetLimit(name, max(n, Unlimited)) // a name of another version's is none of ours
	}
	return l
}

// APIKeys is how many API keys the account may have; negative: any number.
func (u *Usage) APIKeys(a store.User) int64 { return u.Limits(a).APIKeys }

// MayWrite refuses accounts whose plan lets them only read and delete.
func (u *Usage) MayWrite(a store.User) error {
	if u.Limits(a).Active {
		return nil
	}
	if a.PlanAt(u.store.Now()) != a.Plan {
		return fault.New(fault.PlanInactive, "This needs an upgrade: the account's plan ended on %s. What is there can be read and deleted. Ask the administrator for another plan.",
			a.PlanEnds.UTC().Format("2 January 2006"))
	}
	return fault.New(fault.PlanInactive, "This needs an upgrade: the account has no plan. What is there can be read and deleted. Ask the administrator for a plan.")
}

// MayWatermark refuses accounts whose plan has no watermarks.
func (u *Usage) MayWatermark(a store.User) error {
	if u.Limits(a).Watermarks {
		return nil
	}
	return &fault.Error{
		Code: fault.PlanRequired, Message: "Watermarks need an upgrade: the account's plan has none. Ask the administrator for a plan that does.",
		Meta: map[string]any{"plan": "pro_plus"},
	}
}

// Audio is how large, in bytes, and how long, in seconds, one audio file of the user's
// may be; negative: any. FORBIDDEN when the plan has no audio.
func (u *Usage) Audio(ctx context.Context, user string) (bytes, seconds int64, err error) {
	a, err := u.store.User(ctx, user)
	if err != nil {
		return 0, 0, err
	}
	l := u.Limits(a)
	switch {
	case l.AudioFileBytes != 0 && l.AudioSeconds != 0:
		return l.AudioFileBytes, l.AudioSeconds, nil
	case a.PlanAt(u.store.Now()) != a.Plan:
		return 0, 0, fault.New(fault.Forbidden, "Audio needs an upgrade: the account's plan ended on %s. What is there can be read and deleted. Ask the administrator for another plan.",
			a.PlanEnds.UTC().Format("2 January 2006"))
	}
	return 0, 0, fault.New(fault.Forbidden, "Audio needs an upgrade: the account's plan has none. Ask the administrator for a plan that does.")
}

// Video is how large, in bytes, and how long, in seconds, one video of the user's may be;
// negative: any. PLAN_REQUIRED when the plan has no video.
func (u *Usage) Video(ctx context.Context, user string) (bytes, seconds int64, err error) {
	a, err := u.store.User(ctx, user)
	if err != nil {
		return 0, 0, err
	}
	l := u.Limits(a)
	if l.Plan.Video && l.VideoFileBytes != 0 && l.VideoSeconds != 0 {
		return l.VideoFileBytes, l.VideoSeconds, nil
	}
	f := fault.New(fault.PlanRequired, "Video needs an upgrade: the account's plan has none. Ask the administrator for a plan that does.")
	if a.PlanAt(u.store.Now()) != a.Plan {
		f = fault.New(fault.PlanRequired, "Video needs an upgrade: the account's plan ended on %s. What is there can be read and deleted. Ask the administrator for another plan.",
			a.PlanEnds.UTC().Format("2 January 2006"))
	}
	f.Meta = map[string]any{"plan": "pro"}
	return 0, 0, f
}

// Standing is how far the user has come, with what was served a moment ago.
func (u *Usage) Standing(ctx context.Context, user string) (store.Standing, error) {
	st, err := u.store.Standing(ctx, user)
	p := u.meters.pending(user)
	st.Month.Served += p.Served
	st.Month.Played += p.Played
	return st, err
}

// Months is what the user did in the last n months, this one last, with what was sent and
// is not written down yet.
func (u *Usage) Months(ctx context.Context, user string, n int) ([]store.Traffic, error) {
	list, err := u.store.Months(ctx, user, n)
	if len(list) > 0 {
		p, this := u.meters.pending(user), &list[len(list)-1]
		this.Served += p.Served
		this.Played += p.Played
	}
	return list, err
}

// room is what a file counts against: a user's room for kinds that share it.
type room struct {
	user string
	of   store.Kind // the first of the kinds
}

func roomOf(user string, k store.Kind) room {
	if k == store.Video {
		k = store.Audio
	}
	return room{user, k}
}

// MayBegin refuses an upload of at least that many bytes, before its body
// is read, when it cannot fit beside what is there and what is under way. What may fit
// is decided for good by MayAdd, when its size is known.
func (u *Usage) MayBegin(ctx context.Context, user string, k store.Kind, least int64) error {
	st, err := u.Standing(ctx, user)
	if err != nil {
		return err
	}
	u.mu.Lock()
	under := u.reserved[roomOf(user, k)]
	u.mu.Unlock()
	return u.told(ctx, &st, u.room(&st, k, under+max(least, 1)))
}

// Reservation is the room that an upload under way takes.
type Reservation struct {
	usage *Usage
	room  room
	bytes int64
	done  bool
}

// Reserve is MayBegin, and keeps the room until the reservation's Release.
func (u *Usage) Reserve(ctx context.Context, user string, k store.Kind, least int64) (*Reservation, error) {
	r := &Reservation{usage: u, room: roomOf(user, k)}
	return r, r.Grow(ctx, least)
}

// Grow keeps room for an upload that turns out to have at least so many bytes.
func (r *Reservation) Grow(ctx context.Context, least int64) error {
	u := r.usage
	st, err := u.Standing(ctx, r.room.user)
	if err != nil {
		return err
	}
	u.mu.Lock()
	more := max(least-r.bytes, 0)
	err = u.room(&st, r.room.of, u.reserved[r.room]+max(more, 1))
	if err == nil && more > 0 {
		u.reserved[r.room] += more
		r.bytes += more
	}
	u.mu.Unlock()
	return u.told(ctx, &st, err)
}

// Release gives the room back, once: the upload is counted now, or it failed.
func (r *Reservation) Release() {
	if r == nil || r.done {
		return
	}
	u := r.usage
	u.mu.Lock()
	defer u.mu.Unlock()
	r.done = true
	if u.reserved[r.room] -= r.bytes; u.reserved[r.room] <= 0 {
		delete(u.reserved, r.room)
	}
}

// Add is the store's CreateMediaIf within the owner's limits.
func (u *Usage) Add(ctx context.Context, m store.Media) (out store.Media, fresh bool, err error) {
	var st store.Standing
	var over error
	out, fresh, err = u.store.CreateMediaIf(ctx, m, func(now store.Standing) error {
		st = now
		over = u.room(&st, m.Kind, m.Size)
		return over
	})
	switch {
	case err != nil && over != nil:
		return out, false, u.told(ctx, &st, err)
	case err == nil && fresh:
		st.Count[m.Kind].Bytes += m.Size
		u.warn(ctx, &st)
	}
	return out, fresh, err
}

// room refuses files of so many bytes that are not counted yet.
func (u *Usage) room(st *store.Standing, k store.Kind, more int64) error {
	if err := u.MayWrite(st.User); err != nil {
		return err
	}
	l := u.Limits(st.User)
	switch k {
	case store.Audio, store.Video:
		return mediaRoom(st, &l, more)
	case store.Doc:
		return docRoom(st, &l)
	}
	return imageRoom(st, &l, more)
}

// mediaBytes is how much audio and video there is.
func mediaBytes(st *store.Standing) int64 {
	return st.Count[store.Audio].Bytes + st.Count[store.Video].Bytes
}

// mediaRoom is room for audio and video.
func mediaRoom(st *store.Standing, l *Limits, more int64) error {
	used := mediaBytes(st)
	switch {
	case exceeds(used+more, l.MediaStorageBytes):
		return over("media_storage_bytes", used, l.MediaStorageBytes,
			"Audio and video storage quota exceeded: %s of %s used. Delete some, or ask the administrator to upgrade the plan.",
			Size(used), Size(l.MediaStorageBytes))
	case exceeds(st.Month.Played+1, l.MediaBandwidthBytes):
		return over("media_bandwidth_bytes", st.Month.Played, l.MediaBandwidthBytes,
			"Bandwidth quota exceeded: %s of %s of audio and video were played this month. Links go on working; upload next month, or ask the administrator to upgrade the plan.",
			Size(st.Month.Played), Size(l.MediaBandwidthBytes))
	}
	return nil
}

// docRoom is room for one more document. Their bytes are not limited together.
func docRoom(st *store.Standing, l *Limits) error {
	if n := st.Count[store.Doc].N; exceeds(n+1, l.DocCount) {
		return over("doc_count", n, l.DocCount,
			"Document quota exceeded: %d of %d documents. Delete some, or ask the administrator to upgrade the plan.", n, l.DocCount)
	}
	return nil
}

// imageRoom is room for one more picture.
func imageRoom(st *store.Standing, l *Limits, more int64) error {
	used := st.Count[store.Image].Bytes
	switch {
	case exceeds(used+more, l.ImageStorageBytes):
		return over("img_storage_bytes", used, l.ImageStorageBytes,
			"Image storage quota exceeded: %s of %s used. Delete pictures or ask the administrator to upgrade the plan.",
			Size(used), Size(l.ImageStorageBytes))
	case exceeds(st.Month.Today+1, l.ImageUploadsPerDay):
		return over("uploadsPerDay", st.Month.Today, l.ImageUploadsPerDay,
			"Upload quota exceeded: %d of %d pictures today. Go on tomorrow (UTC), or ask the administrator to upgrade the plan.",
			st.Month.Today, l.ImageUploadsPerDay)
	case exceeds(st.Month.Uploads+1, l.ImageUploadsPerMonth):
		return over("uploadsPerMonth", st.Month.Uploads, l.ImageUploadsPerMonth,
			"Upload quota exceeded: %d of %d pictures this month. Go on next month, or ask the administrator to upgrade the plan.",
			st.Month.Uploads, l.ImageUploadsPerMonth)
	case exceeds(st.Month.Served+1, l.ImageBandwidthBytes):
		return over("img_bandwidth_bytes", st.Month.Served, l.ImageBandwidthBytes,
			"Bandwidth quota exceeded: %s of %s were served this month. Links go on working; upload next month, or ask the administrator to upgrade the plan.",
			Size(st.Month.Served), Size(l.ImageBandwidthBytes))
	}
	return nil
}

func exceeds(n, limit int64) bool { return limit >= 0 && n > limit }

func over(dimension string, used, limit int64, format string, args ...any) error {
	f := fault.New(fault.QuotaExceeded, format, args...)
	f.Meta = map[string]any{"type": dimension, "used": used, "limit": limit}
	return f
}
