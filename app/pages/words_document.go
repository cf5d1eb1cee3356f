package pages

// documentChinese are the texts of reading pages in Chinese.
var documentChinese = map[string]string{
	"Contents":            "目录",
	"Updated":             "更新于",
	"Download the source": "下载原文",
	"Download the PDF":    "下载 PDF",
	"Skip to the text":    "跳到正文",
	"This document is too intricate to be laid out here. This is its text.": "此文档过于复杂，无法在此排版。以下为原文。",
	"This is the document's source text.":                                   "以下为文档源文本。",
	"page":                                                                  "页",
	"pages":                                                                 "页",
	"First page":                                                            "第一页",
	"Too many people read here just now. Try again in a moment.":         "当前阅读的人太多，请稍后再试。",
	"This document has no text.":                                         "此文档没有内容。",
	"This PDF is protected by a password, so there is no preview of it.": "此 PDF 受密码保护，无法预览。",
	"There is no preview of this PDF.":                                   "此 PDF 无法预览。",
}
