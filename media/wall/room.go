package wall

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// much is what is asked for before it is taken.
const much = 32 << 20

// Room reports whether the limit of memory has room for bytes more; the error is
// ENOMEM. Go takes memory in place of address space that it reserved, for which
// Linux looks only at what is in use already (mmap_region): one large piece may pass
// the limit by its whole size. And where the limit holds, Go ends the process. So
// large pieces, whose size a file chooses, are asked for here first.
func Room(bytes int) error {
	if bytes < much {
		return nil
	}
	b, err := unix.Mmap(-1, 0, bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return fmt.Errorf("%d MiB at once: %w", bytes>>20, err)
	}
	return unix.Munmap(b)
}
