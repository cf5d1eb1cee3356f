package boltkv

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"

	"go.etcd.io/bbolt"

	"picora/store/kv"
)

// Nearly all the time of a small update is the disk's sync, so updates that are
// waiting share one. There is no timer: the caller that finds no group running
// becomes the leader and runs its own update at once, in its own goroutine;
// those that come while it does form the next group, whose oldest member leads
// it. A leader runs one group, the one it is in, and hands on.

// maxGroup bounds a group, and so how long its first member waits for the rest.
const maxGroup = 256

// update is one call of Update.
type update struct {
	ctx  context.Context
	fn   func(kv.Tx) error
	wake chan bool // true: lead the next group; false: the result is there

	chosen  bool // to lead, and not to leave the queue any more
	started bool // fn has been called
	done    bool // the fields below are the result
	err     error
	hooks   []func()
	panicky any  // what fn panicked with
	exited  bool // fn called runtime.Goexit, as t.FailNow does
}

// Update calls fn and commits what it wrote, together with updates of other
// callers; see kv.DB. An update that wrote nothing costs no commit. After a
// commit that failed for any reason but a full disk, what the file holds is not
// certain, and every update returns that error until the file is opened again.
func (d *DB) Update(ctx context.Context, fn func(kv.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	u := &update{ctx: ctx, fn: fn, wake: make(chan bool, 1)}
	if err := d.submit(u); err != nil {
		return err
	}
	switch {
	case u.exited:
		runtime.Goexit()
	case u.panicky != nil:
		panic(u.panicky)
	}
	for _, hook := range u.hooks {
		hook()
	}
	return u.err
}

// submit queues u and returns when it has a result, or was never accepted.
func (d *DB) submit(u *update) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.active.Done()

	d.mu.Lock()
	d.queue = append(d.queue, u)
	lead := !d.leading
	d.leading = true
	d.mu.Unlock()

	if lead || d.wait(u) {
		d.lead()
	}
	return nil
}

// wait returns true when u is to lead, false when it has its result.
func (d *DB) wait(u *update) bool {
	select {
	case lead := <-u.wake:
		return lead
	case <-u.ctx.Done():
		if d.leave(u) {
			u.err, u.done = u.ctx.Err(), true
			return false
		}
		return <-u.wake
	}
}

// leave takes u out of the queue, unless it is too late for that.
func (d *DB) leave(u *update) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.Index(d.queue, u)
	if i < 0 || u.chosen || u.started {
		return false
	}
	d.queue = slices.Delete(d.queue, i, i+1)
	return true
}

// lead runs one group; its own update is the first in it.
func (d *DB) lead() {
	d.mu.Lock()
	n := min(len(d.queue), maxGroup)
	group := slices.Clone(d.queue[:n])
	d.queue = slices.Delete(d.queue, 0, n)
	d.mu.Unlock()

	// Deferred for the case that a function ends this goroutine.
	defer d.handOn(group)
	for slices.ContainsFunc(group, (*update).pending) {
		d.attempt(group)
	}
}

func (u *update) pending() bool { return !u.done }

// handOn lets everyone in the group have their result and the oldest in the
// queue lead. Members without a result are there only if this goroutine is being
// ended by another one's function; they go back to the head of the queue.
func (d *DB) handOn(group []*update) {
	var left []*update
	for _, u := range group[1:] {
		if u.done {
			u.wake <- false // first, so that they may join the next group
		} else {
			left = append(left, u)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue = append(left, d.queue...)
	d.leading = len(d.queue) > 0
	if d.leading {
		d.queue[0].chosen = true
		d.queue[0].wake <- true
	}
}

// attempt runs all of the group that have no result yet in one transaction and
// commits it. It gives a result to everyone, unless a function panics: then to
// that one only, and the transaction is thrown away.
func (d *DB) attempt(group []*update) {
	if d.broken != nil {
		settle(group, d.broken)
		return
	}
	t, err := d.bolt.Begin(true)
	if err != nil {
		settle(group, fmt.Errorf("boltkv: begin: %w", err))
		return
	}
	defer func() { _ = t.Rollback() }() // after a commit it does nothing

	var bucket *bbolt.Bucket
	if err := onDamage(d.path, func() error {
		bucket = t.Bucket(bucketName)
		bucket.FillPercent = fillPercent
		return nil
	}); err != nil {
		settle(group, err)
		return
	}
	dirty, ran := false, 0
	for _, u := range group {
		if u.done {
			continue
		}
		if !u.started && u.ctx.Err() != nil {
			u.err, u.done = u.ctx.Err(), true
			continue
		}
		wrote, ok := d.call(u, bucket)
		if !ok {
			d.count(Stats{Reruns: uint64(ran)})
			return
		}
		ran++
		dirty = dirty || wrote
	}
	if dirty {
		err = d.commitTx(t)
	}
	d.tally(group, dirty, err)
	settle(group, err)
}

// call runs the function of u, and takes back what it wrote if it returns an
// error. It is not ok if the transaction must be thrown away, and then u has its
// result.
func (d *DB) call(u *update, bucket *bbolt.Bucket) (wrote, ok bool) {
	u.started = true
	w := &writer{reader: reader{bucket: bucket, writable: true}}
	returned := false
	defer func() {
		w.end()
		if returned {
			return
		}
		ok, u.done = false, true
		r := recover()
		if u.exited = r == nil; u.exited {
			return
		}
		if u.err = damage(d.path, r); u.err == nil {
			u.panicky = r
		}
	}()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	err := u.fn(w)
	u.err, u.hooks = err, w.hooks
	if err != nil {
		u.hooks = nil
		if w.revert() != nil {
			u.done, returned = true, true
			return false, false
		}
	}
	returned = true
	return err == nil && len(w.undo) > 0, true
}

// settle gives everyone who has none yet a result: err, or their own if it is nil.
func settle(group []*update, err error) {
	for _, u := range group {
		if u.done {
			continue
		}
		if err != nil {
			u.err, u.hooks = err, nil
		}
		u.done = true
	}
}

// commitTx commits t. bbolt's memory cannot be trusted after a panic.
func (d *DB) commitTx(t *bbolt.Tx) error {
	err := onPanic(func() error { return d.commit(t) })
	if err == nil {
		return nil
	}
	err = commitError(d.path, err)
	if !harmless(err) {
		d.broken = fmt.Errorf("%w (nothing is written any more until the database is opened again)", err)
	}
	return err
}

// tally counts what an attempt achieved.
func (d *DB) tally(group []*update, committed bool, err error) {
	if err != nil {
		return
	}
	var s Stats
	if committed {
		s.Commits = 1
	}
	for _, u := range group {
		if !u.done && u.err == nil {
			s.Updates++
		}
	}
	d.count(s)
}

func (d *DB) count(s Stats) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats.Commits += s.Commits
	d.stats.Updates += s.Updates
	d.stats.Reruns += s.Reruns
}
