package library

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode"

	"picora/app/fault"
	"picora/app/usage"
	"picora/media"
	"picora/media/strip"
	"picora/media/worker"
	"picora/store"
	"picora/store/cache"
)

const (
	// maxCover is the largest picture that is kept of an audio file, in bytes. The worker
	// makes it, and makes it smaller.
	maxCover = 4 << 20
	// maxSeconds is more sound than any file has.
	maxSeconds = 1e7
)

var errNoSound = fault.New(fault.FeatureDisabled, "This server does not look into audio files, and so takes none.")

// soundTypes are the types of audio that are taken.
var soundTypes = map[string]media.Type{
	media.MP3.MIME: media.MP3, media.M4A.MIME: media.M4A, media.WAV.MIME: media.WAV, media.FLAC.MIME: media.FLAC, media.Ogg.MIME: media.Ogg,
}

// SoundRoom refuses, before its body is read, an audio file of a user whose plan has
// none, or one of at least that many bytes that is too large.
func (l *Library) SoundRoom(ctx context.Context, user string, least int64) error {
	if l.usage == nil {
		return nil
	}
	bytes, _, err := l.usage.Audio(ctx, user)
	if err == nil && bytes >= 0 && least > bytes {
		err = soundTooLarge(bytes)
	}
	return err
}

func soundTooLarge(limit int64) error {
	return fault.New(fault.Invalid, "The file is larger than the %s that one audio file of this account may have.", usage.Size(limit))
}

func soundTooLong(limit int64) error {
	return fault.New(fault.Invalid, "The file is longer than the %s that one audio file of this account may last.", lasting(limit))
}

// lasting writes seconds as people do.
func lasting(seconds int64) string {
	switch {
	case seconds >= 3600 && seconds%3600 == 0:
		return plural(seconds/3600, "hour")
	case seconds >= 60 && seconds%60 == 0:
		return plural(seconds/60, "minute")
	}
	return plural(seconds, "second")
}

func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// addSound is Add of an audio file: a worker looks into it when it is stored, and before
// it has a record.
func (l *Library) addSound(ctx context.Context, up Upload, room *usage.Reservation) (m store.Media, fresh bool, err error) {
	if l.variants == nil {
		return m, false, errNoSound
	}
	most, seconds := int64(-1), int64(-1)
	if l.usage != nil {
		if most, seconds, err = l.usage.Audio(ctx, up.User); err != nil {
			return m, false, err
		}
	}
	body := bufio.NewReaderSize(up.Body, media.SniffLen)
	head, err := body.Peek(media.SniffLen)
	if err != nil && !errors.Is(err, io.EOF) {
		return m, false, err
	}
	t, err := media.SniffSound(head)
	if err != nil {
		return m, false, err
	}
	tagged := strings.HasPrefix(string(head), "ID3")
	m = store.Media{
		User: up.User, Kind: store.Audio, MIME: t.MIME, Ext: t.Ext, Public: true,
		Filename: CleanName(up.Filename, t.Ext), Blob: l.intakes.begin(up.Length), Frames: 1,
	}
	defer l.intakes.end(m.Blob)
	if err = l.takeSound(ctx, up, body, &m, most, room); err == nil {
		err = l.hear(ctx, &m, tagged, seconds)
		if cover, has := m.Part(store.CoverPart); has {
			defer l.intakes.end(cover.Blob)
		}
	}
	if d, ok := errors.AsType[duplicate](err); ok {
		return d.media, false, nil
	}
	if err != nil {
		return m, false, err
	}
	room.Release() // the record counts from here on
	m, fresh, err = l.record(ctx, m)
	if fresh {
		l.hearSoon("")
	}
	return m, fresh, err
}

// takeSound streams the body into the blob store while it is hashed. Whatever can be
// refused before its end is.
func (l *Library) takeSound(ctx context.Context, up Upload, body io.Reader, m *store.Media, most int64, room *usage.Reservation) error {
	if up.file != nil {
		return l.keepFile(ctx, up, m)
	}
	in := newSoundIntake(body)
	defer in.stop()
	in.progress = l.progress(ctx, up, m.Blob, most, soundTooLarge, room)
	in.atEnd = func(hash []byte, _ *strip.Report) error {
		m.Hash, m.Size = hash, in.n
		return l.describe(ctx, up, m)
	}
	info, err := l.blobs.Put(ctx, m.Blob, in)
	m.BlobSize = info.Size
	return err
}

// hear has a worker tell what the stored file of m is, and take out its picture. On an
// error nothing is kept.
func (l *Library) hear(ctx context.Context, m *store.Media, tagged bool, seconds int64) (err error) {
	defer func() {
		if err != nil {
			err = l.discard(ctx, m, unheard(err))
		}
	}()
	out, err := l.variants.cache.Create()
	if err != nil {
		return err
	}
	defer out.Close()
	defer out.Discard()
	f, err := l.soundFacts(ctx, m, out, seconds)
	if err != nil {
		return err
	}
	if t, known := soundTypes[f.MIME]; known && tagged { // what is behind the tag was not seen before
		m.MIME, m.Ext = t.MIME, t.Ext
	} else if f.MIME != m.MIME {
		return media.Corrupt("the file says different things about what it is")
	}
	if m.Sound, err = soundOf(f); err != nil {
		return err
	}
	if seconds >= 0 && f.Duration > float64(seconds) {
		return soundTooLong(seconds)
	}
	if f.Cover {
		return l.keepCover(ctx, m, out)
	}
	return nil
}

// soundFacts has a worker look through the file of m.
func (l *Library) soundFacts(ctx context.Context, m *store.Media, out *cache.File, seconds int64) (f media.Sound, err error) {
	in, err := l.source(ctx, m.Blob)
	if err != nil {
		return f, err
	}
	defer in.Close()
	result, err := l.variants.pool.Do(ctx, worker.Job{Kind: media.SoundJob, In: in.File, Out: out.File, Args: l.soundArgs(m, seconds), Time: soundTime(m.Size)})
	if err == nil && json.Unmarshal(result, &f) != nil {
		err = errNonsense
	}
	return f, err
}

// soundArgs says what a worker is to know of the file of m. Seconds below zero are no
// limit.
func (l *Library) soundArgs(m *store.Media, seconds int64) media.SoundArgs {
	return media.SoundArgs{MIME: m.MIME, MaxPixels: l.maxPixels(), MaxSeconds: max(seconds, 0)}
}

// soundTime bounds looking through a file of so many bytes.
func soundTime(size int64) time.Duration {
	return time.Minute + time.Duration(size>>20)*time.Second/8 // 8 MB a second
}

var errNonsense = errors.New("library: a worker's answer makes no sense")

// unheard is what the sender is told of a failure to look into an audio file.
func unheard(err error) error {
	switch {
	case errors.Is(err, worker.ErrBusy):
		return &fault.Error{Code: fault.Busy, Message: "The server has too much to do just now. Send the file again in a minute.", Cause: err}
	case errors.Is(err, worker.ErrTimeout):
		return media.Unsupported("the file takes too long to look through")
	case errors.Is(err, worker.ErrMemory):
		return media.Unsupported("the file takes too much memory to look through")
	case errors.Is(err, worker.ErrCrashed):
		return media.Corrupt("the file cannot be read as sound")
	}
	return err
}

// keepCover stores the picture that the worker wrote as a part of m. It must be a whole
// JPEG.
func (l *Library) keepCover(ctx context.Context, m *store.Media, out *cache.File) error {
	n, err := rewind(out)
	if err != nil {
		return err
	}
	if _, err := walk(io.LimitReader(out, maxCover+1), media.JPEG, strip.Limits{MaxPixels: l.maxPixels()}); err != nil || n > maxCover {
		return fmt.Errorf("%w: a cover of %d bytes: %v", errNonsense, n, err)
	}
	return l.keepPart(ctx, m, store.CoverPart, media.JPEG.MIME, out)
}

// rewind goes to the start of a file that a worker wrote, and says how many bytes it has.
func rewind(f *cache.File) (n int64, err error) {
	if n, err = f.Seek(0, io.SeekEnd); err != nil {
		return 0, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return n, err
}

// keepPart stores a file as the blob of a part of m, which counts as an upload under way
// until the caller ends that.
func (l *Library) keepPart(ctx context.Context, m *store.Media, name, mime string, f *cache.File) error {
	if _, err := rewind(f); err != nil {
		return err
	}
	key := l.intakes.begin(0)
	info, err := l.blobs.Put(ctx, key, f)
	if err != nil {
		l.intakes.end(key)
		return err
	}
	m.SetPart(store.Part{Name: name, Blob: key, MIME: mime, Size: info.Size})
	return nil
}

// soundOf is what is kept of a worker's answer, which is not believed: what makes no
// sense is an error, and texts are made fit to be shown.
func soundOf(f media.Sound) (s store.Sound, err error) {
	if !sensible(f.Duration, 0, maxSeconds) || f.BitRate < 0 || f.BitRate > 1e9 || f.Channels < 0 || f.Channels > 256 || f.SampleRate < 0 || f.SampleRate > 1e7 {
		return s, fmt.Errorf("%w: %+v", errNonsense, f)
	}
	s = store.Sound{
		Codec: line(f.Codec, 32), Duration: f.Duration, BitRate: int(math.Round(float64(f.BitRate) / 1000)), Channels: f.Channels, SampleRate: f.SampleRate,
		Title: line(f.Title, maxTitle), Artist: line(f.Artist, maxTitle), Album: line(f.Album, maxTitle), Genre: line(f.Genre, maxTitle),
	}
	if f.Track > 0 && f.Track < 1e6 {
		s.Track = f.Track
	}
	if f.Year > 0 && f.Year < 1e4 {
		s.Year = f.Year
	}
	for _, c := range f.Chapters {
		if len(s.Chapters) < media.MaxChapters && sensible(c.Start, 0, maxSeconds) && sensible(c.End, c.Start, maxSeconds) {
			s.Chapters = append(s.Chapters, store.Chapter{Start: c.Start, End: c.End, Title: line(c.Title, maxTitle)})
		}
	}
	return s, nil
}

// sensible reports whether f is a number from lo to hi.
func sensible(f, lo, hi float64) bool { return f >= lo && f <= hi }

// line makes one line of at most so many characters of a text from elsewhere.
func line(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', r == '\r':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.TrimSpace(s)
	if runes := []rune(s); len(runes) > most {
		s = strings.TrimSpace(string(runes[:most]))
	}
	return s
}
