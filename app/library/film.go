package library

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"picora/app/fault"
	"picora/app/usage"
	"picora/media"
	"picora/media/strip"
	"picora/media/worker"
	"picora/store"
)

const (
	// filmTime bounds a look at the heads of a video file.
	filmTime = time.Minute
	// maxSide and maxFilmRate are more pixels, and pictures a second, than any video has.
	maxSide     = 32768
	maxFilmRate = 1000
)

var errNoFilm = fault.New(fault.FeatureDisabled, "This server does not look into videos, and so takes none.")

// filmTypes are the types of video that are taken.
var filmTypes = map[string]media.Type{}

func init() {
	for _, t := range []media.Type{media.MP4, media.MOV, media.ThreeGP, media.MKV, media.WebM, media.AVI, media.MPEGTS, media.MPEGPS, media.FLV, media.WMV, media.OggVideo} {
		filmTypes[t.MIME] = t
	}
}

// FilmRoom refuses, before its body is read, a video of a user whose plan has none, or one
// of at least that many bytes that is too large.
func (l *Library) FilmRoom(ctx context.Context, user string, least int64) error {
	if l.usage == nil {
		return nil
	}
	bytes, _, err := l.usage.Video(ctx, user)
	if err == nil && bytes >= 0 && least > bytes {
		err = filmTooLarge(bytes)
	}
	return err
}

func filmTooLarge(limit int64) error {
	return fault.New(fault.Invalid, "The file is larger than the %s that one video of this account may have.", usage.Size(limit))
}

func filmTooLong(limit int64) error {
	return fault.New(fault.Invalid, "The video is longer than the %s that one video of this account may last.", lasting(limit))
}

// addFilm is Add of a video: a worker looks at the heads of the file when it is stored,
// and before it has a record. Whatever is made of it is made later: the record comes with
// a job.
func (l *Library) addFilm(ctx context.Context, up Upload, room *usage.Reservation) (m store.Media, fresh bool, err error) {
	if l.films == nil {
		return m, false, errNoFilm
	}
	most, seconds := int64(-1), int64(-1)
	if l.usage != nil {
		if most, seconds, err = l.usage.Video(ctx, up.User); err != nil {
			return m, false, err
		}
	}
	body := bufio.NewReaderSize(up.Body, media.SniffLen)
	head, err := body.Peek(media.SniffLen)
	if err != nil && !errors.Is(err, io.EOF) {
		return m, false, err
	}
	t, err := media.SniffVideo(head)
	if err != nil {
		return m, false, err
	}
	m = store.Media{
		User: up.User, Kind: store.Video, MIME: t.MIME, Ext: t.Ext, Public: true,
		Filename: CleanName(up.Filename, t.Ext), Blob: l.intakes.begin(up.Length),
	}
	defer l.intakes.end(m.Blob)
	if err = l.takeFilm(ctx, up, body, &m, most, room); err == nil {
		err = l.watch(ctx, &m, seconds)
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
		signal(l.films.arrived)
	}
	return m, fresh, err
}

// takeFilm streams the body into the blob store while it is hashed. Whatever can be
// refused before its end is.
func (l *Library) takeFilm(ctx context.Context, up Upload, body io.Reader, m *store.Media, most int64, room *usage.Reservation) error {
	if up.file != nil {
		return l.keepFile(ctx, up, m)
	}
	in := newSoundIntake(body)
	defer in.stop()
	in.progress = l.progress(ctx, up, m.Blob, most, filmTooLarge, room)
	in.atEnd = func(hash []byte, _ *strip.Report) error {
		m.Hash, m.Size = hash, in.n
		return l.describe(ctx, up, m)
	}
	info, err := l.blobs.Put(ctx, m.Blob, in)
	m.BlobSize = info.Size
	return err
}

// watch has a worker tell what the stored file of m is. On an error nothing is kept.
func (l *Library) watch(ctx context.Context, m *store.Media, seconds int64) (err error) {
	defer func() {
		if err != nil {
			err = l.discard(ctx, m, unwatched(err))
		}
	}()
	in, err := l.source(ctx, m.Blob)
	if err != nil {
		return err
	}
	defer in.Close()
	result, err := l.variants.pool.Do(ctx, worker.Job{Kind: media.VideoJob, In: in.File, Args: l.filmArgs(m, seconds), Time: filmTime})
	if err != nil {
		return err
	}
	var f media.Video
	if json.Unmarshal(result, &f) != nil {
		return errNonsense
	}
	if t, known := filmTypes[f.MIME]; known {
		m.MIME, m.Ext = t.MIME, t.Ext
	} else {
		return media.Corrupt("the file says different things about what it is")
	}
	if err := describeFilm(m, &f); err != nil {
		return err
	}
	if seconds >= 0 && f.Duration > float64(seconds) {
		return filmTooLong(seconds)
	}
	m.Film.State = store.FilmWaiting
	return nil
}

// filmArgs says what a worker is to know of the file of m. Seconds below zero are no
// limit.
func (l *Library) filmArgs(m *store.Media, seconds int64) media.VideoArgs {
	return media.VideoArgs{MIME: m.MIME, MaxPixels: l.maxPixels(), MaxSeconds: float64(max(seconds, 0))}
}

// unwatched is what the sender is told of a failure to look into a video.
func unwatched(err error) error {
	if errors.Is(err, worker.ErrCrashed) {
		return media.Corrupt("the file cannot be read as video")
	}
	return unheard(err)
}

// describeFilm puts what a worker says of a video into its record. It is not believed:
// what makes no sense is an error, and texts are made fit to be shown.
func describeFilm(m *store.Media, f *media.Video) error {
	if !sensible(f.Duration, 0, maxSeconds) || !sensible(f.FrameRate, 0, maxFilmRate) || f.BitRate < 0 || f.BitRate > 1e12 ||
		f.Width < 1 || f.Width > maxSide || f.Height < 1 || f.Height > maxSide || f.HDR != "" && f.HDR != "pq" && f.HDR != "hlg" {
		return fmt.Errorf("%w: %+v", errNonsense, *f)
	}
	m.Width, m.Height = f.Width, f.Height
	film := &m.Film
	film.Container, film.Codec, film.HDR, film.Interlaced = line(f.Container, 64), line(f.Codec, 32), f.HDR, f.Interlaced
	film.Duration, film.FrameRate, film.BitRate = f.Duration, f.FrameRate, int(math.Round(float64(f.BitRate)/1000))
	film.Chapters = nil
	for _, c := range f.Chapters {
		if len(film.Chapters) < media.MaxChapters && sensible(c.Start, 0, maxSeconds) && sensible(c.End, c.Start, maxSeconds) {
			film.Chapters = append(film.Chapters, store.Chapter{Start: c.Start, End: c.End, Title: line(c.Title, maxTitle)})
		}
	}
	return nil
}
