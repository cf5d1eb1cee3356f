package video_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"picora/media"
	"picora/media/video"
)

func TestLookKnowsEveryContainerAndCodec(t *testing.T) {
	both := bars + hum
	for _, c := range []struct{ name, words, mime, codec, sound string }{
		{"a.mp4", both + quickly + aac64, "video/mp4", "h264", "aac"},
		{"a.m4v", both + quickly + aac64, "video/mp4", "h264", "aac"},
		{"a.mov", both + "-c:v mpeg4 " + aac64, "video/quicktime", "mpeg4", "aac"},
		{"p.mov", both + "-c:v prores_ks -profile:v 0 -c:a pcm_s16le", "video/quicktime", "prores", "pcm_s16le"},
		{"a.3gp", both + "-s 176x144 -c:v h263 -c:a aac", "video/3gpp", "h263", "aac"},
		{"a.mkv", both + "-c:v libx265 -preset ultrafast -x265-params log-level=none -c:a libopus", "video/x-matroska", "hevc", "opus"},
		{"a.webm", both + "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libvorbis", "video/webm", "vp9", "vorbis"},
		{"8.webm", both + "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libvorbis", "video/webm", "vp8", "vorbis"},
		{"a.avi", both + "-c:v mpeg4 -vtag xvid -c:a libmp3lame", "video/x-msvideo", "mpeg4", "mp3"},
		{"m.avi", both + "-c:v mjpeg -c:a pcm_s16le", "video/x-msvideo", "mjpeg", "pcm_s16le"},
		{"a.ts", both + quickly + aac64, "video/mp2t", "h264", "aac"},
		{"a.mpg", both + "-c:v mpeg2video -c:a mp2", "video/mpeg", "mpeg2video", "mp2"},
		{"1.mpg", both + "-c:v mpeg1video -c:a mp2 -f mpeg", "video/mpeg", "mpeg1video", "mp2"},
		{"a.flv", both + quickly + aac64, "video/x-flv", "h264", "aac"},
		{"a.wmv", both + "-c:v wmv2 -c:a wmav2", "video/x-ms-wmv", "wmv2", "wmav2"},
		{"a.ogv", both + "-c:v libtheora -c:a libvorbis", "video/ogg", "theora", "vorbis"},
	} {
		v, err := look(t, clip(t, c.name, c.words))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if v.MIME != c.mime || v.Codec != c.codec || len(v.Sounds) != 1 || v.Sounds[0].Codec != c.sound || math.Abs(v.Duration-2) > 0.15 {
			t.Errorf("%s: %+v", c.name, v)
		}
		if c.name != "a.3gp" && (v.Width != 320 || v.Height != 180 || math.Abs(v.FrameRate-25) > 0.6) {
			t.Errorf("%s is %d x %d with %v a second", c.name, v.Width, v.Height, v.FrameRate)
		}
		if v.Interlaced || v.HDR != "" || v.Rotation != 0 {
			t.Errorf("%s is taken for something special: %+v", c.name, v)
		}
	}
}

// turned makes a copy of a film that is to be shown turned clockwise; ffmpeg's option counts
// the other way round.
func turned(t testing.TB, path string, degrees int) string {
	t.Helper()
	return clip(t, "turned.mp4", fmt.Sprintf("-i %s -c copy -metadata:s:v:0 rotate=%d", path, 360-degrees))
}

func TestLookSeesThePicturesAsTheyAreShown(t *testing.T) {
	plain := clip(t, "a.mp4", bars+quickly)
	for degrees, want := range map[int][3]int{90: {180, 320, 90}, 180: {320, 180, 180}, 270: {180, 320, 270}} {
		if v, err := look(t, turned(t, plain, degrees)); err != nil || [3]int{v.Width, v.Height, v.Rotation} != want {
			t.Errorf("turned by %d: %d x %d, %d, %v", degrees, v.Width, v.Height, v.Rotation, err)
		}
	}
	for _, c := range []struct {
		name, words string
		w, h, depth int
		hdr         string
		interlaced  bool
	}{
		{"sar.mp4", "-f lavfi -i testsrc2=s=360x288:r=25:d=1,setsar=16/11 " + quickly, 524, 288, 8, "", false},
		{"odd.mkv", "-f lavfi -i testsrc2=s=320x180:r=25:d=1,scale=321:181 -c:v ffv1 -pix_fmt yuv420p", 321, 181, 8, "", false},
		{"ten.mkv", "-f lavfi -i testsrc2=s=320x180:d=1 -pix_fmt yuv420p10 -c:v libx265 -preset ultrafast -x265-params log-level=none", 320, 180, 10, "", false},
		{"pq.mp4", "-f lavfi -i testsrc2=s=320x180:d=1 -pix_fmt yuv420p10 -c:v libx265 -preset ultrafast -x265-params log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc", 320, 180, 10, "pq", false},
		{"hlg.mp4", "-f lavfi -i testsrc2=s=320x180:d=1 -pix_fmt yuv420p10 -c:v libx265 -preset ultrafast -x265-params log-level=none:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc", 320, 180, 10, "hlg", false},
		{"444.mp4", "-f lavfi -i testsrc2=s=320x180:d=1 -c:v libx264 -pix_fmt yuv444p -preset ultrafast", 320, 180, 8, "", false},
		{"tff.mp4", "-f lavfi -i testsrc2=s=360x288:r=50:d=2 -vf tinterlace=interleave_top,fieldorder=tff -c:v libx264 -flags +ildct -x264-params tff=1 -pix_fmt yuv420p -preset ultrafast", 360, 288, 8, "", true},
		{"unsaid.avi", "-f lavfi -i testsrc2=s=360x288:r=50:d=2 -vf tinterlace=interleave_top,setfield=prog -c:v mpeg4 -q:v 3", 360, 288, 8, "", true},
		{"called.mp4", "-f lavfi -i smptebars=s=720x576:r=25,crop=360:288:x=n*3:y=n -t 2 -c:v libx264 -flags +ildct -x264-params tff=1 -pix_fmt yuv420p -preset ultrafast", 360, 288, 8, "", false},
	} {
		v, err := look(t, clip(t, c.name, c.words))
		if err != nil || v.Width != c.w || v.Height != c.h || v.Depth != c.depth || v.HDR != c.hdr || v.Interlaced != c.interlaced {
			t.Errorf("%s: %v, %+v", c.name, err, v)
		}
	}
}

func TestLookTellsTracksAndChapters(t *testing.T) {
	dir := t.TempDir()
	put(t, dir+"/a.srt", "1\n00:00:00,100 --> 00:00:01,000\nHello\n")
	put(t, dir+"/meta", ";FFMETADATA1\ntitle=A walk\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2000\ntitle=Two\n")
	for _, name := range []string{"a.mkv", "a.mp4"} {
		captions := "-c:s srt "
		if name == "a.mp4" {
			captions = "-c:s mov_text "
		}
		path := clip(t, name, bars+hum+hum+"-i "+dir+"/a.srt -i "+dir+"/a.srt -i "+dir+"/meta -map_metadata 5 -map_chapters 5 -map 0 -map 1 -map 2 -map 3 -map 4 "+quickly+
			"-c:a aac -ac:a:0 1 -ac:a:1 6 "+captions+"-metadata:s:a:0 language=eng -metadata:s:a:1 language=chi -metadata:s:s:0 language=ger -metadata:s:s:1 language=und -disposition:s:1 forced -metadata creation_time=2024-05-06T07:08:09Z")
		v, err := look(t, path)
		if err != nil {
			t.Fatal(name, err)
		}
		if len(v.Sounds) != 2 || v.Sounds[0].Lang != "eng" || v.Sounds[0].Channels != 1 || v.Sounds[1].Lang != "chi" || v.Sounds[1].Channels != 6 || name == "a.mp4" && !v.Sounds[0].Default {
			t.Errorf("%s: sounds %+v", name, v.Sounds)
		}
		if len(v.Captions) != 2 || v.Captions[0].Lang != "ger" || v.Captions[0].Title != "" || v.Captions[1].Lang != "" || !v.Captions[1].Forced {
			t.Errorf("%s: captions %+v", name, v.Captions)
		}
		if len(v.Chapters) != 2 || v.Chapters[1] != (media.Chapter{Start: 1, End: 2, Title: "Two"}) || v.Title != "A walk" || v.Created != "2024-05-06T07:08:09Z" {
			t.Errorf("%s: %+v %q %q", name, v.Chapters, v.Title, v.Created)
		}
	}
}

func TestLookRefusesWhatIsNoVideo(t *testing.T) {
	dir := t.TempDir()
	run(t, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", dir+"/cover.png")
	whole, err := os.ReadFile(clip(t, "a.mp4", bars+quickly))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		b     []byte
		args  media.VideoArgs
		words string
	}{
		{"sound alone in MP4", bytesOf(t, clip(t, "a.mp4", hum+aac64)), media.VideoArgs{}, "no moving pictures"},
		{"sound alone in Ogg", bytesOf(t, clip(t, "a.ogv", hum+"-c:a libvorbis")), media.VideoArgs{}, "no moving pictures"},
		{"sound with a cover", bytesOf(t, clip(t, "a.mp4", hum+"-i "+dir+"/cover.png -map 0 -map 1 -c:v png -disposition:v attached_pic "+aac64)), media.VideoArgs{}, "no moving pictures"},
		{"a codec that is not decoded", bytesOf(t, clip(t, "a.mkv", bars+"-c:v snow -strict -2")), media.VideoArgs{}, "snow, which is not supported"},
		{"too many pixels", whole, media.VideoArgs{MaxPixels: 320*180 - 1}, "the picture has 320 x 180 pixels"},
		{"too long", whole, media.VideoArgs{MaxSeconds: 1}, "the video is 2 s long; the limit is 1 s"},
		{"the end is missing, where the tables are", whole[:len(whole)/2], media.VideoArgs{}, "list of what is in it (moov)"},
		{"rubbish behind a head", append([]byte(strings.Repeat("\x00", 4)+"ftypisom\x00\x00\x00\x00"), make([]byte, 5000)...), media.VideoArgs{}, "moov"},
	} {
		f := memory(c.b)
		a := args(t, f)
		a.MaxSeconds = c.args.MaxSeconds
		if c.args.MaxPixels > 0 {
			a.MaxPixels = c.args.MaxPixels
		}
		if v, err := video.Look(ctx, f, a); err == nil || !strings.Contains(media.Reason(err), c.words) {
			t.Errorf("%s: %v, %+v", c.name, err, v)
		}
	}
}

func bytesOf(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func put(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
