package wall

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// denied are the system calls that a worker never makes after its start. Names
// that an architecture lacks are skipped; that each exists somewhere is tested.
var denied = strings.Fields(`
	execve execveat fork vfork setns unshare setsid setpgid

	socket socketpair connect bind listen accept accept4

	open openat openat2 creat open_by_handle_at name_to_handle_at
	link linkat symlink symlinkat mkdir mkdirat mknod mknodat rmdir rename renameat renameat2 unlink unlinkat
	chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat truncate utime utimes utimensat futimesat
	setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat
	chdir fchdir chroot pivot_root inotify_init inotify_init1 inotify_add_watch fanotify_init fanotify_mark

	mount umount2 mount_setattr move_mount fsopen fsconfig fsmount fspick open_tree open_tree_attr
	statmount listmount quotactl quotactl_fd swapon swapoff acct

	ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp
	pidfd_open pidfd_getfd pidfd_send_signal tkill rt_sigqueueinfo rt_tgsigqueueinfo
	setrlimit setpriority ioprio_set sched_setscheduler sched_setparam sched_setattr

	memfd_create memfd_secret shmget shmat shmctl semget semop semctl msgget msgsnd msgrcv msgctl mq_open mq_unlink
	uselib remap_file_pages map_shadow_stack personality

	bpf keyctl add_key request_key userfaultfd perf_event_open io_uring_setup io_uring_enter io_uring_register
	io_setup io_submit kexec_load kexec_file_load init_module finit_module delete_module reboot syslog
	settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname iopl ioperm modify_ldt
	lookup_dcookie nfsservctl vhangup _sysctl sysfs vmsplice
	setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset
`)

// Flags of mmap(2) and clone(2) that the filter looks at.
const (
	cloneThread  = unix.CLONE_THREAD
	protExec     = unix.PROT_EXEC
	mapShared    = unix.MAP_SHARED
	mapAnonymous = unix.MAP_ANONYMOUS
)

// deniedWith are calls that are denied with some arguments only; of two lines for
// one call either denies it. New code in memory is denied, and so is anonymous
// shared memory, which RLIMIT_DATA does not count.
func deniedWith(pid int) map[string][]seccomp.ArgumentConditions {
	arg := func(n uint32, op seccomp.Operation, value uint64) seccomp.Condition {
		return seccomp.Condition{Argument: n, Operation: op, Value: value}
	}
	return map[string][]seccomp.ArgumentConditions{
		"clone":         {{arg(0, seccomp.BitsNotSet, cloneThread)}},
		"kill":          {{arg(0, seccomp.NotEqual, uint64(pid))}},
		"tgkill":        {{arg(0, seccomp.NotEqual, uint64(pid))}}, // Go and libc send to themselves
		"prlimit64":     {{arg(2, seccomp.NotEqual, 0)}},           // libc reads limits
		"mprotect":      {{arg(2, seccomp.BitsSet, protExec)}},
		"pkey_mprotect": {{arg(2, seccomp.BitsSet, protExec)}},
		"mmap": {
			{arg(2, seccomp.BitsSet, protExec)},
			{arg(3, seccomp.BitsSet, mapShared), arg(3, seccomp.BitsSet, mapAnonymous)},
		},
	}
}

// policies are the filters for an architecture and the process pid; a call must
// pass all of them.
func policies(info *arch.Info, pid int) []seccomp.Policy {
	list := []seccomp.Policy{numbers(info)}
	// A filter each: the library's go on to compare the argument, not the call's
	// number, with the next call when a condition did not hold.
	for name, conditions := range deniedWith(pid) {
		g := seccomp.SyscallGroup{Action: seccomp.ActionErrno}
		for _, c := range conditions {
			g.NamesWithCondtions = append(g.NamesWithCondtions, seccomp.NameWithConditions{Name: name, Conditions: c})
		}
		list = append(list, seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: []seccomp.SyscallGroup{g}})
	}
	return list
}

// numbers is the filter by the call's number. What the library does not know is
// denied too: system calls newer than its table, and those of another architecture
// (int 0x80 on amd64), which it would give the default action.
func numbers(info *arch.Info) seccomp.Policy {
	var no, yes []string
	for name := range info.SyscallNames {
		switch {
		case slices.Contains(denied, name):
			no = append(no, name)
		case name != "clone3":
			yes = append(yes, name)
		}
	}
	return seccomp.Policy{
		DefaultAction: seccomp.ActionErrno,
		Syscalls: []seccomp.SyscallGroup{
			{Action: seccomp.ActionErrno, Names: no},
			// The flags of clone3 lie in memory, where a filter cannot look. libc falls
			// back to clone when it seems to be missing.
			{Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS), Names: []string{"clone3"}},
			{Action: seccomp.ActionAllow, Names: yes},
		},
	}
}

// filter denies the system calls, on all threads.
func filter() (string, error) {
	info, err := arch.GetInfo("")
	if err != nil {
		return "", fmt.Errorf("not on this architecture: %w", err)
	}
	runtime.LockOSThread() // no new privileges is said by the thread that then filters
	defer runtime.UnlockOSThread()
	for _, p := range policies(info, os.Getpid()) {
		if err := seccomp.LoadFilter(seccomp.Filter{NoNewPrivs: true, Flag: seccomp.FilterFlagTSync, Policy: p}); err != nil {
			return "", fmt.Errorf("cannot be filtered (seccomp): %w", err)
		}
	}
	return "no program, no file, no socket, no look at other processes (seccomp), no new privileges", nil
}
