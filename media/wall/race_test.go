//go:build race

package wall

// The race detector maps terabytes, so memory cannot be limited under it.
const dataLimit = -1
