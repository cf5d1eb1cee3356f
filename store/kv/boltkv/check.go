package boltkv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"go.etcd.io/bbolt"
)

// check walks every page in use of the file at path and returns ErrCorrupt if
// bbolt could not. A large file that was closed in good order is let off: bbolt
// does not walk it either. It reads with plain reads, so that nothing it meets can fault,
// and knows this much of bbolt's format (version 2, the only one there is):
//
//	page     id u64, flags u16, count u16, overflow u32, then count elements
//	branch   pos u32, key size u32, page u64             pos: from the element
//	leaf     flags u32, pos u32, key size u32, value size u32
//	bucket   a leaf value: root page u64, sequence u64, then, if root is 0, a page
//
// bbolt itself picks the valid one of the two meta pages and holds the lock.
func check(path string, timeout time.Duration) error {
	db, err := openBolt(path, bbolt.Options{ReadOnly: true, Timeout: timeout})
	if err != nil {
		return err
	}
	defer db.Close()
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return onPanic(func() error {
		return db.View(func(t *bbolt.Tx) error {
			size := int64(db.Info().PageSize)
			c := &checker{file: f, size: size, pages: uint64(t.Size() / size)}
			if t.Size() > alwaysCheck {
				if listed, err := c.freelistWritten(t.ID()); listed || err != nil {
					return err
				}
			}
			c.seen = make([]uint64, c.pages/64+1)
			return c.page(uint64(t.Cursor().Bucket().Root()), 0)
		})
	})
}

// alwaysCheck is the size in bytes up to which a check costs too little to be let
// off.
const alwaysCheck = 64 << 20

const (
	headerSize  = 16
	elementSize = 16 // of both kinds
	branchFlag  = 1
	leafFlag    = 2
	bucketFlag  = 1

	freelistFlag = 0x10
	noFreelist   = 1<<64 - 1 // the page of a list that was not written

	// maxDepth is far more than a tree of pages with two keys each can reach.
	maxDepth = 64
)

// freelistWritten reports whether the list of free pages is on the disk, as the
// valid meta page says, and is a list that bbolt can read. A meta page holds,
// after its header, magic, version, page size and flags of 4 bytes each, the root
// bucket (16 bytes), and the page of the list; the transaction's number tells
// which of the two is valid.
func (c *checker) freelistWritten(tx int) (bool, error) {
	meta := make([]byte, c.size)
	if err := c.read(meta, uint64(tx%2)); err != nil {
		return false, err
	}
	id := binary.NativeEndian.Uint64(meta[headerSize+32:])
	if id == noFreelist {
		return false, nil
	}
	if id < 2 || id >= c.pages {
		return false, fmt.Errorf("%w: the list of free pages is out of bounds", ErrCorrupt)
	}
	head := make([]byte, c.size)
	if err := c.read(head, id); err != nil {
		return false, err
	}
	count, overflow := uint64(binary.NativeEndian.Uint16(head[10:])), uint64(binary.NativeEndian.Uint32(head[12:]))
	if count == 0xFFFF { // the count did not fit and is the first entry
		count = binary.NativeEndian.Uint64(head[headerSize:]) + 1
	}
	if binary.NativeEndian.Uint64(head) != id || binary.NativeEndian.Uint16(head[8:]) != freelistFlag ||
		overflow >= c.pages-id || headerSize+count*8 > (overflow+1)*uint64(c.size) {
		return false, fmt.Errorf("%w: the list of free pages is damaged", ErrCorrupt)
	}
	return true, c.freePages(id, count, overflow)
}

// freePages checks that the entries of the list are pages of the file.
func (c *checker) freePages(id, count, overflow uint64) error {
	data := make([]byte, (overflow+1)*uint64(c.size))
	if _, err := c.file.ReadAt(data, int64(id)*c.size); err != nil {
		return fmt.Errorf("%w: the list of free pages is cut off: %w", ErrCorrupt, err)
	}
	first := uint64(0)
	if binary.NativeEndian.Uint16(data[10:]) == 0xFFFF {
		first = 1
	}
	last := uint64(1)
	for i := first; i < count; i++ {
		page := binary.NativeEndian.Uint64(data[headerSize+i*8:])
		if page <= last || page >= c.pages {
			return fmt.Errorf("%w: page %d in the list of free pages", ErrCorrupt, page)
		}
		last = page
	}
	return nil
}

type checker struct {
	file  io.ReaderAt
	size  int64    // of a page, in bytes
	pages uint64   // how many the file should have
	seen  []uint64 // one bit for each page
	bufs  [][]byte // one for each level, reused
}

// page checks the page id and everything below it.
func (c *checker) page(id uint64, depth int) error {
	if depth >= maxDepth {
		return fmt.Errorf("%w: pages nested too deeply", ErrCorrupt)
	}
	data, err := c.load(id, depth)
	if err != nil {
		return err
	}
	if got := binary.NativeEndian.Uint64(data); got != id {
		return fmt.Errorf("%w: page %d says it is page %d", ErrCorrupt, id, got)
	}
	return c.elements(id, data, depth)
}

// load reads a page with what overflows it, and notes that it is in use.
func (c *checker) load(id uint64, depth int) ([]byte, error) {
	if depth == len(c.bufs) {
		c.bufs = append(c.bufs, make([]byte, c.size))
	}
	if err := c.claim(id, 1); err != nil {
		return nil, err
	}
	if err := c.read(c.bufs[depth][:c.size], id); err != nil {
		return nil, err
	}
	more := uint64(binary.NativeEndian.Uint32(c.bufs[depth][12:]))
	if more == 0 {
		return c.bufs[depth][:c.size], nil
	}
	if err := c.claim(id+1, more); err != nil {
		return nil, err
	}
	if want := (int64(more) + 1) * c.size; int64(len(c.bufs[depth])) < want {
		c.bufs[depth] = append(c.bufs[depth], make([]byte, want-int64(len(c.bufs[depth])))...)
	}
	data := c.bufs[depth][:(int64(more)+1)*c.size]
	return data, c.read(data[c.size:], id+1)
}

func (c *checker) read(p []byte, id uint64) error {
	_, err := c.file.ReadAt(p, int64(id)*c.size)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: file ends within page %d", ErrCorrupt, id)
	}
	return err
}

// claim marks n pages as in use. Pages in use twice would be overwritten.
func (c *checker) claim(id, n uint64) error {
	if id < 2 || id >= c.pages || n > c.pages-id {
		return fmt.Errorf("%w: page %d is out of bounds", ErrCorrupt, id)
	}
	for i := id; i < id+n; i++ {
		if c.seen[i/64]&(1<<(i%64)) != 0 {
			return fmt.Errorf("%w: page %d is used twice", ErrCorrupt, i)
		}
		c.seen[i/64] |= 1 << (i % 64)
	}
	return nil
}

// elements checks the elements of a page, or of a bucket stored within one.
func (c *checker) elements(id uint64, data []byte, depth int) error {
	flags := binary.NativeEndian.Uint16(data[8:])
	count := int(binary.NativeEndian.Uint16(data[10:]))
	if flags != branchFlag && flags != leafFlag {
		return fmt.Errorf("%w: page %d is of type %#x", ErrCorrupt, id, flags)
	}
	if headerSize+count*elementSize > len(data) || (flags == branchFlag && count == 0) {
		return fmt.Errorf("%w: page %d cannot have %d elements", ErrCorrupt, id, count)
	}
	var last []byte
	for i := range count {
		element := data[headerSize+i*elementSize:]
		key, err := c.element(element, flags, depth)
		if err != nil {
			return fmt.Errorf("%w (page %d, element %d)", err, id, i)
		}
		if i > 0 && bytes.Compare(last, key) >= 0 {
			return fmt.Errorf("%w: page %d, element %d is out of order", ErrCorrupt, id, i)
		}
		last = key
	}
	return nil
}

// element checks one element and returns its key. It is given all bytes from
// the element to the end of the page.
func (c *checker) element(b []byte, flags uint16, depth int) ([]byte, error) {
	if flags == branchFlag {
		key, _, ok := split(b, 0, 4, 0)
		if !ok {
			return nil, fmt.Errorf("%w: key is out of bounds", ErrCorrupt)
		}
		return key, c.page(binary.NativeEndian.Uint64(b[8:]), depth+1)
	}
	key, value, ok := split(b, 4, 8, 12)
	if !ok {
		return nil, fmt.Errorf("%w: entry is out of bounds", ErrCorrupt)
	}
	if binary.NativeEndian.Uint32(b)&bucketFlag == 0 {
		return key, nil
	}
	return key, c.bucket(value, depth)
}

func (c *checker) bucket(value []byte, depth int) error {
	if len(value) < 16 {
		return fmt.Errorf("%w: bucket is too short", ErrCorrupt)
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return c.page(root, depth+1)
	}
	if len(value) < 16+headerSize || depth >= maxDepth {
		return fmt.Errorf("%w: bucket is too short", ErrCorrupt)
	}
	return c.elements(0, value[16:], depth+1)
}

// split cuts key and value out of an element, given where it says their place
// and their sizes are. Without a valueSize there is no value.
func split(b []byte, pos, keySize, valueSize int) (key, value []byte, ok bool) {
	field := func(at int) uint64 { return uint64(binary.NativeEndian.Uint32(b[at:])) }
	from, n := field(pos), field(keySize)
	var m uint64
	if valueSize > 0 {
		m = field(valueSize)
	}
	if from+n+m > uint64(len(b)) {
		return nil, nil, false
	}
	return b[from : from+n], b[from+n : from+n+m], true
}
