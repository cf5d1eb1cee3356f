package storage

import (
	"context"
	"errors"
	"slices"
	"time"

	"picora/app/fault"
)

// Start begins to move the files, which Run does. A move to the same place that is under way
// goes on.
func (v *Storage) Start(ctx context.Context, to string) error {
	place, err := Parse(to, &v.cfg)
	if err != nil {
		return err
	}
	name := encode(place, &v.cfg)
	if st := v.snapshot(); st.To == name {
		v.rouse()
		return nil
	} else if st.To != "" {
		return fault.New(fault.Conflict, "The files are being moved to %s already. Let that end, or end it: picora blobs cancel.", v.name(st.To))
	}
	if err := v.take(ctx, func() {}); err != nil {
		return err
	}
	defer v.turn.Unlock()
	st := v.snapshot()
	at, err := v.at(&st)
	if err != nil {
		return err
	}
	if st.To != "" || at == place {
		return fault.New(fault.Conflict, "The files are in %s already, or are being moved there.", place)
	}
	if err := v.opened(ctx); err != nil {
		return err
	}
	empty, err := v.try(ctx, place, func(opened) error { return nil })
	if err != nil {
		return err
	}
	target, err := v.use(ctx, place, true)
	if err != nil {
		return refusal(place, err)
	}
	next := state{At: encode(at, &v.cfg), To: name, Ours: st.Ours}
	if next.Ours = add(next.Ours, next.At); empty {
		next.Ours = add(next.Ours, name)
	}
	v.tell(func() { v.news = progress{} })
	if err := v.keep(ctx, next); err != nil {
		return err
	}
	defer v.rouse()
	return v.blobs.Begin(context.WithoutCancel(ctx), target)
}

// add adds a place that is not in the list.
func add(list []string, place string) []string {
	if slices.Contains(list, place) {
		return list
	}
	return append(slices.Clone(list), place)
}

// take waits for the turn, and calls f until it has it.
func (v *Storage) take(ctx context.Context, f func()) error {
	for !v.turn.TryLock() {
		f()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// opened opens the places when nobody did.
func (v *Storage) opened(ctx context.Context) error {
	if v.blobs != nil {
		return nil
	}
	return v.Open(ctx)
}

// refusal says what is wrong with a place.
func refusal(p Place, err error) error {
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return err
	}
	return fault.New(fault.Invalid, "Files cannot be moved to %s: %v", p, err)
}

// rouse has Run look what there is to do.
func (v *Storage) rouse() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// Cancel ends the move there is. Before the switch the files are where they were; copies stay
// in the target. After it, files that were uploaded meanwhile are moved back.
func (v *Storage) Cancel(ctx context.Context) error {
	to := v.snapshot().To
	if to == "" {
		return fault.New(fault.NotFound, "No files are being moved.")
	}
	halt := func() {
		v.tell(func() {
			if v.halt != nil {
				v.halt()
			}
		})
	}
	if err := v.take(ctx, halt); err != nil {
		return err
	}
	defer v.turn.Unlock()
	ctx = context.WithoutCancel(ctx)
	st := v.snapshot()
	if st.To == "" {
		return fault.New(fault.Conflict, "The move has just ended: move the files back with picora blobs copy.")
	}
	if st.To != to { // to end it again would be to go on
		return fault.New(fault.Conflict, "Somebody else has just ended the move.")
	}
	next := state{At: st.At, Ours: st.Ours}
	if st.Switched {
		next = state{At: st.To, To: st.At, Switched: true, Ours: st.Ours}
	}
	if err := v.keep(ctx, next); err != nil {
		return err
	}
	v.tell(func() { v.news = progress{} })
	if v.blobs == nil {
		return nil
	}
	defer v.rouse()
	if err := v.blobs.Back(ctx); err != nil || st.Switched {
		return err
	}
	v.retire(st.To)
	return nil
}

// Use has the database say that the files are in a place, without moving any: they were
// brought there by other means. The server must not run.
func (v *Storage) Use(ctx context.Context, text string) error {
	place, err := Parse(text, &v.cfg)
	if err != nil {
		return err
	}
	if v.blobs != nil {
		return fault.New(fault.Conflict, "The server runs. Stop it first: this says where the files are, and moves none.")
	}
	st := v.snapshot()
	if st.To != "" {
		return fault.New(fault.Conflict, "The files are being moved to %s. End that first: picora blobs cancel.", v.name(st.To))
	}
	target, err := v.use(ctx, place, true)
	if err != nil {
		return refusal(place, err)
	}
	for _, err := range target.List(ctx, "", "") {
		if err != nil {
			return refusal(place, err)
		}
		return v.keep(ctx, state{At: encode(place, &v.cfg), Ours: st.Ours})
	}
	return fault.New(fault.Invalid, "There are no files in %s.", place)
}
