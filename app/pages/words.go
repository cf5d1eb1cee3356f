package pages

import (
	"github.com/gofiber/fiber/v2"

	"picora/app/mail"
)

// language is the one of ours that the reader likes best.
func language(c *fiber.Ctx) string { return mail.Language("", c.Get(fiber.HeaderAcceptLanguage)) }

// say is the text in that language. Texts are written in English where they are used.
func say(lang, text string) string {
	if lang == "en" {
		return text
	}
	for _, texts := range []map[string]string{chinese, documentChinese, playerChinese, filmChinese, galleryChinese} {
		if zh, ok := texts[text]; ok {
			return zh
		}
	}
	return text
}

// chinese are the texts in Chinese, by the English ones.
var chinese = map[string]string{
	"There is no such page here. It may have been deleted.": "这里没有这个页面，可能已被删除。",
	"This file is private.":                                 "此文件为私密文件。",
	"This link has expired, or it is not complete. Ask whoever gave it to you for a new one.": "此链接已过期或不完整，请向提供者索取新链接。",
	"The owner of this file does not let this page show it.":                                  "文件所有者不允许在此页面显示。",
	"Not shown": "无法显示",
}
