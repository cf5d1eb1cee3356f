package sound

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"picora/media"
	"picora/media/av"
	"picora/media/tags"
)

// describe fills in what the file says of itself: what its tags told, and where they did
// not, what FFmpeg found.
func describe(is *media.Sound, told tags.Tags, info av.SoundInfo) {
	found := func(keys ...string) string {
		for _, k := range keys {
			if s := tags.Clean(tags.Legacy(info.Tags[k])); s != "" {
				return s
			}
		}
		return ""
	}
	is.Title = cmp.Or(told.Title, found("title"))
	is.Artist = cmp.Or(told.Artist, found("artist", "author"))
	is.Album = cmp.Or(told.Album, found("album"))
	is.Genre = cmp.Or(told.Genre, found("genre"))
	is.Year = cmp.Or(told.Year, tags.Year(found("date", "year", "originaldate")))
	track, _, _ := strings.Cut(found("track", "tracknumber"), "/")
	if n, err := strconv.Atoi(strings.TrimSpace(track)); err == nil && n > 0 && n <= 9999 {
		is.Track = cmp.Or(told.Track, n)
	} else {
		is.Track = told.Track
	}
	list := told.Chapters
	if len(list) == 0 {
		for _, c := range info.Chapters {
			list = append(list, media.Chapter{Start: c.Start, End: c.End, Title: tags.Clean(tags.Legacy(c.Title))})
		}
	}
	is.Chapters = chapters(list, is.Duration)
}

// maxChapterBytes keeps the chapters of a file within the answer of a worker.
const maxChapterBytes = 40 << 10

// chapters puts them in order, and each within the file. One ends where the next begins
// unless it says something else that can be.
func chapters(list []media.Chapter, duration float64) (out []media.Chapter) {
	list = slices.DeleteFunc(slices.Clone(list), func(c media.Chapter) bool { return !(c.Start >= 0 && c.Start < duration) })
	slices.SortStableFunc(list, func(a, b media.Chapter) int { return cmp.Compare(a.Start, b.Start) })
	bytes := 0
	for i, c := range list {
		next := duration
		if i+1 < len(list) {
			next = list[i+1].Start
		}
		if !(c.End > c.Start && c.End <= duration) {
			c.End = next
		}
		c.Start, c.End = math.Round(c.Start*1000)/1000, math.Round(c.End*1000)/1000
		if bytes += 60 + len(strconv.Quote(c.Title)); bytes > maxChapterBytes || len(out) == media.MaxChapters {
			break
		}
		// JSON writes these as six bytes each.
		bytes += 5 * (strings.Count(c.Title, "<") + strings.Count(c.Title, ">") + strings.Count(c.Title, "&"))
		out = append(out, c)
	}
	return out
}
