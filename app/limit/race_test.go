//go:build race

package limit

func init() { race = true }
