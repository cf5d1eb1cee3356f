package sound

import (
	"cmp"
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
	is.Chapters = media.Chapters(list, is.Duration)
}
