package pages

// playerTexts are what the player's script says, by the names that it knows them by.
var playerTexts = map[string]string{
	"play":     "Play",
	"pause":    "Pause",
	"mute":     "Mute",
	"unmute":   "Unmute",
	"position": "%s of %s",
	"failed":   "This audio cannot be played here.",
	"expired":  "This audio cannot be loaded. Its link may have expired.",
	"hour":     "h",
	"minute":   "min",
	"second":   "s",
}

// playerChinese are the player's texts in Chinese.
var playerChinese = map[string]string{
	"Play":                              "播放",
	"Pause":                             "暂停",
	"Mute":                              "静音",
	"Unmute":                            "取消静音",
	"Speed":                             "播放速度",
	"Volume":                            "音量",
	"Position":                          "播放位置",
	"Chapters":                          "章节",
	"%s of %s":                          "%s，共 %s",
	"h":                                 "小时",
	"min":                               "分",
	"s":                                 "秒",
	"Your browser plays no audio.":      "您的浏览器无法播放音频。",
	"This audio cannot be played here.": "此处无法播放该音频。",
	"This audio cannot be loaded. Its link may have expired.": "无法加载该音频，链接可能已过期。",
}
