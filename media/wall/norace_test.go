//go:build !race

package wall

const dataLimit = 512 << 20
