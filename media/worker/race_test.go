//go:build race

package worker_test

// The race detector maps terabytes, so memory cannot be limited under it.
const memoryLimit = -1
