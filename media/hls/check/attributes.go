package check

import (
	"regexp"
	"strings"
)

// The attributes that are known here, and how their values are written (RFC 8216, 4.2).
var values = map[string]*regexp.Regexp{
	"EXT-X-MAP URI": quote,

	"EXT-X-MEDIA TYPE": regexp.MustCompile(`^(AUDIO|VIDEO|SUBTITLES|CLOSED-CAPTIONS)$`), "EXT-X-MEDIA URI": quote, "EXT-X-MEDIA GROUP-ID": quote,
	"EXT-X-MEDIA LANGUAGE": quote, "EXT-X-MEDIA NAME": quote, "EXT-X-MEDIA DEFAULT": yesNo, "EXT-X-MEDIA AUTOSELECT": yesNo, "EXT-X-MEDIA FORCED": yesNo,
	"EXT-X-MEDIA CHARACTERISTICS": quote, "EXT-X-MEDIA CHANNELS": regexp.MustCompile(`^"[0-9]+(/[^"]*)?"$`),

	"EXT-X-STREAM-INF BANDWIDTH": decimal, "EXT-X-STREAM-INF AVERAGE-BANDWIDTH": decimal, "EXT-X-STREAM-INF CODECS": regexp.MustCompile(`^"[A-Za-z0-9.]+(,[A-Za-z0-9.]+)*"$`),
	"EXT-X-STREAM-INF RESOLUTION": regexp.MustCompile(`^[1-9][0-9]*x[1-9][0-9]*$`), "EXT-X-STREAM-INF FRAME-RATE": regexp.MustCompile(`^[0-9]+(\.[0-9]{1,3})?$`),
	"EXT-X-STREAM-INF AUDIO": quote, "EXT-X-STREAM-INF SUBTITLES": quote,
}

var (
	quote = regexp.MustCompile(`^"[^"\r\n]+"$`)
	yesNo = regexp.MustCompile(`^(YES|NO)$`)
	name  = regexp.MustCompile(`^[A-Z0-9-]+$`)
)

// attributes reads an attribute list, in which those must be that are required.
func (p *Playlist) attributes(tag, list string, required ...string) Attributes {
	a := Attributes{}
	for rest := list; rest != ""; {
		key, after, ok := strings.Cut(rest, "=")
		end := strings.IndexByte(after, ',')
		if strings.HasPrefix(after, `"`) {
			if end = strings.IndexByte(after[1:], '"') + 2; end < 2 {
				p.fault("4.2", "a quote that does not end: %s", rest)
				return a
			}
			if end == len(after) {
				end = -1
			}
		}
		value := after
		if rest = ""; end >= 0 {
			value, rest = after[:end], after[end:]
			if !strings.HasPrefix(rest, ",") || rest == "," {
				p.fault("4.2", "%q behind a value", rest)
				return a
			}
			rest = rest[1:]
		}
		if !ok || !name.MatchString(key) {
			p.fault("4.2", "no attribute: %q", key)
			return a
		}
		form, known := values[tag+" "+key]
		if _, again := a[key]; again || !known || !form.MatchString(value) {
			p.fault("4.2", "%s: %s=%s is wrong, unknown, or there already", tag, key, value)
		}
		a[key] = strings.Trim(value, `"`)
	}
	for _, key := range required {
		if a[key] == "" {
			p.fault("4.3", "%s without %s", tag, key)
		}
	}
	return a
}

// rendition checks an EXT-X-MEDIA beside those before (4.3.4.1 and 4.3.4.1.1).
func (p *Playlist) rendition(a Attributes) {
	if a["TYPE"] == "SUBTITLES" && a["URI"] == "" {
		p.fault("4.3.4.1", "captions without URI")
	}
	if a["FORCED"] != "" && a["TYPE"] != "SUBTITLES" {
		p.fault("4.3.4.1", "FORCED of %s", a["TYPE"])
	}
	if a["DEFAULT"] == "YES" && a["AUTOSELECT"] != "YES" {
		p.fault("4.3.4.1", "DEFAULT without AUTOSELECT")
	}
	for _, old := range p.Renditions {
		if old["TYPE"] != a["TYPE"] || old["GROUP-ID"] != a["GROUP-ID"] {
			continue
		}
		if old["NAME"] == a["NAME"] {
			p.fault("4.3.4.1.1", "two of the name %q", a["NAME"])
		}
		if old["DEFAULT"] == "YES" && a["DEFAULT"] == "YES" {
			p.fault("4.3.4.1.1", "two are DEFAULT")
		}
		same := old["AUTOSELECT"] == "YES" && a["AUTOSELECT"] == "YES"
		for _, key := range []string{"LANGUAGE", "FORCED", "CHARACTERISTICS"} {
			same = same && old[key] == a[key]
		}
		if same {
			p.fault("4.3.4.1.1", "two for one choice: %v and %v", old, a)
		}
	}
	p.Renditions = append(p.Renditions, a)
}

// finishMaster checks that groups are there, and all variants have what players need.
func (p *Playlist) finishMaster() {
	if len(p.Variants) == 0 {
		p.fault("4.3.4.2", "no variants")
	}
	used := map[string]bool{}
	for _, v := range p.Variants {
		for key, kind := range map[string]string{"AUDIO": "AUDIO", "SUBTITLES": "SUBTITLES"} {
			group := v.Attributes[key]
			used[kind+" "+group] = true
			if group != "" && len(p.Group(kind, group)) == 0 {
				p.fault("4.3.4.2", "no group %s of %s", group, kind)
			}
		}
		if v.Attributes["CODECS"] == "" {
			p.fault("4.3.4.2", "%s without CODECS", v.URI)
		}
		if strings.Contains(v.Attributes["CODECS"], "avc1") && (v.Attributes["RESOLUTION"] == "" || v.Attributes["FRAME-RATE"] == "") {
			p.fault("4.3.4.2", "%s without RESOLUTION or FRAME-RATE", v.URI)
		}
	}
	for _, r := range p.Renditions {
		if !used[r["TYPE"]+" "+r["GROUP-ID"]] {
			p.fault("4.3.4.1.1", "nobody uses the group %s", r["GROUP-ID"])
		}
	}
}

// Group lists the renditions of a group.
func (p *Playlist) Group(kind, id string) (list []Attributes) {
	for _, r := range p.Renditions {
		if r["TYPE"] == kind && r["GROUP-ID"] == id {
			list = append(list, r)
		}
	}
	return list
}
