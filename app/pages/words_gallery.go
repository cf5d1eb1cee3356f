package pages

// galleryChinese are the gallery's texts in Chinese.
var galleryChinese = map[string]string{
	"1 picture": "1 张图片", "%d pictures": "%d 张图片",
	"1 video": "1 个视频", "%d videos": "%d 个视频",
	"1 recording": "1 段音频", "%d recordings": "%d 段音频",
	"1 document": "1 篇文档", "%d documents": "%d 篇文档",
	"1 page": "1 页", "%d pages": "%d 页",
	"1 word": "1 字", "%d words": "%d 字",
	"Nothing is here yet.":             "这里还没有内容。",
	"More":                             "更多",
	"Loading…":                         "正在加载…",
	"The rest did not load. Try again": "其余内容加载失败，点击重试",
	"Picture":                          "图片",
	"Close":                            "关闭",
	"Previous picture":                 "上一张",
	"Next picture":                     "下一张",
	"Download":                         "下载",
	"Gallery":                          "图集",
	"This picture did not load.":       "图片加载失败。",
	"Recording":                        "音频",
	"Document":                         "文档",
	"Video":                            "视频",
	"Back to the first page":           "回到第一页",
}
