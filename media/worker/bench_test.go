package worker_test

import (
	"testing"

	"picora/media/worker"
)

// BenchmarkSpawn starts a child, waits until its walls stand, and has it answer once.
func BenchmarkSpawn(b *testing.B) {
	p := pool(b, worker.Options{Jobs: 1})
	for b.Loop() {
		works(b, p)
	}
}

// BenchmarkPing is the round trip of a job to a warm child.
func BenchmarkPing(b *testing.B) {
	p := pool(b, worker.Options{Jobs: 1 << 30})
	for b.Loop() {
		works(b, p)
	}
	pid, _ := do(p, "pid", nil)
	b.ReportMetric(float64(resident(b, pid))/(1<<20), "MiB-resident")
}
