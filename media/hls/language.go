package hls

import "strings"

// languages are the names that languages have for themselves, by BCP 47 subtag, and for
// Chinese by script, too.
var languages = map[string]string{
	"ar": "العربية", "bg": "Български", "bn": "বাংলা", "ca": "Català", "cs": "Čeština", "da": "Dansk", "de": "Deutsch", "el": "Ελληνικά",
	"en": "English", "es": "Español", "et": "Eesti", "fa": "فارسی", "fi": "Suomi", "fil": "Filipino", "fr": "Français", "he": "עברית",
	"hi": "हिन्दी", "hr": "Hrvatski", "hu": "Magyar", "id": "Indonesia", "it": "Italiano", "ja": "日本語", "ko": "한국어", "lt": "Lietuvių",
	"lv": "Latviešu", "ms": "Melayu", "nb": "Norsk", "nl": "Nederlands", "no": "Norsk", "pl": "Polski", "pt": "Português", "pt-br": "Português (Brasil)",
	"ro": "Română", "ru": "Русский", "sk": "Slovenčina", "sl": "Slovenščina", "sr": "Српски", "sv": "Svenska", "ta": "தமிழ்", "te": "తెలుగు",
	"th": "ไทย", "tr": "Türkçe", "uk": "Українська", "ur": "اردو", "vi": "Tiếng Việt", "yue": "粵語",
	"zh": "中文", "zh-hans": "简体中文", "zh-cn": "简体中文", "zh-sg": "简体中文", "zh-hant": "繁體中文", "zh-tw": "繁體中文", "zh-hk": "繁體中文",
}

// Language is the name that a language has for itself; the tag when nobody here knows it.
func Language(tag string) string {
	for t := strings.ToLower(strings.ReplaceAll(tag, "_", "-")); t != ""; {
		if name, known := languages[t]; known {
			return name
		}
		cut := strings.LastIndexByte(t, '-')
		if cut < 0 {
			break
		}
		t = t[:cut]
	}
	return tag
}
