package corpus

import (
	"os"
	"testing"
	"time"
)

func TestEveryFileIsMade(t *testing.T) {
	cases := Some()
	if os.Getenv("PICORA_SOAK") != "" {
		cases = All()
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			path := c.File(t)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s %d bytes %.1f s", path, info.Size(), time.Since(begin).Seconds())
		})
	}
}
