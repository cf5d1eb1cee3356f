package media

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// AutoFormat is the value of fmt that lets each client have the best format that
// it can show. It is no format of a Spec: whoever serves decides.
const AutoFormat = "auto"

// A Query is a transform as an address asks for it (contract, section 20, and the
// guide): what is to be made, and what only whoever serves can decide.
type Query struct {
	Spec
	Variant   string // name of a prepared transform, which then stands alone
	Watermark string // id of the watermark to lay over it, which is no Mark yet
	Auto      bool   // fmt=auto
	Preview   bool   // preview=1: not to be kept by caches
}

// Asked reports whether anything is asked for.
func (q *Query) Asked() bool { return *q != Query{} }

// errParam is what is wrong with a parameter, in words for whoever wrote it.
func errParam(format string, args ...any) error { return fmt.Errorf(format, args...) }

// ErrNotParam says that a name is none of a transform's parameters.
var ErrNotParam = errors.New("media: not a parameter of a transform")

// params are the parameters by name. What they return says what is allowed.
var params = map[string]func(q *queryParser, v string) error{
	"w": func(q *queryParser, v string) (err error) {
		q.Width, err = whole("w", v, 1, MaxSide)
		return err
	},
	"h": func(q *queryParser, v string) (err error) {
		q.Height, err = whole("h", v, 1, MaxSide)
		return err
	},
	"dpr": func(q *queryParser, v string) (err error) {
		q.dpr, err = decimal("dpr", v, 1, 4)
		return err
	},
	"fit": func(q *queryParser, v string) error {
		switch q.Fit = Fit(v); q.Fit {
		case Cover, Contain, Fill, Inside, Outside:
			return nil
		}
		return errParam("fit is cover, contain, fill, inside or outside")
	},
	"fmt": func(q *queryParser, v string) error {
		switch v {
		case AutoFormat:
			q.Auto = true
		case "jpg":
			q.Format = "jpeg"
		case "jpeg", "png", "webp", "avif":
			q.Format = v
		default:
			return errParam("fmt is webp, jpeg, png, avif or auto")
		}
		return nil
	},
	"q": func(q *queryParser, v string) (err error) {
		q.Quality, err = whole("q", v, 1, 100)
		return err
	},
	"crop": func(q *queryParser, v string) error {
		if q.Smart = v == "smart"; q.Smart {
			return nil
		}
		xs, ys, two := strings.Cut(v, ",")
		x, errX := decimal("", xs, 0, 1)
		y, errY := decimal("", ys, 0, 1)
		if !two || errX != nil || errY != nil {
			return errParam("crop is smart, or the point to keep as two numbers from 0 to 1, such as 0.5,0.3")
		}
		q.Focus = &Point{int(math.Round(x * 1000)), int(math.Round(y * 1000))}
		return nil
	},
	"blur": func(q *queryParser, v string) (err error) {
		q.Blur, err = decimal("blur", v, 0.3, 100)
		return err
	},
	"bg": func(q *queryParser, v string) error {
		v = strings.ToLower(strings.TrimPrefix(v, "#"))
		if len(v) == 3 {
			v = string([]byte{v[0], v[0], v[1], v[1], v[2], v[2]})
		}
		if _, err := strconv.ParseUint(v, 16, 32); err != nil || len(v) != 6 || v[0] == '+' {
			return errParam("bg is a colour of 3 or 6 hexadecimal digits, such as ffffff")
		}
		q.Background = v
		return nil
	},
	"rot": func(q *queryParser, v string) error {
		switch v {
		case "0", "90", "180", "270":
			q.Rotate, _ = strconv.Atoi(v)
			return nil
		}
		return errParam("rot is 90, 180 or 270, in degrees clockwise")
	},
	"variant": func(q *queryParser, v string) error {
		if !VariantName(v) {
			return errParam("variant is the name of one of this server's variants")
		}
		q.Variant = v
		return nil
	},
	"wm": func(q *queryParser, v string) error {
		if len(v) != 21 || strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
			return errParam("wm is the id of a watermark")
		}
		q.Watermark = v
		return nil
	},
	"preview": func(q *queryParser, v string) error {
		if q.Preview = v == "1"; !q.Preview {
			return errParam("preview is 1, or left out")
		}
		return nil
	},
}

type queryParser struct {
	Query
	dpr  float64
	seen map[string]bool
}

// A QueryParser reads the parameters of a transform one by one.
type QueryParser struct{ p queryParser }

// Add reads a parameter. ErrNotParam when the name means nothing to a transform;
// any other error is a sentence for whoever wrote the address.
func (qp *QueryParser) Add(name, value string) error {
	read, known := params[name]
	if !known {
		return ErrNotParam
	}
	if qp.p.seen[name] {
		return errParam("%s is given twice", name)
	}
	if qp.p.seen == nil {
		qp.p.seen = map[string]bool{}
	}
	qp.p.seen[name] = true
	return read(&qp.p, value)
}

// Query is what the parameters ask for together.
func (qp *QueryParser) Query() (Query, error) {
	p := &qp.p
	if p.Variant != "" && (len(p.seen) > 1 && !p.seen["preview"] || len(p.seen) > 2) {
		return Query{}, errParam("variant stands alone: what it makes is set on the server")
	}
	if p.dpr != 0 {
		if p.Width == 0 && p.Height == 0 {
			return Query{}, errParam("dpr multiplies w and h: give one of them")
		}
		for _, side := range []*int{&p.Width, &p.Height} {
			if *side = int(math.Round(float64(*side) * p.dpr)); *side > MaxSide {
				return Query{}, errParam("w and h times dpr are at most %d", MaxSide)
			}
		}
	}
	if (p.Smart || p.Focus != nil) && p.Fit != Cover {
		return Query{}, errParam("crop says what fit=cover keeps: give fit=cover, too")
	}
	if p.Fit != "" && p.Width == 0 && p.Height == 0 {
		return Query{}, errParam("fit says how the picture meets a box: give w, h or both")
	}
	return p.Query, nil
}

func whole(name, v string, least, most int) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most || v[0] == '+' {
		return 0, errParam("%s is a whole number from %d to %d", name, least, most)
	}
	return n, nil
}

// decimal reads a number such as 2 or 1.5, with at most three digits behind the
// point, so that a number has few spellings and few values.
func decimal(name, v string, least, most float64) (float64, error) {
	before, behind, _ := strings.Cut(v, ".")
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || n < least || n > most || len(before) > 3 || len(behind) > 3 || strings.Trim(v, "0123456789.") != "" {
		return 0, errParam("%s is a number from %g to %g", name, least, most)
	}
	return n, nil
}

// VariantName reports whether s may name a variant: 1 to 32 small letters, digits
// and hyphens.
func VariantName(s string) bool {
	return len(s) >= 1 && len(s) <= 32 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// engine is the version of what makes pictures: a change after which it makes
// others of the same counts it up, and pictures that were kept are made anew.
const engine = "2"

// Key is the same for specs that ask for the same, and different for others.
func (s Spec) Key() string {
	if s.Quality == 0 {
		s.Quality = DefaultQuality
	}
	if s.Width == 0 || s.Height == 0 {
		s.Fit = "" // every fit gives the same
	}
	if s.Fit == Inside {
		s.Fit = ""
	}
	b, _ := json.Marshal(s) // plain numbers and texts
	return engine + string(b)
}
