package library

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"os"
	"time"

	"picora/app/fault"
	"picora/app/fetch"
	"picora/store"
)

// A file that is fetched from another server is an upload in pieces whose bytes we send
// ourselves: its record says where it is, its file how much has come. So it survives a
// restart, and is given up, found and counted like any other.

const (
	// fetchTime is how long a file may take at most, pauses included.
	fetchTime = 12 * time.Hour
	// mostTries is how often a file is asked for until more comes than ever before.
	mostTries = 6
	maxPause  = 30 * time.Second // between two tries, unless the other server says more
)

var (
	errNoFetch   = fault.New(fault.FeatureDisabled, "This server fetches no files from other servers. Upload the file itself.")
	errFetchTime = fault.New(fault.FetchFailed, "The file did not arrive within %d hours. Download it and upload the file itself.", int(fetchTime.Hours()))
	errNoFile    = fault.New(fault.FetchFailed, "The file at this address is empty.")
	errPage      = fault.New(fault.Invalid, "The address leads to a web page, not to a file. Open it, and copy the address of the file itself.")
)

// UseFetch has the library fetch files from other servers. It is called before the
// start, after UseUploads.
func (l *Library) UseFetch(c *fetch.Client) { l.fetches = newFetches(c) }

// StartFetch begins to fetch the file at u.URL, whose kind may be 0: then the bytes tell.
func (l *Library) StartFetch(ctx context.Context, u store.Upload) (store.Upload, error) {
	if l.fetches == nil || l.pieces == nil {
		return u, errNoFetch
	}
	address, err := fetch.Parse(u.URL)
	if err != nil {
		return u, err
	}
	u.URL = address.String()
	if u, err = l.StartUpload(ctx, u); err == nil {
		l.fetches.put(u.User, u.ID)
	}
	return u, err
}

// AwaitFetch waits so long for the end of a fetch, and returns how it stands then.
func (l *Library) AwaitFetch(ctx context.Context, user, id string, most time.Duration) (store.Upload, error) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-l.fetches.over(id):
	case <-timer.C:
	}
	return l.store.Upload(ctx, user, id)
}

// FetchWaits reports whether a fetch has not begun, for others are under way.
func (l *Library) FetchWaits(id string) bool { return l.fetches.waits(id) }

// Fetch fetches what is asked for until ctx ends, some files at a time.
func (l *Library) Fetch(ctx context.Context) {
	if l.fetches != nil {
		l.fetches.run(ctx, l.fetch)
	}
}

// fetch gets one file, and makes a record of it, or notes why it could not.
func (l *Library) fetch(ctx context.Context, user, id string) {
	getting, cancel := context.WithCancel(ctx)
	defer cancel()
	one, err := l.pieces.take(id, false, cancel)
	if err != nil {
		return // it is being deleted
	}
	defer l.pieces.release(one)
	u, most, err := l.OwnUpload(ctx, user, id)
	if err != nil || !u.Open() {
		if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrNotFound) {
			slog.Error("a fetch waits for the next start", "id", id, "err", err)
		}
		return
	}
	getting, stop := context.WithDeadlineCause(getting, time.Now().Add(fetchTime-l.store.Now().Sub(u.Created)), errFetchTime)
	defer stop()
	for tries := 0; ; {
		err := l.bring(getting, &u, one)
		if err == nil {
			u, err = l.finishUpload(ctx, u, one)
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		if context.Cause(getting) == errFetchTime {
			err = errFetchTime
		} else if getting.Err() != nil {
			return // deleted
		}
		if now, e := l.pieces.size(id); e == nil && now > most {
			most, tries = now, 0
		}
		tries++
		broken, again := errors.AsType[*fetch.Broken](err)
		if !again && !transient(err) || tries >= mostTries || tries > 1 && most == 0 {
			l.endFetch(ctx, &u, err)
			return
		}
		pause := min(time.Second<<(tries-1), maxPause)
		if again {
			pause = max(pause, broken.After)
		}
		select {
		case <-time.After(pause):
		case <-getting.Done():
		}
	}
}

// bring gets what is missing of the file.
func (l *Library) bring(ctx context.Context, u *store.Upload, one *piece) error {
	at, err := l.pieces.size(u.ID)
	if err != nil || at > 0 && at == u.Length {
		return err
	}
	from := at
	if u.Validator == "" { // the rest could be another file's
		from = 0
	}
	f, err := l.fetches.from.Open(ctx, u.URL, from, u.Validator)
	if err != nil {
		return err
	}
	defer f.Close()
	if f.From != at {
		if err := l.pieces.cutTo(u.ID, one, 0); err != nil {
			return err
		}
		at = 0
	}
	if err := l.expect(ctx, u, f); err != nil {
		return err
	}
	key := l.intakes.begin(max(f.Size-at, 0))
	defer l.intakes.end(key)
	for begin, ended := at, false; !ended; {
		some := &io.LimitedReader{R: f, N: progressStep}
		at, err = l.pieces.write(u.ID, one, at, some, nil)
		l.noteArrived(ctx, u, at)
		if err != nil {
			return err
		}
		ended = some.N > 0
		l.intakes.arrived(key, at-begin)
		if err := l.seen(ctx, u, at); err != nil {
			return err
		}
	}
	switch {
	case at == 0:
		return errNoFile
	case f.Size >= 0 && at != f.Size:
		return fault.New(fault.FetchFailed, "The other server said that the file has %d bytes, and sent %d.", f.Size, at)
	case at != u.Length:
		return l.changeUpload(ctx, u, func(u *store.Upload) { u.Length = at })
	}
	return nil
}

// expect looks at what the other server says of the file before it sends it.
func (l *Library) expect(ctx context.Context, u *store.Upload, f *fetch.File) error {
	size := max(f.Size, 0)
	if f.Size == 0 {
		return errNoFile
	}
	if err := l.fits(ctx, u, size); err != nil {
		return err
	}
	if err := l.Room(ctx, size-f.From); err != nil {
		return err
	}
	if err := l.pieces.grow(ctx, u.ID, size); err != nil {
		return err
	}
	if f.From > 0 {
		return nil
	}
	return l.changeUpload(ctx, u, func(u *store.Upload) {
		u.Length, u.Validator, u.Durable = size, f.Validator, 0
		if u.Filename == "" {
			u.Filename = CleanName(f.Name, "")
		}
	})
}

// seen looks at the at bytes that have come.
func (l *Library) seen(ctx context.Context, u *store.Upload, at int64) error {
	if u.Kind == 0 && at > 0 {
		if err := l.tellKind(ctx, u, at); err != nil {
			return err
		}
	}
	if err := l.fits(ctx, u, at); err != nil {
		return err
	}
	if err := l.pieces.grow(ctx, u.ID, at); err != nil {
		return err
	}
	return l.Room(ctx, 0)
}

// tellKind finds out what kind of file it is whose first at bytes are there, and whether
// there is room for such a one.
func (l *Library) tellKind(ctx context.Context, u *store.Upload, at int64) error {
	head, err := l.pieces.head(u.ID)
	if err != nil {
		return err
	}
	k, err := kindOf(head)
	if err != nil {
		return err
	}
	if k == store.Video {
		if err := CheckVideoTags(u.Tags); err != nil {
			return err
		}
	}
	if u.Collection != "" {
		if err := l.CollectionFor(ctx, u.User, u.Collection, k); err != nil {
			return err
		}
	}
	if l.usage != nil {
		l.pieces.setRoom(u.ID, nil)
		room, err := l.usage.Reserve(ctx, u.User, k, max(at, u.Length))
		if err != nil {
			return err
		}
		l.pieces.setRoom(u.ID, room)
	}
	return l.changeUpload(ctx, u, func(u *store.Upload) { u.Kind = k })
}

// endFetch notes why a file did not become a record, for whoever asks within a day.
func (l *Library) endFetch(ctx context.Context, u *store.Upload, err error) {
	f := fault.From(err)
	if head, e := l.pieces.head(u.ID); e == nil && f.Code == fault.Invalid && fetch.IsPage(head) {
		f = errPage
	}
	host := ""
	if a, e := url.Parse(u.URL); e == nil {
		host = a.Host // the rest may hold a secret
	}
	if transient(f) {
		slog.Error("a file that was fetched was not taken", "id", u.ID, "host", host, "err", err)
	} else {
		slog.Info("fetch refused", "id", u.ID, "host", host, "code", f.Code, "reason", f.Message)
	}
	meta, e := json.Marshal(f.Meta)
	if e == nil {
		e = l.changeUpload(ctx, u, func(u *store.Upload) {
			u.FaultCode, u.Fault, u.FaultMeta = string(f.Code), f.Message, meta
			u.Ended = l.store.Now()
			u.Expires = u.Ended.Add(UploadAge)
		})
	}
	if errors.Is(e, store.ErrNotFound) { // the account is gone
		e = nil
	}
	if e = errors.Join(e, l.pieces.forget(u.ID)); e != nil {
		slog.Error("that a fetch failed was not noted", "id", u.ID, "err", e)
	}
}

// FetchFault is why the upload did not become a record; nil: it may still, or it did.
func FetchFault(u *store.Upload) *fault.Error {
	if u.FaultCode == "" {
		return nil
	}
	f := fault.New(fault.Code(u.FaultCode), "%s", u.Fault)
	if json.Unmarshal(u.FaultMeta, &f.Meta) != nil {
		f.Meta = nil
	}
	return f
}

// head is how the file of an upload begins.
func (p *pieces) head(id string) ([]byte, error) {
	f, err := os.Open(p.path(id))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, 4<<10)
	n, err := io.ReadFull(f, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return b[:n], err
}

// grow keeps room for an upload that turns out to have n bytes at least.
func (p *pieces) grow(ctx context.Context, id string, n int64) error {
	p.mu.Lock()
	room := p.at(id).room
	p.mu.Unlock()
	if room == nil {
		return nil
	}
	return room.Grow(ctx, n)
}
