package blob

import (
	"context"
	"io"
)

// ReadFull fills b from r, until ctx ends. Unlike io.ReadFull it returns io.EOF at the end,
// also after some bytes: io.ErrUnexpectedEOF is what r itself says of an upload that was cut
// short, and must stay an error.
func ReadFull(ctx context.Context, r io.Reader, b []byte) (n int, err error) {
	for idle := 0; n < len(b); {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		m, err := r.Read(b[n:])
		n += m
		if err != nil {
			return n, err
		}
		if idle++; m > 0 {
			idle = 0
		}
		if idle == 100 { // bufio's patience with a reader that gives nothing
			return n, io.ErrNoProgress
		}
	}
	return n, nil
}
