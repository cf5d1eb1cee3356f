package prose

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
)

// shown are the elements that a document may have, with their attributes. What is not
// here is no part of a page: no script, style, frame, form, SVG, MathML, template, base,
// meta or media.
var shown = map[string][]string{
	"p": {"align"}, "br": nil, "hr": nil, "wbr": nil, "div": {"align"}, "span": nil, "section": nil,
	"h1": {"align"}, "h2": {"align"}, "h3": {"align"}, "h4": {"align"}, "h5": {"align"}, "h6": {"align"},
	"blockquote": nil, "pre": nil, "code": nil, "kbd": nil, "samp": nil, "var": nil,
	"b": nil, "strong": nil, "i": nil, "em": nil, "u": nil, "s": nil, "del": nil, "ins": nil, "strike": nil, "mark": nil,
	"small": nil, "sub": nil, "sup": nil, "q": nil, "cite": nil, "abbr": {"title"}, "dfn": nil, "bdi": nil, "time": nil,
	"ul": nil, "ol": {"start", "reversed"}, "li": nil, "dl": nil, "dt": nil, "dd": nil,
	"details": {"open"}, "summary": nil, "figure": nil, "figcaption": nil, "ruby": nil, "rt": nil, "rp": nil,
	"table": nil, "caption": nil, "thead": nil, "tbody": nil, "tfoot": nil, "tr": nil,
	"th": {"align", "colspan", "rowspan"}, "td": {"align", "colspan", "rowspan"},
	"a": {"href", "title"}, "img": {"src", "alt", "title", "width", "height"},
}

// forms are what attributes may say, but for text and addresses.
var forms = map[string]*regexp.Regexp{
	"align": regexp.MustCompile(`^(?i:left|right|center|justify)$`),
	"start": digits, "width": digits, "height": digits, "colspan": digits, "rowspan": digits,
	"reversed": nothing, "open": nothing,
}

var (
	digits  = regexp.MustCompile(`^[0-9]{1,4}$`)
	nothing = regexp.MustCompile(`^(|open|reversed)$`)
	names   = regexp.MustCompile(`^[\p{L}\p{N}_:.-]{1,200}$`)
	// classes are those that goldmark and this package give. The page's own are others.
	classes = regexp.MustCompile(`^(task|footnotes|footnote-ref|footnote-backref|language-[\w+#.-]{1,30})$`)
	roles   = regexp.MustCompile(`^doc-(noteref|backlink|endnotes)$`)
)

// policy takes out everything else.
var policy = newPolicy()

func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	for element, attributes := range shown {
		p.AllowElements(element)
		for _, a := range attributes {
			if form := forms[a]; form != nil {
				p.AllowAttrs(a).Matching(form).OnElements(element)
			} else {
				p.AllowAttrs(a).OnElements(element)
			}
		}
	}
	p.AllowNoAttrs().OnElements("span", "a")
	p.AllowAttrs("id").Matching(names).Globally()
	p.AllowAttrs("class").Matching(classes).OnElements("span", "code", "a", "div", "section")
	p.AllowAttrs("role").Matching(roles).OnElements("a", "div", "section")
	p.AllowAttrs("dir").Matching(regexp.MustCompile(`^(?i:ltr|rtl|auto)$`)).Globally()
	p.AllowAttrs("lang").Matching(regexp.MustCompile(`^[A-Za-z-]{2,20}$`)).Globally()
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(true) // fragments; finish looks at the others
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowDataURIImages()
	return p
}

// given are the attributes that finish adds, and those that every element may have.
var given = map[string]bool{"id": true, "class": true, "role": true, "dir": true, "lang": true, "rel": true, "loading": true, "decoding": true}

var (
	links    = regexp.MustCompile(`^(?i:https?://[^\s\x00-\x1f]|mailto:[^\s\x00-\x1f])|^#`)
	pictures = regexp.MustCompile(`^(?i:https?://)|^/[^/\\]|^data:image/(png|jpeg|gif|webp);base64,`)
)

// Inert makes sure that the page is of the kind that Render makes: for who did not
// render it.
func Inert(page string) error {
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			if err := z.Err(); !errors.Is(err, io.EOF) {
				return fmt.Errorf("prose: %w", err)
			}
			return nil
		case html.CommentToken, html.DoctypeToken:
			return errors.New("prose: a comment in a page")
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			if err := inert(z.Token()); err != nil {
				return err
			}
		}
	}
}

func inert(t html.Token) error {
	attributes, known := shown[t.Data]
	if !known {
		return fmt.Errorf("prose: <%.40s> in a page", t.Data)
	}
	for _, a := range t.Attr {
		if !given[a.Key] && !listed(attributes, a.Key) {
			return fmt.Errorf("prose: <%s %.40s> in a page", t.Data, a.Key)
		}
		if a.Key == "href" && !links.MatchString(a.Val) || a.Key == "src" && !pictures.MatchString(a.Val) {
			return fmt.Errorf("prose: <%s %s=%.80q> in a page", t.Data, a.Key, a.Val)
		}
	}
	return nil
}
