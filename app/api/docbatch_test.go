package api

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"picora/app/usage"
	"picora/store"
)

// TestATextThatNobodyReadsIsLeft: who asks for much and leaves has it neither read from
// the disk nor counted.
func TestATextThatNobodyReadsIsLeft(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	b := docBatch{api: &API{usage: usage.New(nil, nil)}}
	text := strings.NewReader(strings.Repeat("a", 4<<20))
	if err := b.content(bufio.NewWriterSize(w, 32<<10), text, &store.Media{User: "ann", Kind: store.Doc}); err == nil || text.Len() < 3<<20 {
		t.Errorf("%d bytes are left: %v", text.Len(), err)
	}
}

func TestAFaultInABatchEndsTheBatch(t *testing.T) {
	r, w := io.Pipe()
	b := docBatch{docs: []store.Media{{ID: "a"}}} // without an API it panics
	go b.send(t.Context(), w)
	if got, err := io.ReadAll(r); err == nil {
		t.Errorf("%q ended as if it were whole", got)
	}
}
