package cdn

import (
	"strings"

	"picora/store"
)

// address is what the path of a file says.
type address struct {
	kind    store.Kind
	part    string // name of a part of the record; empty: its file
	id, ext string
	film    filmAddress // of a video
}

// shape is a kind of address with a folder: /{folder}/{id}.{ext}.
type shape struct {
	folder string // with its slashes
	kind   store.Kind
	part   string
	exts   string // those that there are, each followed by a space; empty: the record's
}

var shapes = []shape{
	{"/audio/", store.Audio, "", ""},
	{"/audio-cover/", store.Audio, store.CoverPart, "jpg svg "},
	{"/audio-peaks/", store.Audio, store.PeaksPart, "json "},
	{"/audio-level/", store.Audio, store.SoundPart, "m4a "},
	{"/doc/", store.Doc, "", ""},
	{"/doc-cover/", store.Doc, store.CoverPart, "jpg "},
}

// Routes are the patterns of files' addresses.
func Routes() []string {
	list := []string{"/:id<len(11)>.:ext<betweenLen(2,5)>"}
	for _, s := range shapes {
		list = append(list, s.folder+":id<len(21)>.:ext<betweenLen(2,5)>")
	}
	return append(list, filmRoutes...)
}

// IsFile reports whether the path has the shape of a file's address.
func IsFile(path string) bool {
	_, ok := split(path)
	return ok
}

// split takes the address of a file apart: /{id}.{ext} of a picture, one with a folder, or
// one of a video.
func split(path string) (at address, ok bool) {
	if rest, ok := strings.CutPrefix(path, filmFolder); ok {
		return splitFilm(rest)
	}
	end := strings.LastIndexByte(path, '/')
	if end < 0 {
		return at, false
	}
	folder, name := path[:end+1], path[end+1:]
	if folder == "/" {
		at.kind = store.Image
		return at, at.named(name, store.ImageIDLen)
	}
	for _, s := range shapes {
		if s.folder == folder {
			at.kind, at.part = s.kind, s.part
			return at, at.named(name, store.IDLen) && (s.exts == "" || strings.Contains(s.exts, at.ext+" "))
		}
	}
	return at, false
}

// named reads {id}.{ext}.
func (at *address) named(name string, length int) bool {
	if len(name) < length+3 || len(name) > length+6 || name[length] != '.' {
		return false
	}
	at.id, at.ext = name[:length], name[length+1:]
	return store.ValidID(at.id, length)
}

// key is what the entry of the address is kept under.
func (at *address) key(path string) string {
	if at.kind == store.Image {
		return at.id
	}
	return path
}
