package library

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName bounds file names, in bytes: what most file systems take.
const maxName = 255

// CleanName makes a file name that is safe to show and to save under: the last
// part of a path, without control characters and marks that turn the direction
// of text (a "gpj.exe" that reads "exe.jpg"), at most 255 bytes with its ending
// kept. What has no name is called after its type.
func CleanName(name, ext string) string {
	name = strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/")
	name = path.Base(name)
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			return -1
		}
		return r
	}, name)
	name = strings.TrimSpace(name)
	if strings.Trim(name, "./ ") == "" {
		return "untitled." + ext
	}
	if len(name) <= maxName {
		return name
	}
	end := path.Ext(name)
	if len(end) > 16 {
		end = ""
	}
	cut := maxName - len(end)
	for !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut] + end
}
