package library

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
	"unicode"
	"unicode/utf8"

	"picora/store"
	"picora/store/blob"
	"picora/store/words"
)

const (
	// indexEvery is how long marks are gathered. Nobody waits for it: searches look at
	// what is not indexed themselves. The text of documents is found so much later.
	indexEvery = time.Second
	// mostText is how much of a document's text is indexed, in bytes.
	mostText = 64 << 20
)

// Index keeps the index of words until ctx ends.
func (l *Library) Index(ctx context.Context) {
	tick := time.NewTicker(indexEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := l.IndexNow(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("the index of words is behind; it is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// IndexNow indexes what is marked. One failure does not keep the rest.
func (l *Library) IndexNow(ctx context.Context) error {
	const batch = 64
	users, err := l.store.Unindexed(ctx, batch)
	if err != nil {
		return fmt.Errorf("library: index: %w", err)
	}
	var failed error
	for _, u := range users {
		if err := l.indexUser(ctx, u); err != nil {
			failed = fmt.Errorf("library: index of %s: %w", u, err)
		}
	}
	return failed
}

func (l *Library) indexUser(ctx context.Context, user string) error {
	for more := true; more; {
		var err error
		if more, err = l.store.Index(ctx, user); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	const batch = 16
	list, err := l.store.Texts(ctx, user, batch)
	if err != nil {
		return err
	}
	for i := range list {
		if err := l.indexDoc(ctx, &list[i]); err != nil {
			return fmt.Errorf("%s: %w", list[i].ID, err)
		}
	}
	return nil
}

// indexDoc indexes the text of a document, which is its file or what was found in it.
func (l *Library) indexDoc(ctx context.Context, m *store.Media) error {
	key := m.Blob
	if part, ok := m.Part(store.TextPart); ok {
		key = part.Blob
	} else if m.Text.Format == "pdf" || m.MIME == "application/pdf" {
		key = "" // its text may come later, and marks it again
	}
	var text io.Reader = eof{}
	if key != "" {
		f, err := l.blobs.Open(ctx, key, 0, -1)
		switch {
		case errors.Is(err, blob.ErrNotFound): // it went just now, or is lost
		case err != nil:
			return err
		default:
			defer f.Close()
			text = f
		}
	}
	return l.indexText(ctx, m, text)
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// IndexText indexes the text of a document at once. It need not be called: what a
// document's record says is read in the background.
func (l *Library) IndexText(ctx context.Context, id string, text io.Reader) error {
	m, err := l.store.Media(ctx, id)
	if err != nil {
		return err
	}
	return l.indexText(ctx, &m, text)
}

func (l *Library) indexText(ctx context.Context, m *store.Media, text io.Reader) error {
	set := words.NewSet(store.MostTokens)
	if err := cutText(ctx, io.LimitReader(text, mostText), set.Add); err != nil {
		return err
	}
	err := l.store.IndexText(ctx, m, set.Sorted())
	if errors.Is(err, store.ErrNotFound) {
		return nil // the document went meanwhile, or has another text
	}
	return err
}

// cutText gives add pieces of a text that end between words, where there are words.
func cutText(ctx context.Context, text io.Reader, add func(string)) error {
	const piece = 64 << 10
	in := bufio.NewReaderSize(text, piece)
	rest := make([]byte, 0, 2*piece)
	for {
		b := make([]byte, piece)
		n, err := io.ReadFull(in, b)
		rest = append(rest, b[:n]...)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			add(string(rest))
			return nil
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		cut := lastGap(rest)
		add(string(rest[:cut]))
		rest = append(rest[:0], rest[cut:]...)
	}
}

// lastGap is where the text may be cut: behind its last character that is of no word,
// or, when there is none near its end, anywhere between characters.
func lastGap(b []byte) int {
	const near = 4096
	for i := len(b); i > max(1, len(b)-near); {
		r, n := utf8.DecodeLastRune(b[:i])
		if r != utf8.RuneError && !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) {
			return i
		}
		i -= n
	}
	i := len(b) - 1
	for i > len(b)-utf8.UTFMax && !utf8.RuneStart(b[i]) {
		i--
	}
	return i
}
