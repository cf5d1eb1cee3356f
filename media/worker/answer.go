package worker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"picora/media"
	"picora/media/worker/wire"
)

// Lengths of texts that are taken from a worker, in bytes.
const (
	maxSentence = 300
	maxFailure  = 1000
)

// parse reads the answer to the job with the ID. A worker may be in the hands of
// whoever made the file, so an answer that is not exactly right is no answer.
func parse(message []byte, id uint64) (wire.Answer, error) {
	var a wire.Answer
	d := json.NewDecoder(bytes.NewReader(message))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return wire.Answer{}, fmt.Errorf("%w: %w", wire.ErrRogue, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return wire.Answer{}, fmt.Errorf("%w: there is more behind it", wire.ErrRogue)
	}
	if a.ID != id {
		return wire.Answer{}, fmt.Errorf("%w: it answers another job", wire.ErrRogue)
	}
	n := 0
	for _, has := range []bool{a.Progress != nil, a.Result != nil, a.Problem != nil} {
		if has {
			n++
		}
	}
	if n != 1 {
		return wire.Answer{}, fmt.Errorf("%w: it says %d things", wire.ErrRogue, n)
	}
	if a.Progress != nil && !(*a.Progress >= 0 && *a.Progress <= 1) {
		return wire.Answer{}, fmt.Errorf("%w: it is done to %v", wire.ErrRogue, *a.Progress)
	}
	return a, nil
}

// problem is the error that a worker's problem means.
func problem(p wire.Problem) error {
	switch p.Kind {
	case wire.Corrupt, wire.Unsupported, wire.Pixels:
		if !sentence(p.Text) {
			return &Failure{Kind: ErrCrashed, What: "gave a reason that is no sentence"}
		}
	}
	text := printable(p.Text)
	switch p.Kind {
	case wire.Corrupt:
		return media.Corrupt(p.Text)
	case wire.Unsupported:
		return media.Unsupported(p.Text)
	case wire.Pixels:
		return tooManyPixels(p.Text)
	case wire.Memory:
		return &Failure{Kind: ErrMemory, What: text}
	case wire.Timeout:
		return &Failure{Kind: ErrTimeout, What: text}
	case wire.Space:
		return &Failure{Kind: ErrSpace, What: text}
	case wire.Failed:
		return &Failure{Kind: ErrFailed, What: text}
	}
	return &Failure{Kind: ErrCrashed, What: "named no kind of problem that there is"}
}

// sentence tells whether a text may be shown to a person. An empty one may: it is
// a refusal without reason.
func sentence(s string) bool {
	return len(s) <= maxSentence && utf8.ValidString(s) && printable(s) == s
}

// printable is the text for a log: not too long, and without what a terminal obeys.
func printable(s string) string {
	if len(s) > maxFailure {
		s = s[:maxFailure]
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, "?"))
}

// tooManyPixels is media.ErrTooManyPixels with the sentence given, which the
// worker made with media.TooManyPixels.
type tooManyPixels string

func (t tooManyPixels) Error() string { return media.ErrTooManyPixels.Error() + ": " + string(t) }
func (t tooManyPixels) Unwrap() error { return media.ErrTooManyPixels }

// As lets media.Reason find the sentence: package media makes refusals of this kind
// from numbers alone.
func (t tooManyPixels) As(target any) bool { return errors.As(media.Corrupt(string(t)), target) }
