package move

import (
	"context"
	"errors"
	"iter"

	"picora/store/blob"
)

// found is a blob as two stores have it; nil where one does not.
type found struct{ first, second *blob.Info }

// besides walks the lists of two stores side by side.
func besides(ctx context.Context, first, second blob.Store, prefix, after string) iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		nextA, stopA := iter.Pull2(first.List(ctx, prefix, after))
		defer stopA()
		nextB, stopB := iter.Pull2(second.List(ctx, prefix, after))
		defer stopB()
		a, errA, moreA := nextA()
		b, errB, moreB := nextB()
		for moreA || moreB {
			if err := errors.Join(errA, errB); err != nil {
				yield(found{}, err)
				return
			}
			var f found
			useA := moreA && (!moreB || a.Key <= b.Key)
			useB := moreB && (!moreA || b.Key <= a.Key)
			if useA {
				i := a
				f.first = &i
				a, errA, moreA = nextA()
			}
			if useB {
				i := b
				f.second = &i
				b, errB, moreB = nextB()
			}
			if !yield(f, nil) {
				return
			}
		}
	}
}
