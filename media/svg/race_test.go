//go:build race

package svg

// worstSize is smaller here because the race detector makes all of it slow.
const worstSize = MaxBytes / 8
