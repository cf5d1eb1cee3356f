package store

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"time"

	"picora/store/kv"
	"picora/store/words"
)

// Sort is the order of a list.
type Sort uint8

// The orders. Records that are equal in one stand in the order of their making.
const (
	ByDate Sort = iota
	BySize
	ByName // as words.SortKey writes names
)

// Query chooses records of one user. Zero fields do not restrict.
type Query struct {
	Kind       Kind
	Tag        string
	Public     *bool
	Collection *string      // its id; "": those that are in none
	Words      []words.Word // all of them are in the title, file name, tags or text
	None       bool         // nothing is wanted
	From, To   time.Time    // From <= created < To

	Sort      Sort
	Ascending bool
	After     string // Page.Next of the page before
	Limit     int
	Match     func(*Media) bool // nil: all
}

// Page is a stretch of a list.
type Page struct {
	Items []Media
	Next  string // where the next page goes on; empty on the last
}

// mostLooked is how many records are read for one page. A page that needs more comes
// with fewer items, perhaps none, and with Next.
const mostLooked = 2000

// ListMedia reads one page of the user's records. Its cost does not depend on how deep
// the page lies, nor on how many records there are, as long as there is an index for q:
// for the order together with the kind, and one of tag, collection and visibility when
// the order is by date. What else is asked for is found by the index of words.
func (s *Store) ListMedia(ctx context.Context, user string, q Query) (page Page, err error) {
	if q.None {
		return Page{}, nil
	}
	err = s.db.View(ctx, func(tx kv.Reader) error {
		if q.byWords() {
			s, err := newSearch(tx, user, &q)
			if err != nil {
				return err
			}
			if !s.behind() {
				page, err = s.page()
				return err
			}
		}
		page, err = listMedia(tx, user, &q)
		return err
	})
	return page, err
}

func listMedia(tx kv.Reader, user string, q *Query) (page Page, err error) {
	page.Items = make([]Media, 0, q.Limit)
	looked, last := 0, ""
	for e, err := range walkIndexes(tx, q.ranges(user), !q.Ascending, nil) {
		if err != nil {
			return page, err
		}
		if looked++; looked > mostLooked {
			page.Next = last
			return page, nil
		}
		var m Media
		if err := get(tx, keyPlace(user, string(placeIn(q.Sort, e.rest))), &m); err != nil {
			return page, err
		}
		if q.takes(&m) {
			if len(page.Items) == q.Limit {
				page.Next = last
				return page, nil
			}
			page.Items = append(page.Items, m)
		}
		last = string(e.rest)
	}
	return page, nil
}

// takes reports whether q wants the record; its kind is right already.
func (q *Query) takes(m *Media) bool {
	return (q.Tag == "" || slices.Contains(m.Tags, q.Tag)) &&
		(q.Public == nil || *q.Public == m.Public) &&
		(q.Collection == nil || *q.Collection == m.Collection) &&
		!m.Created.Before(q.From) && (q.To.IsZero() || m.Created.Before(q.To)) &&
		(q.Match == nil || q.Match(m))
}

// stretch is a part of an index.
type stretch struct {
	prefix []byte
	kv.Range
}

// ranges are the parts of indexes that list what q asks for, one a kind; together, in
// the order of what follows the prefixes, they are the list.
func (q *Query) ranges(user string) (list []stretch) {
	for k := Image; k < kinds; k++ {
		if q.Kind != 0 && q.Kind != k {
			continue
		}
		list = append(list, q.cut(indexOf(user, k, q)))
	}
	if q.Kind == 0 && q.Sort == ByDate && q.Tag == "" && q.Collection == nil && q.Public == nil {
		list = []stretch{q.cut(keyPlace(user, ""))} // the records themselves
	}
	return list
}

// cut leaves of an index what q asks for.
func (q *Query) cut(prefix []byte) stretch {
	r := kv.Prefix(prefix)
	if q.Sort == ByDate {
		r = between(prefix, q.From, q.To)
	}
	r.Reverse = !q.Ascending
	if q.After == "" {
		return stretch{prefix, r}
	}
	after := append(prefix[:len(prefix):len(prefix)], q.After...)
	switch {
	case q.Ascending && bytes.Compare(after, r.From) >= 0:
		r.From = append(after, 0)
	case !q.Ascending && (r.To == nil || bytes.Compare(after, r.To) < 0):
		r.To = after
	}
	return stretch{prefix, r}
}

// entry is an entry of an index without its prefix.
type entry struct {
	rest, value []byte
	of          int // of which stretch
	// passed is how many entries of its stretch were looked at to come to this one, which
	// is included. It may be one that is not wanted: only a place to go on from.
	passed int
	wanted bool
}

// walkIndexes goes through those entries of stretches of indexes that are wanted, as if
// the stretches were one; want is given an entry's value, nil wants all. Now and then it
// comes upon an entry that is not wanted, so that whoever has looked at enough can stop.
func walkIndexes(tx kv.Reader, list []stretch, reverse bool, want func(value []byte) bool) iter.Seq2[entry, error] {
	if len(list) == 1 && want == nil {
		return scanIndex(tx, list[0], 0)
	}
	return func(yield func(entry, error) bool) {
		var heads []*head
		for i, s := range list {
			h := &head{stretch: s, of: i, want: want}
			if err := h.read(tx); err != nil {
				yield(entry{}, err)
				return
			}
			if len(h.next) > 0 {
				heads = append(heads, h)
			}
		}
		for len(heads) > 0 {
			best := 0
			for i := 1; i < len(heads); i++ {
				if c := bytes.Compare(heads[i].next[0].rest, heads[best].next[0].rest); c < 0 != reverse && c != 0 {
					best = i
				}
			}
			h := heads[best]
			if !yield(h.next[0], nil) {
				return
			}
			if h.next = h.next[1:]; len(h.next) > 0 {
				continue
			}
			if err := h.read(tx); err != nil {
				yield(entry{}, err)
				return
			}
			if len(h.next) == 0 {
				heads = slices.Delete(heads, best, best+1)
			}
		}
	}
}

// mostAhead is how many entries of a stretch are looked at together. To change between
// iterators at each would take longer than to read it.
const mostAhead = 1024

// head is what was read of a stretch and has not been used.
type head struct {
	stretch
	of   int
	want func(value []byte) bool
	next []entry
	size int
	end  bool
}

// read looks at the entries that come next, and keeps those that are wanted, and the last
// one: nothing at the end.
func (h *head) read(tx kv.Reader) error {
	// Little more each time than the time before: what is read ahead and not used is lost.
	h.size = min(max(h.size*3/2, 16), mostAhead)
	h.next = nil
	if h.end {
		return nil
	}
	looked, passed := 0, 0
	for e, err := range scanIndex(tx, h.stretch, h.of) {
		if err != nil {
			return err
		}
		looked++
		passed++
		last := looked == h.size
		if e.wanted = h.want == nil || h.want(e.value); e.wanted || last {
			e.passed, passed = passed, 0
			h.next = append(h.next, e)
		}
		if last {
			at := append(h.prefix[:len(h.prefix):len(h.prefix)], e.rest...)
			if h.Reverse {
				h.To = at
			} else {
				h.From = append(at, 0)
			}
			return nil
		}
	}
	h.end = true
	return nil
}

func scanIndex(tx kv.Reader, s stretch, of int) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		for e, err := range tx.Scan(s.Range) {
			if err != nil {
				yield(entry{}, err)
				return
			}
			if !yield(entry{rest: e.Key[len(s.prefix):], value: e.Value, of: of, passed: 1, wanted: true}, nil) {
				return
			}
		}
	}
}
