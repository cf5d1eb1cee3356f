// Package notice makes the page that people see instead of what they asked for: what is
// wrong, and what they can do. Programs get the same as text, from whoever answers them.
package notice

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"strings"

	"picora/app/mail"
)

// Notice is what is to be said.
type Notice struct {
	Status  int
	Text    string // a sentence; in English, as all of them are where they are written
	Request string // the request's id, which the server's log has, too
	Home    string // the address of the dashboard; "": none is told
}

var (
	//go:embed notice.html
	page string
	//go:embed notice.css
	style string

	filled = template.Must(template.New("notice").Parse(page))
)

// Policy is what the page may do: look as it does.
var Policy = func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// Wanted reports whether who sent this Accept header is a browser that opens a page.
// Pictures in a page, and programs, are answered as ever.
func Wanted(accept string) bool {
	for one := range strings.SplitSeq(accept, ",") {
		kind, _, _ := strings.Cut(one, ";")
		if kind = strings.TrimSpace(kind); strings.EqualFold(kind, "text/html") {
			return true
		}
	}
	return false
}

// Page is the notice as HTML, in the language that the reader likes best.
func (n Notice) Page(acceptLanguage string) ([]byte, error) {
	lang := mail.Language("", acceptLanguage)
	say := func(text string) string {
		if zh, ok := chinese[text]; ok && lang != "en" {
			return zh
		}
		return text
	}
	title, next := words(n.Status)
	var b bytes.Buffer
	err := filled.Execute(&b, map[string]any{
		"Lang": lang, "Title": say(title), "Text": say(n.Text), "Next": say(next), "Status": n.Status,
		"Home": n.Home, "HomeText": say("To the start page"), "Request": n.Request, "RequestText": say("If you ask the owner of this server, name this request:"),
		"Style": template.HTML("<style>" + style + "</style>"),
	})
	return b.Bytes(), err
}

// words are what an error of that status is called, and what the reader can do.
func words(status int) (title, next string) {
	switch {
	case status == 404 || status == 410:
		return "There is nothing here", "Check the address, or ask whoever gave it to you."
	case status == 401 || status == 403:
		return "This is not open to you", "Ask whoever gave you the link for one that is."
	case status == 429:
		return "Too many requests", "Wait a moment, then load the page again."
	case status == 451:
		return "Not available now", ""
	case status == 503:
		return "The server is busy", "Wait a moment, then load the page again."
	case status >= 500:
		return "Something went wrong", "Try again. If it stays so, the owner of this server finds the reason in its log."
	}
	return "This does not work", ""
}

// chinese are the texts in Chinese, by the English ones.
var chinese = map[string]string{
	"There is nothing here":                                   "这里什么也没有",
	"Check the address, or ask whoever gave it to you.":       "请检查地址，或询问向您提供链接的人。",
	"This is not open to you":                                 "您无权查看",
	"Ask whoever gave you the link for one that is.":          "请向链接的提供者索取可用的链接。",
	"Too many requests":                                       "请求过多",
	"Wait a moment, then load the page again.":                "请稍候片刻，然后重新加载页面。",
	"Not available now":                                       "暂时无法访问",
	"The server is busy":                                      "服务器繁忙",
	"Something went wrong":                                    "出错了",
	"This does not work":                                      "无法处理此请求",
	"To the start page":                                       "前往首页",
	"If you ask the owner of this server, name this request:": "如需联系服务器管理员，请提供此请求编号：",
	"Try again. If it stays so, the owner of this server finds the reason in its log.": "请重试。如果问题仍然存在，服务器管理员可以在日志中找到原因。",

	"There is no such page here.":                                                             "这里没有这个页面。",
	"There is no such file here. It may have been deleted.":                                   "这里没有这个文件，可能已被删除。",
	"This file is private.":                                                                   "此文件为私密文件。",
	"The owner of this file does not let this page show it.":                                  "文件所有者不允许在此页面显示。",
	"This link has expired, or it is not complete. Ask whoever gave it to you for a new one.": "此链接已过期或不完整，请向提供者索取新链接。",
}
