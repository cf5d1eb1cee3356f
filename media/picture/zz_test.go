package picture

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"runtime"

	"picora/media"
)

func cpuMS() float64 {
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e6
}

func TestZZ(t *testing.T) {
	if os.Getenv("ZZ") == "" { t.Skip() }
	runtime.GOMAXPROCS(1)
	f, _ := os.Open(os.Getenv("ZZ"))
	data, _, err := Map(f)
	if err != nil { t.Fatal(err) }
	w, _ := strconv.Atoi(os.Getenv("W"))
	k, _ := strconv.Atoi(os.Getenv("K"))
	format := os.Getenv("F")
	if format == "" { format = "jpeg" }
	typ, err := media.Sniff(data)
	var out bytes.Buffer
	var t0 float64
	for i := 0; i <= k; i++ {
		if i == 1 { t0 = cpuMS() }
		out.Reset()
		_, err := Make(context.Background(), Source{Data: data, Type: typ}, media.Spec{Width: w, Format: format, Quality: 80, Fast: os.Getenv("FAST") != ""}, Limits{}, &out)
		if err != nil { t.Fatal(err) }
	}
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	fmt.Printf("ours %s %d: %.1f ms CPU, peak %d MB, %d bytes\n", os.Getenv("ZZ"), w, (cpuMS()-t0)/float64(k), r.Maxrss/1024, out.Len())
	if p := os.Getenv("P"); p != "" { os.WriteFile(p, out.Bytes(), 0o644) }
}
