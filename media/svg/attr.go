package svg

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"picora/media"
	"picora/media/strip"
)

// XML readers make spaces of these unless they are written as references.
var spaces = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ")

// cleanAttr returns the value that an attribute may keep.
func cleanAttr(element, name, value string) (string, bool) {
	value = strings.Trim(spaces.Replace(value), " ")
	switch {
	case name == "href" || name == "xlink:href":
		return cleanRef(element, value)
	case name == "style":
		value = cleanDeclarations(value)
		return value, value != ""
	case cssAttrs[name]:
		return value, safeValue(value)
	case listAttrs[name]:
		for part := range strings.SplitSeq(value, ";") {
			if !safeValue(part) {
				return "", false
			}
		}
		return value, true
	case textAttrs[name] || strings.HasPrefix(name, "aria-") && lettersOnly(name[5:]):
		return value, harmless(value)
	}
	return "", false
}

func lettersOnly(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == ""
}

// harmless says whether text has nothing in it that looks like a scheme that
// runs code, a reference, or a comment that could split one, however it is spaced.
func harmless(s string) bool {
	s = strings.ToLower(strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7F {
			return -1
		}
		return r
	}, s))
	for _, bad := range []string{"javascript:", "vbscript:", "data:", "url(", "image(", "image-set(", "src(", "expression(", "@import", "@font-face", "-moz-binding:", "<", "\\", "/*"} {
		if strings.Contains(s, bad) {
			return false
		}
	}
	return true
}

// cleanRef allows references to elements of the same file and, for pictures,
// raster pictures in the file itself.
func cleanRef(element, value string) (string, bool) {
	if element != "image" && strings.HasPrefix(value, "#") {
		return value, fragment(value[1:]) == len(value)-1 && len(value) > 1
	}
	if element == "image" || element == "feImage" {
		return cleanData(value)
	}
	return "", false
}

// fragment returns how long the name at the start of s is. Escapes are not part
// of it: with them one name can be written in many ways. Nor is the star, which
// could make a comment of what stands around it.
func fragment(s string) int {
	if i := strings.IndexAny(s, " \t\r\n\"'`()<>[]{}\\%;,#*"); i >= 0 {
		return i
	}
	return len(s)
}

var noSpaces = strings.NewReplacer(" ", "", "\n", "", "\r", "", "\t", "")

// maxPixels bounds a raster picture in an SVG.
const maxPixels = 100_000_000

// rasters are the types of pictures that may be in an SVG: what browsers show, and
// strip cleans of everything but the picture.
var rasters = []media.Type{media.JPEG, media.PNG, media.GIF, media.WebP, media.AVIF}

// cleanData takes a raster picture out of a data: URL, strips it of metadata
// and writes it back. Its type is told by its bytes.
func cleanData(value string) (string, bool) {
	head, body, ok := strings.Cut(value, ",")
	head = strings.ToLower(strings.ReplaceAll(head, " ", ""))
	if !ok || !strings.HasPrefix(head, "data:image/") || !strings.HasSuffix(head, ";base64") {
		return "", false
	}
	if strings.Contains(body, "%") {
		var err error
		if body, err = url.PathUnescape(body); err != nil {
			return "", false
		}
	}
	body = strings.TrimRight(noSpaces.Replace(body), "=")
	raw, err := base64.RawStdEncoding.DecodeString(body)
	if err != nil {
		return "", false
	}
	kind, err := media.Sniff(raw)
	if err != nil || !slices.Contains(rasters, kind) {
		return "", false
	}
	rep, err := strip.Walk(bytes.NewReader(raw), kind, strip.Limits{MaxPixels: maxPixels})
	if err != nil {
		return "", false
	}
	return "data:" + kind.MIME + ";base64," + base64.StdEncoding.EncodeToString(apply(rep.Plan, raw)), true
}

// apply assembles what a plan delivers.
func apply(plan strip.Plan, raw []byte) []byte {
	if plan == nil {
		return raw
	}
	out := make([]byte, 0, plan.Size())
	for _, p := range plan {
		if p.Data != nil {
			out = append(out, p.Data...)
		} else {
			out = append(out, raw[p.Off:p.Off+p.Len]...)
		}
	}
	return out
}
