package child

import (
	"bufio"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// program is where the program's own pages are that nobody writes: its code and
// constants.
type program [][2]uintptr

// findProgram looks for them in smaps (proc(5)), before the walls hide it. A mapping
// that was ever written is none: what was relocated would be lost. Without /proc there
// are none.
func findProgram() (p program) {
	path, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return nil
	}
	defer f.Close()
	var from, to uintptr
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) >= 6 && strings.Contains(fields[0], "-"):
			from, to = 0, 0
			if fields[5] == path && !strings.Contains(fields[1], "w") {
				from, to = bounds(fields[0])
			}
		case len(fields) >= 2 && fields[0] == "Private_Dirty:" && fields[1] == "0" && from < to:
			p = append(p, [2]uintptr{from, to})
		}
	}
	return p
}

// unmap gives up the pages: most were only needed to initialise packages, the server's
// among them, or by the last job. They stay in the page cache, and come back when they
// are used.
func (p program) unmap() {
	for _, m := range p {
		unix.Syscall(unix.SYS_MADVISE, m[0], m[1]-m[0], unix.MADV_DONTNEED)
	}
}

// bounds reads a range of addresses, "55d0-55e0".
func bounds(s string) (from, to uintptr) {
	a, b, _ := strings.Cut(s, "-")
	x, err := strconv.ParseUint(a, 16, 64)
	y, e := strconv.ParseUint(b, 16, 64)
	if err != nil || e != nil {
		return 0, 0
	}
	return uintptr(x), uintptr(y)
}
