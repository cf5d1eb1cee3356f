package video_test

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"picora/media"
)

// picture decodes a JPEG that is all of a file, or a part of it.
func picture(t testing.TB, b []byte) image.Image {
	t.Helper()
	m, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// shade is the mean of a picture's brightness, 0 to 255, in a part of it.
func shade(m image.Image, r image.Rectangle) float64 {
	var sum, n float64
	for y := r.Min.Y; y < r.Max.Y; y += 2 {
		for x := r.Min.X; x < r.Max.X; x += 2 {
			r, g, b, _ := m.At(x, y).RGBA()
			sum, n = sum+(0.2126*float64(r)+0.7152*float64(g)+0.0722*float64(b))/257, n+1
		}
	}
	return sum / n
}

func TestThePosterIsAPictureThatShowsSomething(t *testing.T) {
	for _, c := range []struct {
		name, source string
		good         func(at float64) bool
	}{
		{"black at first, then a flash", "color=black:s=320x180:r=10:d=10[a];testsrc2=s=320x180:r=10:d=10[b];[a][b]overlay=enable='gt(t,3)',drawbox=c=white:t=fill:enable='between(t,4,4.3)'",
			func(at float64) bool { return at > 3 && (at < 4 || at > 4.3) }},
		{"sharp in one place only", "testsrc2=s=320x180:r=10:d=10,boxblur=12:enable='lt(t,2)+gt(t,3)'", func(at float64) bool { return at >= 1.9 && at <= 3.1 }},
	} {
		path := clip(t, "a.mp4", "-filter_complex "+strings.ReplaceAll(c.source, " ", "")+" "+quickly)
		s := surveyed(t, load(t, path))
		_, made := make1(t, path, s, media.TrackArgs{Kind: media.PosterOut, Width: 320, Height: 180})
		p := made[0]
		m := picture(t, bytesOf(t, p.file.Name()))
		if p.Empty || m.Bounds() != image.Rect(0, 0, 320, 180) || p.Width != 320 || p.Height != 180 {
			t.Errorf("%s: %+v, %v", c.name, p.TrackMade, m.Bounds())
		}
		if !c.good(p.Start) {
			t.Errorf("%s: the poster is of %v", c.name, p.Start)
		}
		if l := shade(m, m.Bounds()); l < 40 || l > 215 {
			t.Errorf("%s: a brightness of %v", c.name, l)
		}
	}
}

func TestAPosterOfLittle(t *testing.T) {
	for name, words := range map[string]string{
		"one.mp4":   "-f lavfi -i testsrc2=s=320x180:r=10:d=0.1 -frames:v 1 " + quickly,
		"black.mp4": "-f lavfi -i color=black:s=320x180:r=10:d=2 " + quickly,
		"large.mp4": "-f lavfi -i testsrc2=s=2560x1440:r=2:d=1 " + quickly,
	} {
		path := clip(t, name, words)
		s := surveyed(t, load(t, path))
		_, made := make1(t, path, s, media.TrackArgs{Kind: media.PosterOut}, media.TrackArgs{Kind: media.BoardOut}, media.TrackArgs{Kind: media.PreviewOut})
		m := picture(t, bytesOf(t, made[0].file.Name()))
		want := image.Rect(0, 0, 320, 180)
		if name == "large.mp4" {
			want = image.Rect(0, 0, 1280, 720)
		}
		if m.Bounds() != want || made[0].Empty {
			t.Errorf("%s: %v", name, m.Bounds())
		}
		if made[1].Pictures != 1 || len(made[1].Sheets) != 1 || made[2].Empty {
			t.Errorf("%s: %+v %+v", name, made[1].TrackMade, made[2].TrackMade)
		}
	}
}

func TestTheStoryboardShowsEachMoment(t *testing.T) {
	// Every second is another grey: 20, 40, … 220, then again.
	path := clip(t, "a.mp4", "-f lavfi -i color=black:s=320x180:r=10:d=27,format=gray,geq=lum='20+20*mod(floor(T),11)' "+quickly)
	s := surveyed(t, load(t, path))
	_, made := make1(t, path, s, media.TrackArgs{Kind: media.BoardOut, Width: 64, Height: 36, Columns: 4, Rows: 3, Every: 2})
	b := made[0]
	if b.Pictures != 14 || len(b.Sheets) != 2 || b.Width != 64 || b.Height != 36 {
		t.Fatalf("%+v", b.TrackMade)
	}
	file := bytesOf(t, b.file.Name())
	if int64(len(file)) != b.Sheets[0]+b.Sheets[1] {
		t.Fatalf("%d bytes, %v", len(file), b.Sheets)
	}
	sheets := []image.Image{picture(t, file[:b.Sheets[0]]), picture(t, file[b.Sheets[0]:])}
	if sheets[0].Bounds() != image.Rect(0, 0, 256, 108) || sheets[1].Bounds() != image.Rect(0, 0, 128, 36) {
		t.Errorf("%v %v", sheets[0].Bounds(), sheets[1].Bounds())
	}
	for i := range b.Pictures {
		on := i % 12
		left, top := on%4*64, on/4*36
		want := float64(20 + 20*((2*i)%11))
		if got := shade(sheets[i/12], image.Rect(left+4, top+4, left+60, top+32)); !near(got, want, 4) {
			t.Errorf("picture %d has %v, want %v", i, got, want)
		}
	}
}

func TestAStoryboardOfRarePicturesShowsWhatIsSeen(t *testing.T) {
	path := clip(t, "a.mkv", "-f lavfi -i color=black:s=64x64:r=10:d=12,format=gray,geq=lum='if(lt(T,1),40,if(lt(T,9),120,200))' -vf select='eq(n,0)+eq(n,10)+gt(n,90)' -vsync vfr "+quickly)
	s := surveyed(t, load(t, path))
	_, made := make1(t, path, s, media.TrackArgs{Kind: media.BoardOut, Width: 64, Height: 64, Columns: 6, Rows: 1, Every: 2})
	m := picture(t, bytesOf(t, made[0].file.Name()))
	if made[0].Pictures != 6 {
		t.Fatalf("%+v", made[0].TrackMade)
	}
	for i, want := range []float64{40, 120, 120, 120, 120, 200} {
		if got := shade(m, image.Rect(64*i+4, 4, 64*i+60, 60)); !near(got, want, 5) {
			t.Errorf("picture %d has %v, want %v", i, got, want)
		}
	}
}

func TestThePreviewIsShortAndSilent(t *testing.T) {
	path := clip(t, "a.mp4", "-f lavfi -i testsrc2=s=640x360:r=50:d=12 -f lavfi -i sine=d=12 "+quickly+aac64)
	s := surveyed(t, load(t, path))
	_, made := make1(t, path, s, media.TrackArgs{Kind: media.PreviewOut, Length: 2})
	p := made[0]
	got := probed(t, p.file.Name())
	v := got.Streams[0]
	if len(got.Streams) != 1 || v.CodecName != "h264" || v.Width != 480 || v.Height != 270 || v.PixFmt != "yuv420p" {
		t.Errorf("%+v", got.Streams)
	}
	if d := number(t, got.Format.Duration); !near(d, 2, 0.05) || !near(p.Start, 3, 0.05) || len(got.Packets) < 49 || len(got.Packets) > 51 {
		t.Errorf("%v s from %v, %d pictures", d, p.Start, len(got.Packets))
	}
	b := bytesOf(t, p.file.Name())
	if moov, mdat := bytes.Index(b, []byte("moov")), bytes.Index(b, []byte("mdat")); moov < 0 || moov > mdat {
		t.Errorf("moov at %d, mdat at %d", moov, mdat)
	}
	if same := alike(t, p.file.Name(), path, "trim=start=3:end=5,select='not(mod(n,2))',scale=480:270:in_color_matrix=bt601:out_color_matrix=bt709"); same < 0.85 {
		t.Errorf("SSIM %v", same)
	}
}

func TestCaptionsInsideFilms(t *testing.T) {
	dir := t.TempDir()
	put(t, dir+"/a.srt", "1\n00:00:00,500 --> 00:00:01,000\n<i>One</i> < two & <font color=red>three</font>\n\n2\n00:00:01,200 --> 00:00:01,900\nTwo\nlines\n")
	put(t, dir+"/a.ass", "[Script Info]\nScriptType: v4.00+\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,Arial,20\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"+
		"Dialogue: 0,0:00:00.50,0:00:01.00,Default,,0,0,0,,{\\i1}One{\\i0}, 1\nDialogue: 0,0:00:01.20,0:00:01.90,Default,,0,0,0,,{\\an8}Two\\Nlines\n")
	const one, two = "00:00:00.500 --> 00:00:01.000", "00:00:01.200 --> 00:00:01.900"
	for _, c := range []struct{ name, words, want string }{
		{"srt.mkv", "-i " + dir + "/a.srt -c:s srt", one + "\n<i>One</i> &lt; two &amp; three\n\n" + two + "\nTwo\nlines\n"},
		{"vtt.mkv", "-i " + dir + "/a.srt -c:s webvtt", one + "\n<i>One</i> &lt; two &amp; three\n\n" + two + "\nTwo\nlines\n"},
		{"ass.mkv", "-i " + dir + "/a.ass -c:s ass", one + "\n<i>One</i>, 1\n\n" + two + " line:0\nTwo\nlines\n"},
		{"mov.mp4", "-i " + dir + "/a.srt -c:s mov_text", one + "\nOne &lt; two &amp; three\n\n" + two + "\nTwo\nlines\n"},
	} {
		path := clip(t, c.name, bars+"-itsoffset 0 "+c.words+" -map 0 -map 1 -metadata:s:s:0 language=fra "+quickly)
		s := surveyed(t, load(t, path))
		if len(s.Captions) != 1 || s.Captions[0].Lang != "fra" {
			t.Fatalf("%s: %+v", c.name, s.Captions)
		}
		made, tracks := make1(t, path, s, media.TrackArgs{Kind: media.CaptionTrack, Stream: s.Captions[0].Stream})
		if got := string(bytesOf(t, tracks[0].file.Name())); got != "WEBVTT\n\n"+c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
		if made.Outputs[0].Empty || !near(made.Duration, 2, 0.1) {
			t.Errorf("%s: %+v", c.name, made)
		}
	}
}

func TestManyThingsFromOneDecoding(t *testing.T) {
	dir := t.TempDir()
	put(t, dir+"/a.srt", "1\n00:00:00,500 --> 00:00:01,000\nHi\n")
	path := clip(t, "a.mkv", "-f lavfi -i testsrc2=s=720x576:r=50:d=4 -f lavfi -i sine=d=4 -i "+dir+"/a.srt -map 0 -map 1 -map 2 -vf tinterlace=interleave_top,setsar=16/11 -flags +ilme+ildct -c:v mpeg2video -q:v 4 -c:s srt "+aac64)
	s := surveyed(t, load(t, path))
	_, made := make1(t, path, s, rung(640, 352), sound(1), media.TrackArgs{Kind: media.PosterOut}, media.TrackArgs{Kind: media.BoardOut, Every: 1},
		media.TrackArgs{Kind: media.PreviewOut, Length: 1}, media.TrackArgs{Kind: media.CaptionTrack, Stream: 2})
	if !s.Interlaced || s.Width != 1024 {
		t.Errorf("%+v", s.Video)
	}
	for i, want := range [][2]int{{640, 352}, {0, 0}, {1024, 576}, {160, 90}, {480, 270}} {
		if m := made[i]; m.Empty || m.Width != want[0] || m.Height != want[1] {
			t.Errorf("output %d: %+v", i, m.TrackMade)
		}
	}
	if made[3].Pictures != 5 || made[5].Empty {
		t.Errorf("%+v %+v", made[3].TrackMade, made[5].TrackMade)
	}
	if dest := os.Getenv("PICTURES"); dest != "" { // for looking at them
		for i, name := range []string{2: "poster.jpg", 3: "board.jpg"} {
			if name != "" {
				put(t, filepath.Join(dest, name), string(bytesOf(t, made[i].file.Name())))
			}
		}
	}
	if testing.Verbose() {
		t.Log(fmt.Sprint(made[2].Start, made[4].Start))
	}
}
