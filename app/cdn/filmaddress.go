package cdn

import (
	"strconv"
	"strings"

	"picora/store"
)

// filmFolder is where all of a video lies: filmFolder/{id}/...
const filmFolder = "/video/"

// filmRoutes are the patterns of what there is of a video. They let more through than
// splitFilm does.
var filmRoutes = []string{filmFolder + ":id<len(21)>/:name<betweenLen(5,80)>", filmFolder + ":id<len(21)>/:track<betweenLen(2,70)>/:name<betweenLen(5,40)>"}

// filmAddress is what the address of something of a video says, behind its id.
type filmAddress struct {
	what  filmThing
	track string // its name
	tag   string // of the track's file: see tagOf
	n     int    // of a piece, or of a sheet of the storyboard
}

// filmThing is what there is of a video.
type filmThing uint8

const (
	masterList filmThing = iota + 1 // of one size when there is a track
	trackList
	trackInit
	trackPiece
	captionFile
	wholeFile
	posterFile
	previewFile
	boardText
	boardSheet
)

// filmNames are the names that do not vary.
var filmNames = map[string]filmThing{
	"index.m3u8": masterList, "video.mp4": wholeFile, "poster.jpg": posterFile, "preview.mp4": previewFile, "storyboard.vtt": boardText,
}

const (
	tagLen   = 8
	maxTrack = 64 // characters of its name
	sheet    = "storyboard-"
)

// splitFilm takes apart what is behind filmFolder. Each thing has one address, so that
// caches keep it once: no number has leading zeros.
func splitFilm(rest string) (at address, ok bool) {
	at.kind = store.Video
	if len(rest) <= store.IDLen || rest[store.IDLen] != '/' || !store.ValidID(rest[:store.IDLen], store.IDLen) {
		return at, false
	}
	at.id, rest = rest[:store.IDLen], rest[store.IDLen+1:]
	f := &at.film
	track, name, deep := strings.Cut(rest, "/")
	if deep {
		f.track = track
		return at, isTrack(track) && f.ofTrack(name)
	}
	if f.what = filmNames[rest]; f.what != 0 {
		return at, true
	}
	if text, ok := strings.CutSuffix(rest, ".vtt"); ok && isTrack(text) {
		f.what, f.track = captionFile, text
		return at, true
	}
	if n, ok := strings.CutPrefix(rest, sheet); ok {
		f.what = boardSheet
		n, ok = strings.CutSuffix(n, ".jpg")
		return at, ok && f.number(n)
	}
	return at, false
}

// ofTrack reads what is behind the name of a track.
func (f *filmAddress) ofTrack(name string) bool {
	switch name {
	case "index.m3u8":
		f.what = masterList
		return true
	case "media.m3u8":
		f.what = trackList
		return true
	}
	if len(name) <= tagLen || name[tagLen] != '-' || strings.Trim(name[:tagLen], "0123456789abcdef") != "" {
		return false
	}
	f.tag, name = name[:tagLen], name[tagLen+1:]
	if name == "init.mp4" {
		f.what = trackInit
		return true
	}
	f.what = trackPiece
	n, ok := strings.CutSuffix(name, ".m4s")
	return ok && f.number(n)
}

// number reads a number from 0.
func (f *filmAddress) number(s string) bool {
	if s == "" || len(s) > 6 || len(s) > 1 && s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return false
	}
	f.n, _ = strconv.Atoi(s) // so few digits are a number
	return true
}

// isTrack reports whether a track may have the name.
func isTrack(s string) bool {
	return s != "" && len(s) <= maxTrack && strings.Trim(s, "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == ""
}
