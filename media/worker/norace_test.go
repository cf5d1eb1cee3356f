//go:build !race

package worker_test

const memoryLimit = 512 << 20
