package wall

import (
	"errors"
	"fmt"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// Versions of Landlock's interface that brought what a person would ask about.
const (
	landlockTCP     = 4
	landlockSignals = 6
)

// restrict denies every path, TCP, signals and abstract sockets, as far as the
// kernel's Landlock goes. The library forbids new privileges on the way.
func restrict() (string, error) {
	version, err := ll.LandlockGetABIVersion()
	switch {
	case errors.Is(err, unix.ENOSYS):
		return "", errors.New("this kernel has no Landlock, or the container forbids it (Linux 5.13 and later have it)")
	case errors.Is(err, unix.EOPNOTSUPP):
		return "", errors.New("this kernel has Landlock switched off (boot it with lsm=landlock,...)")
	case err != nil:
		return "", fmt.Errorf("cannot ask for Landlock: %w", err)
	}
	if err := landlock.V9.BestEffort().Restrict(); err != nil {
		return "", fmt.Errorf("cannot be applied: %w", err)
	}
	detail := "no file by its name"
	if version >= landlockTCP {
		detail += ", no TCP"
	}
	if version >= landlockSignals {
		detail += ", no signals to others"
	}
	return fmt.Sprintf("%s (version %d)", detail, version), nil
}
