package wall

import (
	"encoding/binary"
	"testing"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// verdict is what the filters, run as the kernel runs them, answer to a call.
func verdict(t *testing.T, machine, number uint32, args ...uint64) uint32 {
	t.Helper()
	info, err := arch.GetInfo("")
	if err != nil {
		t.Skip(err)
	}
	// struct seccomp_data of a little-endian machine, in words; the simulated
	// processor reads a word big-endian.
	data := binary.BigEndian.AppendUint32(nil, number)
	data = binary.BigEndian.AppendUint32(data, machine)
	data = append(data, make([]byte, 8)...)
	for i := range 6 {
		var v uint64
		if i < len(args) {
			v = args[i]
		}
		data = binary.BigEndian.AppendUint32(data, uint32(v))
		data = binary.BigEndian.AppendUint32(data, uint32(v>>32))
	}
	strictest := uint32(unix.SECCOMP_RET_ALLOW)
	for _, p := range policies(info, 4711) {
		program, err := p.Assemble()
		if err != nil {
			t.Fatal(err)
		}
		vm, err := bpf.NewVM(program)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := vm.Run(data)
		if err != nil {
			t.Fatal(err)
		}
		strictest = min(strictest, uint32(answer))
	}
	return strictest
}

func TestTheFilterLooksAtArgumentsAndMachines(t *testing.T) {
	const (
		allow  = uint32(unix.SECCOMP_RET_ALLOW)
		eperm  = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
		enosys = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	)
	info, err := arch.GetInfo("")
	if err != nil {
		t.Skip(err)
	}
	thread := uint64(unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD)
	private := uint64(unix.MAP_PRIVATE | unix.MAP_ANONYMOUS)
	tests := []struct {
		name string
		call uint32
		args []uint64
		want uint32
	}{
		{"read", unix.SYS_READ, nil, allow},
		{"execve", unix.SYS_EXECVE, nil, eperm},
		{"openat", unix.SYS_OPENAT, nil, eperm},
		{"a thread", unix.SYS_CLONE, []uint64{thread}, allow},
		{"a process", unix.SYS_CLONE, []uint64{uint64(unix.SIGCHLD)}, eperm},
		{"a process with memory shared", unix.SYS_CLONE, []uint64{unix.CLONE_VM | unix.CLONE_VFORK}, eperm},
		{"clone3", unix.SYS_CLONE3, nil, enosys},
		{"a signal to itself", unix.SYS_TGKILL, []uint64{4711, 4712, 23}, allow},
		{"a signal to another", unix.SYS_TGKILL, []uint64{1, 1, 9}, eperm},
		{"a signal to its group", unix.SYS_KILL, []uint64{0, 9}, eperm},
		{"memory", unix.SYS_MMAP, []uint64{0, 4096, unix.PROT_READ | unix.PROT_WRITE, private}, allow},
		{"memory for code", unix.SYS_MMAP, []uint64{0, 4096, unix.PROT_READ | unix.PROT_EXEC, private}, eperm},
		{"shared memory", unix.SYS_MMAP, []uint64{0, 4096, unix.PROT_READ, unix.MAP_SHARED | unix.MAP_ANONYMOUS}, eperm},
		{"a file in memory", unix.SYS_MMAP, []uint64{0, 4096, unix.PROT_READ, unix.MAP_SHARED, 5}, allow},
		{"data made code", unix.SYS_MPROTECT, []uint64{0, 4096, unix.PROT_READ | unix.PROT_EXEC}, eperm},
		{"a limit that is read", unix.SYS_PRLIMIT64, []uint64{0, 0, 0, 0xc000000000}, allow},
		{"a limit that is set", unix.SYS_PRLIMIT64, []uint64{0, 0, 0xc000000000}, eperm},
		{"a limit that is set, high", unix.SYS_PRLIMIT64, []uint64{0, 0, 0x7f0000000000}, eperm},
		{"a call that is still to be invented", 4000, nil, eperm},
	}
	for _, test := range tests {
		if got := verdict(t, uint32(info.ID), test.call, test.args...); got != test.want {
			t.Errorf("%s: %#x, want %#x", test.name, got, test.want)
		}
		if got := verdict(t, uint32(arch.I386.ID), test.call, test.args...); got != eperm {
			t.Errorf("%s by the calls of another machine: %#x", test.name, got)
		}
	}
	if info == arch.X86_64 {
		if got := verdict(t, uint32(info.ID), 0x40000000|unix.SYS_EXECVE); got != enosys {
			t.Errorf("x32: %#x", got)
		}
	}
}

func TestEveryDeniedCallHasItsName(t *testing.T) {
	tables := []*arch.Info{arch.X86_64, arch.AARCH64}
	for _, name := range denied {
		known := false
		for _, table := range tables {
			_, here := table.SyscallNames[name]
			known = known || here
		}
		if !known {
			t.Errorf("no machine has %s", name)
		}
	}
	for name := range deniedWith(1) {
		for _, table := range tables {
			if _, ok := table.SyscallNames[name]; !ok {
				t.Errorf("%s has no %s", table.Name, name)
			}
		}
	}
}
