// Package wire is what the server and its workers say to each other, over a pair
// of unix sockets that keep messages apart (SOCK_SEQPACKET). One message is one
// JSON value; files travel beside it as descriptors.
//
//	server -> worker  Hello    once
//	worker -> server  Ready    once, when the walls stand
//	server -> worker  Job      with its files
//	worker -> server  Answer   progress, any number of times; then the end
package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"picora/media/wall"
)

// Socket is the descriptor on which a worker finds its socket.
const Socket = 3

// MaxMessage is the longest message, in bytes.
const MaxMessage = 64 << 10

// MaxMore is how many outputs a job may have beside its first.
const MaxMore = 32

// maxFiles is how many files a message may carry: two inputs and the outputs.
const maxFiles = 3 + MaxMore

// Hello tells a new worker how to live.
type Hello struct {
	Limits  wall.Limits `json:"limits"`
	Threads int         `json:"threads"` // that run Go code at once
	// Prepare names what it gets ready before the walls stand; empty: nothing.
	Prepare string `json:"prepare,omitempty"`
}

// Ready says that the worker takes jobs.
type Ready struct {
	Walls wall.Report `json:"walls"`
}

// A Job is one piece of work.
type Job struct {
	ID   uint64          `json:"id"` // the answer repeats it
	Kind string          `json:"kind"`
	Args json.RawMessage `json:"args,omitempty"`
	// Which files come with it, in this order: the input, another one, the output, so many
	// more outputs.
	In     bool `json:"in,omitempty"`
	Beside bool `json:"beside,omitempty"`
	Out    bool `json:"out,omitempty"`
	More   int  `json:"more,omitempty"`

	Left time.Duration `json:"left,omitempty"` // until the deadline; 0: none
}

// An Answer has, beside the job's ID, exactly one of its fields.
type Answer struct {
	ID       uint64          `json:"id"`
	Progress *float64        `json:"progress,omitempty"` // 0 to 1
	Result   json.RawMessage `json:"result,omitempty"`
	Problem  *Problem        `json:"problem,omitempty"`
}

// A Problem is why there is no result.
type Problem struct {
	Kind string `json:"kind"` // one of the kinds below
	Text string `json:"text"` // of the first three: the sentence for a person
}

// The kinds of problems: the three refusals of package media, and the rest.
const (
	Corrupt     = "corrupt"
	Unsupported = "unsupported"
	Pixels      = "pixels"
	Memory      = "memory"
	Timeout     = "timeout"
	Space       = "space"
	Failed      = "failed"
)

// ErrRogue is the error of a message that the other side would not send if it
// were sound.
var ErrRogue = errors.New("wire: not a message")

// ErrTooLong is the error of a message that does not fit; nothing was sent.
var ErrTooLong = errors.New("wire: the message is too long")

// Send sends v as one message, and the files with it.
func Send(conn *net.UnixConn, v any, files ...*os.File) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(b) > MaxMessage {
		return fmt.Errorf("%w: %d bytes", ErrTooLong, len(b))
	}
	var rights []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			fds[i] = int(f.Fd())
		}
		rights = unix.UnixRights(fds...)
	}
	_, _, err = conn.WriteMsgUnix(b, rights, nil)
	runtime.KeepAlive(files)
	return err
}

// Receive reads one message, without files, into buf, which has room for
// MaxMessage bytes. A closed connection is an error; a message that is too long,
// or that brings files, is ErrRogue.
func Receive(conn *net.UnixConn, buf []byte) ([]byte, error) {
	// Without room for them the kernel drops the files and says that it did.
	n, _, flags, _, err := conn.ReadMsgUnix(buf, nil)
	if err != nil {
		return nil, err
	}
	if flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		return nil, fmt.Errorf("%w: too long, or with files", ErrRogue)
	}
	return buf[:n], nil
}

// ReceiveFiles is Receive for messages that may bring files, at most maxFiles.
func ReceiveFiles(conn *net.UnixConn, buf []byte) ([]byte, []*os.File, error) {
	rights := make([]byte, unix.CmsgSpace(4*maxFiles))
	n, nr, flags, _, err := conn.ReadMsgUnix(buf, rights)
	if err != nil {
		return nil, nil, err
	}
	if flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		return nil, nil, fmt.Errorf("%w: too long, or with too many files", ErrRogue)
	}
	if nr == 0 {
		return buf[:n], nil, nil
	}
	messages, err := unix.ParseSocketControlMessage(rights[:nr])
	if err != nil || len(messages) != 1 {
		return nil, nil, fmt.Errorf("%w: strange files", ErrRogue)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return nil, nil, fmt.Errorf("%w: strange files: %w", ErrRogue, err)
	}
	files := make([]*os.File, len(fds))
	for i, fd := range fds {
		files[i] = os.NewFile(uintptr(fd), "file of the job")
	}
	return buf[:n], files, nil
}
