package video_test

import (
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// colours are those of the n patches, 32 pixels wide, of a film's first picture, as a screen shows them.
func colours(t testing.TB, path string, n int) (list [][3]int) {
	t.Helper()
	to := filepath.Join(t.TempDir(), "raw")
	run(t, "ffmpeg", "-v", "error", "-nostdin", "-i", path, "-frames:v", "1", "-vf", "scale=in_color_matrix=bt709:in_range=tv:flags=accurate_rnd+full_chroma_int,format=rgb24", "-f", "rawvideo", to)
	b := bytesOf(t, to)
	for i := range n {
		at := b[3*(16*32*n+32*i+16):]
		list = append(list, [3]int{int(at[0]), int(at[1]), int(at[2])})
	}
	return list
}

// patch is a colour as a film has it (R, G, B of 1023), and as a screen is to show it (of 255).
type patch struct {
	name string
	code [3]int
	want [3]int
}

func TestColoursComeOutAsTheyShould(t *testing.T) {
	all := func(n int) [3]int { return [3]int{n, n, n} }
	for transfer, patches := range map[string][]patch{
		// Codes of PQ by BT.2100 table 4.
		"smpte2084": {
			{"black", all(0), all(0)},
			{"10 cd/m²", all(307), grey(9.95 / 203)},
			{"203 cd/m², which BT.2390 bends from 1000 to 203", all(594), grey(0.776)},
			{"1000 cd/m²", all(769), all(255)},
			{"10000 cd/m²", all(1023), all(255)},
		},
		// HLG on a screen of 1000 cd/m², by BT.2408 table 1.
		"arib-std-b67": {
			{"white paper of 203 cd/m²", all(767), grey(0.776)},
			{"grey of 26 cd/m²", all(389), grey(26.0 / 203)},
			{"black", all(0), all(0)},
		},
		// BT.709's red is 0.6274, 0.0691, 0.0164 in BT.2020's light (BT.2087), and so on; gamma 2.4.
		"bt2020-10": {
			{"white", all(1023), all(255)},
			{"grey", all(512), all(128)},
			{"BT.709's red", [3]int{842, 336, 185}, [3]int{255, 0, 0}},
			{"BT.709's green", [3]int{644, 988, 372}, [3]int{0, 255, 0}},
			{"BT.709's blue", [3]int{277, 159, 977}, [3]int{0, 0, 255}},
		},
	} {
		var channel [3]string
		for i := range channel {
			for n, p := range patches {
				channel[i] += fmt.Sprintf("%d*eq(floor(X/32),%d)+", p.code[i], n)
			}
		}
		path := clip(t, "a.mkv", fmt.Sprintf("-f lavfi -i color=black:s=%dx32:r=5:d=0.4,format=gbrp10,geq=r='%s0':g='%s0':b='%s0',scale=out_color_matrix=bt2020:out_range=tv:flags=accurate_rnd+full_chroma_int,format=yuv444p10 "+
			"-c:v libx265 -preset ultrafast -x265-params log-level=none:lossless=1:colorprim=bt2020:transfer=%s:colormatrix=bt2020nc:range=limited", 32*len(patches), channel[0], channel[1], channel[2], transfer))
		_, m := one(t, path)
		for i, got := range colours(t, m.path, len(patches)) {
			if p := patches[i]; apart(got, p.want) > 5 && brighter(got, p.want) > 0.02 {
				t.Errorf("%s, %s: %v, want %v", transfer, p.name, got, p.want)
			}
		}
		if m.probe.Streams[0].ColorSpace != "bt709" {
			t.Errorf("%+v", m.probe.Streams[0])
		}
	}
	// BT.601's red, said and unsaid, is BT.709's.
	for name, options := range map[string]string{"unsaid": "", "said": "-colorspace smpte170m -color_primaries smpte170m -color_trc smpte170m"} {
		path := clip(t, "a.mp4", "-f lavfi -i color=0xC03020:s=64x32:r=5:d=0.4,scale=out_color_matrix=bt601:out_range=tv -qp 1 "+options+" "+quickly)
		_, m := one(t, path)
		if got := colours(t, m.path, 2); apart(got[0], [3]int{0xC0, 0x30, 0x20}) > 4 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// grey is the number of a grey of so much light, on a screen of BT.1886.
func grey(light float64) [3]int {
	v := int(math.Round(255 * math.Pow(light, 1/2.4)))
	return [3]int{v, v, v}
}

// brighter is the largest difference of a channel in light, white being 1: near black, numbers are
// far apart that nobody can tell.
func brighter(a, b [3]int) (most float64) {
	for i := range a {
		most = max(most, math.Abs(math.Pow(float64(a[i])/255, 2.4)-math.Pow(float64(b[i])/255, 2.4)))
	}
	return most
}

// apart is the largest difference of a channel.
func apart(a, b [3]int) (most int) {
	for i := range a {
		most = max(most, a[i]-b[i], b[i]-a[i])
	}
	return most
}

// TestHDRLooksLikeItsOriginal has the command (with zimg) make HDR of a film, its white being
// that of BT.2408, and compares what comes back.
func TestHDRLooksLikeItsOriginal(t *testing.T) {
	const source = "-f lavfi -i testsrc2=s=320x180:r=25:d=1,boxblur=1,eq=saturation=0.8 "
	sdr := clip(t, "sdr.mp4", source+"-qp 4 -colorspace bt709 -color_primaries bt709 -color_trc bt709 -vf scale=out_color_matrix=bt709:out_range=tv "+quickly)
	for transfer, name := range map[string]string{"smpte2084": "pq", "arib-std-b67": "hlg"} {
		hdr := clip(t, "hdr.mp4", "-i "+sdr+" -vf zscale=min=709:tin=709:pin=709:rin=limited:t=linear:npl=203,format=gbrpf32le,zscale=p=2020:m=2020_ncl:t="+transfer+":r=limited:npl=203,format=yuv420p10le"+
			" -c:v libx265 -preset ultrafast -x265-params log-level=none:crf=6:colorprim=bt2020:transfer="+transfer+":colormatrix=bt2020nc")
		s, m := one(t, hdr)
		if s.HDR != name || s.Depth != 10 {
			t.Errorf("%+v", s.Video)
		}
		same := alike(t, m.path, sdr, "null")
		light, was := luma(t, m.path), luma(t, sdr)
		t.Logf("%s: SSIM %v, mean luma %.1f of %.1f", name, same, light, was)
		if same < 0.85 || light < 0.85*was || light > 1.1*was {
			t.Errorf("%s: SSIM %v, mean luma %.1f of %.1f", name, same, light, was)
		}
	}
}

// luma is the mean of a film's luma.
func luma(t testing.TB, path string) float64 {
	t.Helper()
	out := run(t, "ffmpeg", "-v", "error", "-nostdin", "-i", path, "-vf", "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-", "-f", "null", "-")
	var sum, n float64
	for l := range strings.SplitSeq(out, "\n") {
		if v, ok := strings.CutPrefix(l, "lavfi.signalstats.YAVG="); ok {
			f, _ := strconv.ParseFloat(v, 64)
			sum, n = sum+f, n+1
		}
	}
	return sum / n
}
