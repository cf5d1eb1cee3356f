package wall

import (
	"fmt"
	"net"
	"os"
	"syscall"
)

// Try does what a process inside the walls must not be able to do, and reports
// what came of each: a wall of the Report stands when it failed. Nothing that
// succeeds is left behind.
func Try() Report {
	tries := []struct {
		name string
		do   func() error
	}{
		{"read /etc/passwd", func() error { return closed(os.Open("/etc/passwd")) }},
		{"write a file", writeFile},
		{"listen on a TCP port", func() error { return closed(net.Listen("tcp", "127.0.0.1:0")) }},
		{"open a UDP socket", func() error { return closed(net.ListenPacket("udp", "127.0.0.1:0")) }},
		{"start a process", startProcess},
	}
	report := make(Report, 0, len(tries))
	for _, t := range tries {
		err := t.do()
		w := Wall{Name: t.name, Stands: err != nil, Detail: "it could"}
		if err != nil {
			w.Detail = err.Error()
		}
		report = append(report, w)
	}
	return report
}

// closed closes what was opened, if it was.
func closed[T interface{ Close() error }](c T, err error) error {
	if err == nil {
		c.Close()
	}
	return err
}

func writeFile() error {
	name := fmt.Sprintf("%s/picora-try-%d", os.TempDir(), os.Getpid())
	err := os.WriteFile(name, nil, 0o600)
	if err == nil {
		os.Remove(name)
	}
	return err
}

// startProcess starts this program once more, which says in a sentence that it was
// started by accident; before that matters it is killed.
func startProcess() error {
	pid, err := syscall.ForkExec("/proc/self/exe", []string{"picora", "worker"}, nil)
	if err != nil {
		return err
	}
	syscall.Kill(pid, syscall.SIGKILL)
	_, err = syscall.Wait4(pid, nil, 0, nil)
	return err
}
