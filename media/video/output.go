package video

import (
	"fmt"
	"sync"

	"picora/media/av"
)

// An output is a file that is written. It remembers what kept it from that: the libraries
// between say that something went wrong, and not what.
type output struct {
	av.File
	mu  sync.Mutex
	err error
}

// WriteAt implements io.WriterAt.
func (o *output) WriteAt(b []byte, at int64) (int, error) {
	n, err := o.File.WriteAt(b, at)
	if err != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.err == nil {
			o.err = err
		}
	}
	return n, err
}

// failed is why it could not be written, or nil.
func (o *output) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// orUnwritten is err or, where an output could not be written, that.
func orUnwritten(err error, outs ...*output) error {
	for _, o := range outs {
		if failed := o.failed(); failed != nil {
			return fmt.Errorf("video: %w", failed)
		}
	}
	return err
}
