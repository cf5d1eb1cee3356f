package child_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"picora/media/worker/child"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "worker" {
		if err := child.Serve(nil); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestAWorkerIsNoCommandForPeople(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, third := range map[string][]*os.File{"nothing": nil, "a file": {file}} {
		cmd := exec.Command("/proc/self/exe", "worker")
		cmd.ExtraFiles = third
		out, err := cmd.CombinedOutput()
		if err == nil || string(out) != "the server starts workers itself; this is not a command for people" {
			t.Errorf("descriptor 3 is %s: %v, %q", name, err, strings.TrimSpace(string(out)))
		}
	}
}
