package cli_test

import (
	"strings"
	"testing"

	"picora/app/apptest"
)

func TestDoctorTellsOfTheWalls(t *testing.T) {
	o := apptest.Run(t, "", "doctor")
	if o.Status != 0 || o.Stderr != "" {
		t.Fatalf("%+v", o)
	}
	contains(t, "doctor", o.Stdout, "The walls around a worker:", "Landlock", "system calls", "no network", "no rights", "limits",
		"What a worker could do:", "read /etc/passwd", "start a process")
	if strings.Contains(o.Stdout, "  NO ") {
		t.Logf("this host does not give every wall:\n%s", o.Stdout)
	} else if strings.Contains(o.Stdout, "  YES ") {
		t.Errorf("all walls stand, and yet a worker could do things:\n%s", o.Stdout)
	}
}

func TestAWorkerIsNotOffered(t *testing.T) {
	if help := apptest.Run(t, "", "--help"); strings.Contains(help.Stdout, "worker") || !strings.Contains(help.Stdout, "doctor") {
		t.Errorf("the commands that are offered:\n%s", help.Stdout)
	}
	o := apptest.Run(t, "", "worker")
	if o.Status != 1 || o.Stderr != "picora: the server starts workers itself; this is not a command for people\n" {
		t.Errorf("%+v", o)
	}
}
