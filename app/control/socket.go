package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// socketName is the socket's name in the data folder.
const socketName = "picora.sock"

// Listen makes the socket in the data folder. The caller holds the database's
// lock, so what an earlier process left there is nobody's.
func Listen(data string) (net.Listener, error) {
	path := filepath.Join(data, socketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	// Made in a folder that nobody else may enter, and moved when its mode is set: the
	// process' umask, which would do the same, is that of all its threads.
	dir := filepath.Join(data, ".sock")
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	defer os.RemoveAll(dir)
	born := filepath.Join(dir, "s.new") // as long as its later name, so that both fit or none
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: born, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("control: the socket %s (its path may have 107 characters): %w", path, err)
	}
	ln.SetUnlinkOnClose(false) // it has another name by then
	if err := errors.Join(os.Chmod(born, 0o600), os.Rename(born, path)); err != nil {
		ln.Close()
		return nil, fmt.Errorf("control: %w", err)
	}
	return &socket{ln, path}, nil
}

// socket is a listener that takes its name away when it closes.
type socket struct {
	net.Listener
	path string
}

func (s *socket) Close() error {
	err := s.Listener.Close()
	if err == nil { // closed once: by then the name may be another's
		os.Remove(s.path)
	}
	return err
}

// Serve answers on ln until ctx ends.
func Serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
