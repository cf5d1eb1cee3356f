//go:build !race

package svg

// worstSize is how large the files of TestWorst are.
const worstSize = MaxBytes
