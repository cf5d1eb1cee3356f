// Package saveas tells browsers under which name to save a file, for the surfaces that
// send files.
package saveas

import (
	"net/url"
	"strings"
)

// Attachment is the Content-Disposition of a file of that name (RFC 6266): plain for
// old clients, and as it is for the others.
func Attachment(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\%`, r) {
			return '_'
		}
		return r
	}, name)
	// RFC 8187 wants every character encoded but a few; PathEscape leaves more.
	exact := strings.NewReplacer("'", "%27", "(", "%28", ")", "%29", "*", "%2A", "@", "%40", ":", "%3A", "=", "%3D").Replace(url.PathEscape(name))
	return `attachment; filename="` + plain + `"; filename*=UTF-8''` + exact
}
