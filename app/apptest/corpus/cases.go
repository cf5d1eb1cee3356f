package corpus

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// containers are the containers, and where their tables are.
func containers() []Case {
	return []Case{
		usual("behind.mp4", join(x264(), aac())...),
		usual("front.mp4", join(x264(), aac(), []string{"-movflags", "faststart"})...),
		usual("parts.mp4", join(x264(), aac(), []string{"-movflags", "frag_keyframe+empty_moov+default_base_moof"})...),
		usual("pcm.mov", join(x264(), []string{"-c:a", "pcm_s16le", "-timecode", "01:00:00:00"})...),
		usual("opus.mkv", join(x264(), []string{"-c:a", "libopus"})...),
		usual("vp8.webm", "-c:v", "libvpx", "-b:v", "2M", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libvorbis"),
		usual("mpeg4.avi", "-c:v", "mpeg4", "-q:v", "3", "-bf", "0", "-c:a", "libmp3lame"),
		usual("h264.ts", join(x264(), aac())...),
		usual("mpeg2.ts", "-c:v", "mpeg2video", "-q:v", "3", "-bf", "2", "-c:a", "mp2"),
		usual("mpeg2.mpg", "-c:v", "mpeg2video", "-q:v", "3", "-bf", "2", "-c:a", "ac3", "-f", "vob"),
		usual("flv1.flv", "-c:v", "flv", "-q:v", "3", "-c:a", "libmp3lame", "-ar", "44100"),
		usual("h264.flv", join(x264(), aac())...),
		usual("wmv2.wmv", "-c:v", "wmv2", "-q:v", "3", "-c:a", "wmav2"),
		usual("theora.ogv", "-c:v", "libtheora", "-q:v", "8", "-c:a", "libvorbis").with(func(c *Case) { c.Rate = 0 }), // pictures that are like the one before are left out
		usual("h264.3gp", join(x264("-profile:v", "baseline"), aac("-ac", "1"))...).with(func(c *Case) { c.Sounds = []Sound{{"", 1}} }),
		{Name: "h263.3gp", Args: join(picture(352, 288, "25", Seconds), beeps("mono", Seconds, 16000), []string{"-c:v", "h263", "-q:v", "3"}, aac()), // whose pixels are 12:11
			Width: 384, Height: 288, Seconds: Seconds, Rate: 25, Sounds: []Sound{{"", 1}}},
	}
}

// codecs are the codecs of pictures.
func codecs() []Case {
	vp9 := []string{"-c:v", "libvpx-vp9", "-b:v", "1M", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"}
	hevc := []string{"-c:v", "libx265", "-preset", "ultrafast", "-crf", "20", "-x265-params", "log-level=error"}
	return []Case{
		usual("h264-10bit.mkv", join(x264("-pix_fmt", "yuv420p10le"), aac())...),
		usual("h264-422.mov", join(x264("-pix_fmt", "yuv422p"), aac())...),
		usual("h264-444.mp4", join(x264("-pix_fmt", "yuv444p"), aac())...),
		usual("baseline.mp4", join(x264("-profile:v", "baseline", "-refs", "2"), aac())...),
		usual("b-pictures.mp4", join(x264("-bf", "3", "-b_strategy", "0"), aac())...),
		usual("long-gop.mp4", join(x264("-g", "1000", "-sc_threshold", "0"), aac())...),
		usual("open-gop.mp4", join(x264("-preset", "veryfast", "-bf", "3", "-g", "25", "-sc_threshold", "0", "-x264-params", "open-gop=1"), aac())...),
		usual("short-gop.mp4", join(x264("-g", "13", "-sc_threshold", "0"), aac())...),
		usual("intra-refresh.mp4", join(x264("-x264-params", "intra-refresh=1"), aac())...),
		usual("hevc.mp4", join(hevc, []string{"-pix_fmt", "yuv420p", "-tag:v", "hvc1"}, aac())...),
		usual("hevc-10bit.mkv", join(hevc, []string{"-pix_fmt", "yuv420p10le"}, aac())...),
		usual("vp9.webm", vp9...),
		usual("vp9-in.mp4", vp9...),
		usual("av1.webm", "-c:v", "libsvtav1", "-preset", "12", "-crf", "25", "-c:a", "libopus"),
		usual("av1.mp4", join([]string{"-c:v", "libsvtav1", "-preset", "12", "-crf", "25"}, aac())...),
		usual("mpeg4.mp4", join([]string{"-c:v", "mpeg4", "-q:v", "3", "-bf", "2"}, aac())...),
		usual("packed.avi", "-c:v", "mpeg4", "-vtag", "DIVX", "-q:v", "3", "-bf", "1", "-c:a", "libmp3lame"),
		usual("msmpeg4.avi", "-c:v", "msmpeg4", "-q:v", "3", "-c:a", "libmp3lame"),
		usual("mpeg1.mpg", "-c:v", "mpeg1video", "-q:v", "3", "-c:a", "mp2", "-f", "mpeg"),
		usual("mjpeg.avi", "-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p", "-c:a", "pcm_u8"),
		usual("mjpeg.mov", "-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj422p", "-c:a", "pcm_s16be"),
		usual("prores.mov", "-c:v", "prores_ks", "-profile:v", "2", "-c:a", "pcm_s24le"),
		usual("ffv1.mkv", "-c:v", "ffv1", "-level", "3", "-c:a", "flac"),
		usual("wmv1.wmv", "-c:v", "wmv1", "-q:v", "3", "-c:a", "wmav1"),
		{Name: "dv.avi", Args: join(picture(720, 576, "25", 3), beeps("stereo", 3, 48000), []string{"-vf", "setsar=16/15", "-c:v", "dvvideo", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le"}),
			Width: 768, Height: 576, Seconds: 3, Rate: 25, Sounds: stereo, Least: -1, Interlaced: true},
		{Name: "raw.avi", Args: join(picture(160, 90, "25", Seconds), beeps("stereo", Seconds, 44100), []string{"-c:v", "rawvideo", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le"}),
			Width: 160, Height: 90, Seconds: Seconds, Rate: 25, Sounds: stereo, Least: 0.87},
	}
}

// sounds are the codecs, channels and places of sound.
func sounds() []Case {
	silent := join(picture(320, 180, "25", Seconds), x264(), []string{"-an"})
	surround := func(name, layout string, codec ...string) Case {
		return usual(name).with(func(c *Case) {
			c.Args = join(picture(320, 180, "25", Seconds), beeps(layout, Seconds, 48000), x264(), codec)
		})
	}
	later := func(name string, pictures, sound string) Case {
		return usual(name).with(func(c *Case) {
			c.Args = join([]string{"-itsoffset", pictures}, picture(320, 180, "25", Seconds), []string{"-itsoffset", sound}, beeps("stereo", Seconds, 48000), x264(), aac())
			c.Seconds, c.Rate = Seconds+0.5, 0
		})
	}
	length := func(name string, sound, all float64) Case {
		return usual(name).with(func(c *Case) {
			c.Args = join(picture(320, 180, "25", Seconds), beeps("stereo", sound, 48000), x264(), aac())
			c.Seconds, c.Moving = all, Seconds
		})
	}
	languages := func(name string, codec ...string) Case {
		return usual(name).with(func(c *Case) {
			c.Args = join(picture(320, 180, "25", Seconds), beeps("stereo", Seconds, 48000), beepsAt("mono", Seconds, 600, 48000), []string{"-map", "0", "-map", "1", "-map", "2"},
				x264(), codec, []string{"-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=ger", "-metadata:s:a:1", "title=Kommentar"})
			c.Sounds = []Sound{{"eng", 2}, {"ger", 1}}
		})
	}
	return []Case{
		usual("silent.mp4").with(func(c *Case) { c.Args, c.Sounds, c.Mute = silent, none, true }),
		usual("mp3.mp4", join(x264(), []string{"-c:a", "libmp3lame"})...),
		usual("opus.mp4", join(x264(), []string{"-c:a", "libopus"})...),
		usual("flac.mkv", join(x264(), []string{"-c:a", "flac"})...),
		usual("vorbis.mkv", join(x264(), []string{"-c:a", "libvorbis"})...),
		usual("alac.mov", join(x264(), []string{"-c:a", "alac"})...),
		surround("mono.mp4", "mono", aac()...).with(func(c *Case) { c.Sounds = []Sound{{"", 1}} }),
		surround("surround.mp4", "5.1", aac()...),
		surround("surround-ac3.mkv", "5.1", "-c:a", "ac3"),
		surround("surround-8.mkv", "7.1", "-c:a", "flac"),
		usual("44100.mp4", join(x264(), aac("-ar", "44100"))...),
		usual("8000.mp4", join(x264(), aac("-ar", "8000"))...).with(func(c *Case) { c.Seconds = 5.06 }),
		usual("96000.mkv", join(x264(), []string{"-c:a", "flac", "-ar", "96000"})...),
		languages("languages.mkv", "-c:a", "libopus"),
		languages("languages.mp4", aac()...),
		length("sound-longer.mp4", Seconds+2, Seconds+2),
		length("sound-shorter.mp4", 3, Seconds),
		later("sound-later.mp4", "0", "0.5"),
		later("sound-earlier.mp4", "0.5", "0").with(func(c *Case) { c.From, c.Args = "sound-earlier.mkv", []string{"-c", "copy"} }),
		later("sound-later.mkv", "0", "0.5"),
		later("sound-earlier.mkv", "0.5", "0"),
		later("sound-later.ts", "0", "0.5"),
	}
}

// shapes are the sizes, directions and colours of pictures.
func shapes() []Case {
	turned := func(name, by string, w, h int) Case {
		return usual(name).with(func(c *Case) {
			c.From, c.Args = "behind.mp4", []string{"-c", "copy", "-metadata:s:v:0", "rotate=" + by}
			c.Width, c.Height = w, h
		})
	}
	sized := func(name string, w, h int, args ...string) Case {
		return usual(name).with(func(c *Case) {
			c.Args = join(picture(w+w%2, h+h%2, "25", Seconds, fmt.Sprintf("scale=%d:%d", w, h)), beeps("stereo", Seconds, 48000), args)
			c.Width, c.Height = w, h
		})
	}
	coloured := func(name, hdr, transfer string) Case {
		return usual(name).with(func(c *Case) {
			c.Args = join(av("format=yuv420p10le"), []string{"-c:v", "libx265", "-preset", "ultrafast", "-crf", "20",
				"-x265-params", "log-level=error:colorprim=bt2020:transfer=" + transfer + ":colormatrix=bt2020nc", "-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc", "-tag:v", "hvc1"}, aac())
			c.HDR, c.Least = hdr, -1
		})
	}
	return []Case{
		turned("turned-90.mp4", "90", 180, 320),
		turned("turned-180.mp4", "180", 320, 180),
		turned("turned-270.mov", "270", 180, 320),
		usual("wide-pixels.mp4", join([]string{"-vf", "setsar=4/3"}, x264(), aac())...).with(func(c *Case) { c.Width, c.Height = 427, 180 }),
		usual("narrow-pixels.mkv", join([]string{"-vf", "setsar=3/4"}, x264(), aac())...).with(func(c *Case) { c.Width, c.Height = 240, 180 }),
		sized("odd.avi", 321, 181, "-c:v", "mpeg4", "-q:v", "3", "-c:a", "libmp3lame"),
		sized("odd.webm", 253, 143, "-c:v", "libvpx-vp9", "-b:v", "1M", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus").with(func(c *Case) { c.Least = 0.9 }),
		sized("portrait.mp4", 180, 320, join(x264(), aac())...),
		sized("larger.mp4", 640, 360, join(x264(), aac())...),
		sized("square.mp4", 200, 200, join(x264(), aac())...),
		sized("band.mp4", 640, 64, join(x264(), aac())...),
		sized("tiny.mp4", 16, 16, join(x264(), aac())...).with(func(c *Case) { c.Least = -1 }),
		coloured("hdr10.mp4", "pq", "smpte2084"),
		coloured("hlg.mp4", "hlg", "arib-std-b67"),
		usual("full-range.mp4", join([]string{"-vf", "scale=out_range=full"}, x264("-pix_fmt", "yuvj420p"), aac())...),
		usual("bt601.mp4", join([]string{"-vf", "scale=out_color_matrix=bt601"}, x264("-colorspace", "smpte170m", "-color_primaries", "smpte170m", "-color_trc", "smpte170m"), aac())...),
		usual("bt709.mp4", join([]string{"-vf", "scale=out_color_matrix=bt709"}, x264("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"), aac())...),
	}
}

// times are the rates of pictures, and clocks that do not begin at zero.
func times() []Case {
	rated := func(name, rate string, is float64, args ...string) Case {
		return usual(name).with(func(c *Case) {
			c.Args = join(picture(320, 180, rate, Seconds), beeps("stereo", Seconds, 48000), args)
			c.Rate = is
		})
	}
	interlaced := func(name, first string, args ...string) Case {
		return usual(name).with(func(c *Case) {
			c.Args = join(picture(320, 180, "50", Seconds), beeps("stereo", Seconds, 48000), []string{"-vf", "interlace=scan=" + first + ":lowpass=off"}, args)
			c.Interlaced, c.Rate, c.Least = true, 0, 0.85
		})
	}
	// Every fifth picture for two seconds, then all.
	sparse := []string{"-vf", "select='if(lt(t,2),not(mod(n,5)),1)'", "-vsync", "vfr"}
	return []Case{
		rated("60.mp4", "60", 60, join(x264("-g", "100"), aac())...),
		rated("23.976.mp4", "24000/1001", 24000.0/1001, join(x264(), aac())...),
		rated("29.97.mov", "30000/1001", 30000.0/1001, join(x264(), aac())...),
		rated("10.mp4", "10", 10, join(x264("-g", "20"), aac())...),
		rated("5.avi", "5", 5, "-c:v", "mpeg4", "-q:v", "3", "-c:a", "libmp3lame").with(func(c *Case) { c.Seconds = 5.2 }), // ffmpeg writes an empty picture after the first
		// Its clock ticks every seven seconds, segments begin every four.
		{Name: "slow.avi", Args: join(picture(320, 180, "1/7", 35), []string{"-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p"}), Width: 320, Height: 180, Seconds: 35, Sounds: none, Mute: true, Dark: true},
		// At 24 s, where a segment begins, there is no picture, and no tick of the clock but 18 ms before.
		{Name: "gap.avi", Args: join(picture(320, 180, "24000/1001", 26), []string{"-vf", "select='not(between(t,23.2,24.8))'", "-vsync", "vfr", "-c:v", "mpeg4", "-q:v", "3", "-bf", "0"}), Width: 320, Height: 180, Sounds: none, Mute: true, Dark: true},
		rated("120.mp4", "120", 0, join(x264("-g", "200"), aac())...),
		usual("varies.mp4", join(sparse, x264(), aac())...).with(func(c *Case) { c.Rate = 0 }),
		usual("varies.mkv", join(sparse, x264(), aac())...).with(func(c *Case) { c.Rate = 0 }),
		interlaced("top.mp4", "tff", join(x264("-flags", "+ildct+ilme", "-x264-params", "tff=1"), aac())...),
		interlaced("bottom.mkv", "bff", join(x264("-flags", "+ildct+ilme", "-x264-params", "bff=1"), aac())...),
		interlaced("top.mpg", "tff", "-c:v", "mpeg2video", "-q:v", "3", "-flags", "+ildct+ilme", "-top", "1", "-c:a", "mp2", "-f", "vob"),
		{Name: "one.mp4", Args: join(picture(320, 180, "25", 0.04), x264()), Width: 320, Height: 180, Seconds: 0.04, Sounds: none, Mute: true, Dark: true},
		{Name: "one-with-sound.mp4", Args: join(picture(320, 180, "25", 0.04), beeps("stereo", 3, 48000), x264(), aac()), Width: 320, Height: 180, Seconds: 3, Sounds: stereo, Mute: true, Dark: true},
		{Name: "two.mkv", Args: join(picture(320, 180, "25", 0.08), x264()), Width: 320, Height: 180, Seconds: 0.08, Sounds: none, Mute: true, Dark: true},
		// The edit list begins the pictures and the sound at 1.1 seconds, between key frames.
		usual("cut-in.mp4").with(func(c *Case) {
			c.From, c.Before, c.Args, c.Seconds = "behind.mp4", []string{"-ss", "1.1"}, []string{"-c", "copy"}, Seconds-1.1
		}),
		usual("before-zero.mkv", join(x264("-bf", "2"), aac("-output_ts_offset", "-1", "-avoid_negative_ts", "disabled"))...).with(func(c *Case) { c.Seconds, c.Rate = 0, 0 }),
		usual("before-zero.ts", join(x264("-bf", "2"), aac("-output_ts_offset", "-1.4", "-avoid_negative_ts", "disabled"))...),
		usual("far.ts", join(x264(), aac("-output_ts_offset", "95440"))...), // the clock of 33 bits ends in the middle, at 95443.7
		usual("far.mkv", join(x264(), aac("-output_ts_offset", "3600"))...),
		usual("jump.ts").with(func(c *Case) {
			c.From, c.Then, c.Args, c.Seconds, c.Least, c.Mute, c.Dark = "h264.ts", "h264.ts", nil, 2*Seconds, -1, true, true
			c.Noted = true // the packets of the two are not numbered in one row
		}),
		usual("leap.ts").with(func(c *Case) {
			c.From, c.Args, c.Seconds, c.Least, c.Mute, c.Dark = "h264.ts", nil, 2*Seconds, -1, true, true
			c.Then, c.Noted = "far.ts", true
		}),
		{Name: "two-hours.mp4", Args: join([]string{"-f", "lavfi", "-i", "testsrc2=s=64x36:r=2:d=7200"}, []string{"-f", "lavfi", "-i", "sine=300:r=8000:d=7200"}, x264("-g", "20", "-crf", "40"), aac("-b:a", "8k")),
			Width: 64, Height: 36, Seconds: 7200, Rate: 2, Sounds: []Sound{{"", 1}}, Mute: true, Dark: true, Least: 0.5},
	}
}

// texts are captions, chapters, and streams beside pictures and sound.
func texts() []Case {
	captioned := func(name, file string, args ...string) Case {
		return usual(name).with(func(c *Case) {
			c.Args = join(av(), []string{"-i", "DIR/" + file, "-map", "0", "-map", "1", "-map", "2"}, x264(), aac(), args, []string{"-metadata:s:s:0", "language=eng"})
			c.Captions = []string{"eng"}
		})
	}
	return []Case{
		captioned("srt.mkv", "a.srt", "-c:s", "srt"),
		captioned("ass.mkv", "a.ass", "-c:s", "ass"),
		captioned("text.mp4", "a.srt", "-c:s", "mov_text"),
		captioned("webvtt.mkv", "a.vtt", "-c:s", "webvtt"),
		usual("chapters.mp4").with(func(c *Case) {
			c.Args = join(av(), []string{"-i", "DIR/a.ffmeta", "-map", "0", "-map", "1", "-map_metadata", "2", "-map_chapters", "2"}, x264(), aac())
			c.Chapters = 2
		}),
		usual("cover.mp4").with(func(c *Case) {
			c.Args = join(av(), []string{"-i", "DIR/a.jpg", "-map", "0", "-map", "1", "-map", "2"}, x264(), aac(), []string{"-c:v:1", "copy", "-disposition:v:1", "attached_pic"})
		}),
		usual("cover-first.mkv").with(func(c *Case) {
			c.Args = join(av(), []string{"-i", "DIR/a.jpg", "-map", "2", "-map", "0", "-map", "1"}, x264(), aac(), []string{"-c:v:0", "copy", "-disposition:v:0", "attached_pic"})
			c.Least, c.Mute, c.Dark = -1, true, true // ffmpeg itself shows the cover
		}),
		usual("two-pictures.mkv").with(func(c *Case) {
			c.Args = join(av(), []string{"-f", "lavfi", "-i", "color=red:s=160x90:r=25:d=5", "-map", "0", "-map", "2", "-map", "1"}, x264(), aac())
		}),
	}
}

// damages are files that somebody broke.
func damages() []Case {
	cut := func(part float64) func([]byte) []byte {
		return func(b []byte) []byte { return b[:int(float64(len(b))*part)] }
	}
	ended := func(name, from string, fate Fate) Case {
		return usual(name).with(func(c *Case) {
			c.From, c.Args, c.Edit, c.Fate = from, nil, cut(0.6), fate
			c.Seconds, c.Noted, c.Least, c.Mute, c.Dark = 0, true, -1, true, true
		})
	}
	return []Case{
		ended("ended.mp4", "front.mp4", Plays),
		ended("ended-parts.mp4", "parts.mp4", Plays),
		ended("ended.mkv", "opus.mkv", Plays),
		ended("ended.ts", "h264.ts", Plays).with(func(c *Case) { c.Noted = false }), // nothing says that there was more
		ended("ended.avi", "mpeg4.avi", Plays),
		ended("without-tables.mp4", "behind.mp4", Refused),
		usual("mid.ts").with(func(c *Case) { // it begins in the middle of a picture, without a key frame
			c.From, c.Seconds, c.Rate, c.Least, c.Mute, c.Dark = "h264.ts", 0, 0, -1, true, true
			c.Edit = func(b []byte) []byte { return b[len(b)/188*2/5*188:] }
		}),
		usual("zeros.mp4").with(func(c *Case) { // a hole in the pictures
			c.From, c.Seconds, c.Least, c.Mute, c.Dark, c.Noted = "front.mp4", 0, -1, true, true, true
			c.Rate = 0 // what cannot be decoded is left out: there are fewer than 25 a second
			c.Edit = func(b []byte) []byte {
				b = bytes.Clone(b)
				clear(b[len(b)/2 : len(b)/2+20_000])
				return b
			}
		}),
		usual("other.avi").with(func(c *Case) { c.From = "behind.mp4" }),
		usual("other.mp4").with(func(c *Case) { c.From = "opus.mkv" }),
		usual("no-sound-in-it.mp4").with(func(c *Case) { // a table of sound without a sample
			c.From, c.Args, c.Edit = "behind.mp4", nil, withoutSamples
			c.Sounds, c.Mute = nil, true
		}),
	}
}

// withoutSamples empties the tables of an MP4's sound.
func withoutSamples(b []byte) []byte {
	return change(b, "moov/trak", func(trak []byte) []byte {
		if !bytes.Contains(trak, []byte("soun")) {
			return trak
		}
		for _, table := range []string{"stts", "stsc", "stco"} {
			trak = change(trak, "mdia/minf/stbl/"+table, func([]byte) []byte { return be32(0, 0) })
		}
		for _, more := range []string{"sgpd", "sbgp"} {
			trak = change(trak, "mdia/minf/stbl/"+more, func([]byte) []byte { return nil })
		}
		return change(trak, "mdia/minf/stbl/stsz", func([]byte) []byte { return be32(0, 0, 0) })
	})
}

// strangers are files that are no videos.
func strangers() []Case {
	refused := func(name string, edit func([]byte) []byte, args ...string) Case {
		return Case{Name: name, Args: args, Edit: edit, Fate: Refused}
	}
	return []Case{
		refused("sound.mp4", nil, join(beeps("stereo", 2, 48000), aac())...),
		refused("picture.mkv", nil, "-i", "DIR/a.jpg", "-c", "copy").with(func(c *Case) { c.Fate = Either }), // a film of one JPEG
		refused("empty.mp4", func([]byte) []byte { return nil }, join(picture(32, 32, "25", 0.2), x264())...),
		refused("words.mp4", func([]byte) []byte { return []byte("this is no film, whatever its name says") }, join(picture(32, 32, "25", 0.2), x264())...),
		refused("head.mp4", func(b []byte) []byte { return b[:binary.BigEndian.Uint32(b)] }, join(picture(32, 32, "25", 0.2), x264())...),
	}
}
