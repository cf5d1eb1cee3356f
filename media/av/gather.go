package av

/*
#cgo pkg-config: libavutil
#include <libavutil/cpu.h>

static void no_gather(void) {
#if defined(__x86_64__)
	av_force_cpu_flags(av_get_cpu_flags() | AV_CPU_FLAG_SLOW_GATHER);
#endif
}
*/
import "C"

// FFmpeg's scaler reads pixels with AVX2's gather wherever it takes that for fast, which is on
// Intel since Skylake. Since the mitigation of Downfall (2023) it is slow there: 1080p to 720p
// takes a fifth less with SSE, decoding included, and the pixels are the same. FFmpeg knows
// that of AMD's processors and of Haswell itself.
func init() { C.no_gather() }
