package fetch

import (
	"context"
	"io"
	"time"

	"picora/app/fault"
)

// least is how many bytes must come within the patience: a server that sends a byte now
// and then does not keep a connection for ever.
const least = 256 << 10

// body is what a server sends, as long as it comes fast enough.
type body struct {
	io.ReadCloser
	cancel   context.CancelFunc
	timer    *time.Timer
	patience time.Duration
	fresh    int64 // bytes since the timer was set
	host     string
}

func watch(b io.ReadCloser, cancel context.CancelFunc, patience time.Duration, host string) *body {
	return &body{b, cancel, time.AfterFunc(patience, cancel), patience, 0, host}
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.fresh += int64(n); b.fresh >= least {
		b.fresh = 0
		b.timer.Reset(b.patience)
	}
	if err != nil && err != io.EOF {
		err = &Broken{Fault: &fault.Error{
			Code: fault.FetchFailed, Message: b.host + " stopped in the middle of the file, again and again. Try again later.", Cause: err,
		}}
	}
	return n, err
}

func (b *body) Close() error {
	b.timer.Stop()
	b.cancel()
	return b.ReadCloser.Close()
}
