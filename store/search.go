package store

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sort"

	"picora/store/kv"
	"picora/store/words"
)

const (
	// mostFresh is how many of the newest records a search reads itself when indexing is
	// behind. Those between them and the index are found a little later.
	mostFresh = 5000
	// mostKeys of the index are looked at for one page of a search in the order of dates.
	mostKeysLooked = 100_000
	// mostBegun is how many entries of the index a search goes through that begin as a word
	// does; of what is beyond that it may not know. A text can have a hundred thousand words
	// with one beginning, and somebody thousands of such texts.
	mostBegun = 2_000_000
	// readCost is how many entries of an index can be passed in the time of reading a record.
	readCost = 66
	// mostPlaces are looked at in such an index for one page.
	mostPlaces = 250_000
	// mostSorted hits are read and sorted when they stand together in such an index, far
	// from where the page begins.
	mostSorted = 2500
)

// searchCursor is how long Page.Next is of a search in the order of dates: a number.
// Those of lists are longer.
const searchCursor = 4

// search is a query that the index of words answers.
type search struct {
	tx     kv.Reader
	user   string
	q      *Query
	words  []token // the long ones first: they are rare
	fields []token // what the query is restricted to
	kinds  []token // any of them, where there are no words and no fields
	read   bool    // fields and kinds have their rows
	spare  chunk

	indexed, last uint32              // numbers: all up to indexed are in the index, last is the largest
	marked        map[uint32][]uint32 // numbers that changed since, by chunk
	looked        int
	begun         int // entries that may be looked at yet because they begin as a word does
}

// token is what hits are to have.
type token struct {
	words.Word
	key  string // in the index; words that begin so are meant, too, if scan
	scan bool
	row  [][]byte // all of its postings, by chunk, once they are read
}

func field(text string) token { return token{key: text} }

// byWords reports whether the index of words is to answer q: because it asks for words,
// or because no other index answers the most of it.
func (q *Query) byWords() bool {
	if len(q.Words) > 0 {
		return true
	}
	if q.Sort == ByDate && q.After != "" {
		return len(q.After) == searchCursor // as the list was begun
	}
	n := 0
	for _, given := range []bool{q.Tag != "", q.Public != nil, q.Collection != nil} {
		if given {
			n++
		}
	}
	return n > 1 || n == 1 && q.Sort != ByDate
}

// behind reports whether so much is not indexed that a list does better without. A page
// of a list that was begun so is gone on with.
func (s *search) behind() bool {
	return len(s.q.Words) == 0 && s.last-s.indexed > mostFresh && (s.q.Sort != ByDate || s.q.After == "")
}

func newSearch(tx kv.Reader, user string, q *Query) (s *search, err error) {
	s = &search{tx: tx, user: user, q: q, marked: map[uint32][]uint32{}, begun: mostBegun}
	var t tally
	if err := get(tx, keyTally(user), &t); ignoreNotFound(err) != nil {
		return nil, err
	}
	s.last = t.Number
	if s.indexed, err = indexedTo(tx, user); err != nil {
		return nil, err
	}
	s.indexed = min(s.indexed, s.last)
	keys, err := some(tx, keyMarks(user), mostFresh)
	for _, k := range keys {
		n := numberOf(k[len(k)-4:])
		s.marked[n>>chunkBits] = append(s.marked[n>>chunkBits], n)
	}
	for _, w := range q.Words {
		t := token{Word: w, key: w.Text, scan: w.Prefix}
		if w.Short() {
			t.key, t.scan = beginToken+w.Text, false
		}
		s.words = append(s.words, t)
	}
	sort.SliceStable(s.words, func(i, j int) bool { return len(s.words[i].Text) > len(s.words[j].Text) })
	if q.Kind != 0 {
		s.fields = append(s.fields, field(kindToken+string(byte(q.Kind))))
	}
	if q.Public != nil {
		s.fields = append(s.fields, field(publicToken+bit(*q.Public)))
	}
	if q.Collection != nil {
		s.fields = append(s.fields, field(folderToken+*q.Collection))
	}
	if q.Tag != "" {
		s.fields = append(s.fields, field(tagToken+q.Tag))
	}
	if len(s.words)+len(s.fields) == 0 {
		for k := Image; k < kinds; k++ {
			s.kinds = append(s.kinds, field(kindToken+string(byte(k))))
		}
	}
	return s, err
}

// page answers the query.
func (s *search) page() (Page, error) {
	if s.q.Sort == ByDate {
		return s.byNumber()
	}
	hits, n, err := s.all(mostSorted)
	if err != nil {
		return Page{}, err
	}
	if n > mostSorted {
		page, _, err := s.along(hits, mostPlaces)
		return page, err
	}
	// Either all hits are read and sorted, or the order's own index leads through them: it
	// comes upon the next hit after as many entries as there are records for each.
	entries := s.q.Limit * int(s.last) / max(n, 1)
	// When it is near, reading all is certain: hits may stand together at the far end.
	if n <= s.q.Limit || n*readCost <= 2*entries {
		return s.sorted(hits)
	}
	page, whole, err := s.along(hits, min(2*entries+chunkSize, mostPlaces))
	if err != nil || whole {
		return page, err
	}
	return s.sorted(hits)
}

// chunks are the numbers of chunks that may hold hits, in the order of the search.
func (s *search) chunks(from, to uint32, reverse bool) func(yield func(uint32) bool) {
	return func(yield func(uint32) bool) {
		first, last := from>>chunkBits, to>>chunkBits
		for i := range last - first + 1 {
			c := first + i
			if reverse {
				c = last - i
			}
			if !yield(c) {
				return
			}
		}
	}
}

// byNumber goes through the hits in the order of their numbers, which is that of dates.
func (s *search) byNumber() (page Page, err error) {
	page.Items = make([]Media, 0, s.q.Limit)
	from, to, err := s.stretch()
	if from > to || err != nil {
		return page, err
	}
	read, last := 0, ""
	for c := range s.chunks(from, to, !s.q.Ascending) {
		var hits chunk
		if err := s.hits(c, &hits); err != nil {
			return page, err
		}
		for n := range hits.numbers(c, !s.q.Ascending) {
			if n < from || n > to {
				continue
			}
			if read++; read > mostLooked {
				page.Next = last
				return page, nil
			}
			m, err := numbered(s.tx, s.user, n)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return page, err
			}
			if s.wants(&m) {
				if len(page.Items) == s.q.Limit {
					page.Next = last
					return page, nil
				}
				page.Items = append(page.Items, m)
			}
			last = four(n)
		}
		if s.looked > mostKeysLooked {
			edge := c << chunkBits // all of the chunk was looked at
			if s.q.Ascending {
				edge += chunkSize - 1
			}
			if edge > from && edge < to {
				page.Next = four(edge)
			}
			return page, nil
		}
	}
	return page, nil
}

// stretch is the first and the last number that a page in the order of dates may have.
func (s *search) stretch() (from, to uint32, err error) {
	from, to = 1, s.last
	if s.q.After == "" {
		return from, to, nil
	}
	if len(s.q.After) != searchCursor {
		return 0, 0, fmt.Errorf("store: %q is no place in a search", s.q.After)
	}
	switch at := numberOf([]byte(s.q.After)); {
	case s.q.Ascending:
		from = at + 1
	case at == 0:
		to = 0
	default:
		to = at - 1
	}
	return from, to, nil
}

// wants reports whether a hit is one, as far as its record tells.
func (s *search) wants(m *Media) bool {
	return (s.q.Kind == 0 || s.q.Kind == m.Kind) && s.q.takes(m)
}

// all finds all hits and how many they are; but when they are more than most, perhaps
// only so many.
func (s *search) all(most int) (hits *hitSet, n int, err error) {
	hits = &hitSet{s, make([]*chunk, s.last>>chunkBits+1)}
	if err := s.readRows(len(hits.chunks)); err != nil {
		return nil, 0, err
	}
	for c := range s.chunks(1, s.last, true) {
		if err := hits.find(c); err != nil {
			return nil, 0, err
		}
		if n += hits.chunks[c].count(); n > most {
			break
		}
	}
	return hits, n, nil
}

// readRows reads all that the index says of the fields, of so many chunks.
func (s *search) readRows(chunks int) error {
	s.read = true
	for _, list := range [][]token{s.fields, s.kinds} {
		for i := range list {
			list[i].row = make([][]byte, chunks)
			for e, err := range s.tx.Scan(kv.Prefix(keyPostings(s.user, list[i].key))) {
				if err != nil {
					return err
				}
				if c := numberOf(e.Key[len(e.Key)-4:]); int(c) < chunks {
					list[i].row[c] = e.Value
				}
			}
		}
	}
	return nil
}

// sorted reads the hits, which are few, and sorts them as the order's index does.
func (s *search) sorted(hits *hitSet) (page Page, err error) {
	type hit struct {
		rest   []byte // its key in the order's index
		number uint32
	}
	var list []hit
	for c := range hits.chunks {
		for n := range hits.chunks[c].numbers(uint32(c), false) {
			m, err := numbered(s.tx, s.user, n)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return page, err
			}
			if !s.wants(&m) {
				continue
			}
			rest := keyMediaSize(&m)
			if s.q.Sort == ByName {
				rest = keyMediaName(&m)
			}
			rest = rest[len(indexOf(s.user, m.Kind, s.q)):]
			c := bytes.Compare(rest, []byte(s.q.After))
			if s.q.After == "" || c > 0 && s.q.Ascending || c < 0 && !s.q.Ascending {
				list = append(list, hit{rest, n}) // records are large: those of the page are read again
			}
		}
	}
	slices.SortFunc(list, func(a, b hit) int {
		if s.q.Ascending {
			return bytes.Compare(a.rest, b.rest)
		}
		return bytes.Compare(b.rest, a.rest)
	})
	page.Items = make([]Media, 0, s.q.Limit)
	for i, h := range list {
		if i == s.q.Limit {
			page.Next = string(list[i-1].rest)
			break
		}
		m, err := numbered(s.tx, s.user, h.number)
		if err != nil {
			return page, err
		}
		page.Items = append(page.Items, m)
	}
	return page, nil
}

// along goes through the order's index and takes what is a hit. The page is not whole
// when it looked at so many places before.
func (s *search) along(hits *hitSet, places int) (page Page, whole bool, err error) {
	page.Items = make([]Media, 0, s.q.Limit)
	var failed error
	isHit := func(number []byte) bool {
		is, err := hits.has(numberOf(number))
		failed = errors.Join(failed, err)
		return is
	}
	looked, read := 0, 0
	var last []byte
	for e, err := range walkIndexes(s.tx, s.q.ranges(s.user), !s.q.Ascending, isHit) {
		if err = errors.Join(err, failed); err != nil {
			return page, false, err
		}
		if looked += e.passed; looked > places+mostAhead || read > mostLooked {
			page.Next = string(last)
			return page, false, nil
		}
		if e.wanted {
			var m Media
			if err := get(s.tx, keyPlace(s.user, string(placeIn(s.q.Sort, e.rest))), &m); err != nil {
				return page, false, err
			}
			if read++; s.wants(&m) {
				if len(page.Items) == s.q.Limit {
					page.Next = string(last)
					return page, true, nil
				}
				page.Items = append(page.Items, m)
			}
		}
		last = e.rest
	}
	return page, true, failed
}
