package library

import (
	"bytes"
	"strings"

	"picora/app/fault"
	"picora/media"
	"picora/store"
)

// kindOf tells the kind of a file by how it begins. Sound in a container of films is taken
// for a film, unless it says otherwise.
func kindOf(head []byte) (store.Kind, error) {
	if bytes.Contains(head[:min(len(head), pdfSniff)], []byte("%PDF-")) {
		return store.Doc, nil
	}
	if bytes.HasPrefix(head, []byte("OggS")) {
		if bytes.Contains(head, []byte("theora")) {
			return store.Video, nil
		}
		return store.Audio, nil
	}
	if _, err := media.Sniff(head); err == nil {
		return store.Image, nil
	}
	_, film := media.SniffVideo(head)
	brand := string(head[:min(len(head), 11)]) // of MP4, behind the box's length
	if _, err := media.SniffSound(head); err == nil && (film != nil || strings.HasSuffix(brand, "ftypM4A") || strings.HasSuffix(brand, "ftypM4B")) {
		return store.Audio, nil
	}
	if film == nil {
		return store.Video, nil
	}
	return 0, fault.New(fault.Invalid, "This is no file of a kind that this server takes: pictures, sound, video and PDF.")
}
