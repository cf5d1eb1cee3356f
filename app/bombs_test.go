package app_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
)

// zeros is a zlib stream of n mebibytes of zeros, made without compressing them all.
func zeros(n int) []byte {
	mib := make([]byte, 1<<20)
	var once, twice bytes.Buffer
	for copies, b := range []*bytes.Buffer{&once, &twice} {
		w, _ := flate.NewWriter(b, flate.BestCompression) // the level is right
		for range copies + 1 {
			w.Write(mib)
			w.Flush()
		}
	}
	again := twice.Bytes()[once.Len():]
	out := append([]byte{0x78, 0xDA}, once.Bytes()...)
	out = append(out, bytes.Repeat(again, n-1)...)
	out = append(out, 3, 0) // an empty last block
	return binary.BigEndian.AppendUint32(out, uint32(n<<20%65521)<<16|1)
}

// gray is a black PNG of a bit a pixel, with further chunks behind its header.
func gray(side int, chunks ...[]byte) []byte {
	head := binary.BigEndian.AppendUint32(nil, uint32(side))
	head = append(binary.BigEndian.AppendUint32(head, uint32(side)), 1, 0, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n"), chunkPNG("IHDR", string(head))...)
	out = append(out, bytes.Join(chunks, nil)...)
	rows := side * (1 + (side+7)/8)
	return append(append(out, chunkPNG("IDAT", string(zeros(rows>>20+1)))...), chunkPNG("IEND", "")...)
}

// scans is a gray progressive JPEG of so many scans, each of which costs a walk over
// the whole picture and is a few hundred bytes.
func scans(side, n int) []byte {
	segment := func(marker byte, data string) []byte {
		return append(binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(data)+2)), data...)
	}
	size := string(binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, uint16(side)), uint16(side)))
	code := func(class byte, symbol string) []byte { // one code, a zero bit
		return segment(0xC4, string(rune(class))+"\x01"+strings.Repeat("\x00", 15)+symbol)
	}
	blocks := (side + 7) / 8 * ((side + 7) / 8)
	out := append([]byte{0xFF, 0xD8}, segment(0xDB, "\x00"+strings.Repeat("\x01", 64))...)
	out = append(out, segment(0xC2, "\x08"+size+"\x01\x01\x11\x00")...)
	out = append(append(out, code(0, "\x00")...), code(0x10, "\xE0")...)
	out = append(append(out, segment(0xDA, "\x01\x01\x00\x00\x00\x00")...), make([]byte, blocks/8+1)...) // no difference each
	runs := make([]byte, (blocks/16384+1)*15/8+1)                                                        // "16384 empty blocks" each
	for range n {
		out = append(append(out, segment(0xDA, "\x01\x01\x00\x01\x3F\x00")...), runs...)
	}
	return append(out, 0xFF, 0xD9)
}

// frames is a GIF of n frames of a pixel each, on a canvas of the size.
func frames(side uint16, n int) []byte {
	le := binary.LittleEndian
	out := le.AppendUint16(le.AppendUint16([]byte("GIF89a"), side), side)
	out = append(out, 0x80, 0, 0, 0, 0, 0, 255, 255, 255)
	frame := []byte("\x21\xF9\x04\x00\x02\x00\x00\x00\x2C\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00")
	return append(append(out, bytes.Repeat(frame, n)...), ';')
}

// loops is EXIF whose directories lead back to themselves, in all the ways there are.
func loops() string {
	le := binary.LittleEndian
	b := le.AppendUint32([]byte("II*\x00"), 8)
	tags := []uint16{0x8769, 0x8825, 0xA005, 0x014A} // EXIF, GPS, interoperability, sub-directories
	b = le.AppendUint16(b, uint16(len(tags)))
	for _, tag := range tags {
		b = le.AppendUint32(le.AppendUint32(le.AppendUint16(le.AppendUint16(b, tag), 4), 1), 8)
	}
	return string(le.AppendUint32(b, 8))
}

// patch is a copy of a file with bytes at the place of others, which must be there.
func patch(t *testing.T, file []byte, old, with string) []byte {
	t.Helper()
	if !bytes.Contains(file, []byte(old)) {
		t.Fatalf("there is no %q to patch", old)
	}
	return bytes.Replace(bytes.Clone(file), []byte(old), []byte(with), 1)
}

func TestBombsHarmNobody(t *testing.T) {
	be := func(v ...uint16) string {
		var b []byte
		for _, n := range v {
			b = binary.BigEndian.AppendUint16(b, n)
		}
		return string(b)
	}
	exif := append([]byte{0xFF, 0xE1}, be(uint16(len(loops())+8))+"Exif\x00\x00"+loops()...)
	jpeg := apptest.JPEG(40, 30, 1)
	webp := "RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\xff\x3f\x00\xff\x3f\x00VP8L\x0a\x00\x00\x00\x2f\xff\xff\xff\x0f\x00\x00\x00\x00\x00"
	webp = webp[:4] + string(binary.LittleEndian.AppendUint32(nil, uint32(len(webp)-8))) + webp[8:]
	ispe := fixture(t, "av/testdata/patches.avif")
	at := bytes.Index(ispe, []byte("ispe")) + 8
	huge := append(append(bytes.Clone(ispe[:at]), "\x00\x00\x2e\xe0\x00\x00\x2e\xe0"...), ispe[at+8:]...) // 12000 x 12000
	ico := encoded(t, "ico", drawing(16, 16))
	bmp := encoded(t, "bmp", drawing(4, 4))
	copy(bmp[18:26], "\xe0\x2e\x00\x00\xe0\x2e\x00\x00")
	bombs := []struct {
		name   string
		data   []byte
		status []int // with the usual limit of pixels, and with one that lets all through
	}{
		{"30000.png", gray(30_000), []int{422, 201}},
		{"60000.png", gray(60_000), []int{422, 201}},
		{"12000.png", gray(12_000), []int{201, 201}},
		{"iccp.png", gray(8, chunkPNG("iCCP", "a\x00\x00"+string(zeros(4096)))), []int{201, 201}},
		{"ztxt.png", gray(8, bytes.Repeat(chunkPNG("zTXt", "a\x00\x00"+string(zeros(256))), 8)), []int{201, 201}},
		{"itxt.png", gray(8, chunkPNG("iTXt", "a\x00\x01\x00\x00\x00"+string(zeros(4096)))), []int{201, 201}},
		{"more.png", bytes.Replace(gray(8), chunkPNG("IEND", ""), append(chunkPNG("IDAT", string(zeros(2048))), chunkPNG("IEND", "")...), 1), []int{201, 201}},
		{"frames.gif", frames(10, 20_000), []int{201, 201}},
		{"canvas.gif", frames(12_000, 2000), []int{201, 201}},
		{"scans.jpg", scans(5000, 1000), []int{422, 422}},
		{"large-scans.jpg", scans(8000, 100), []int{201, 201}},
		{"loops.jpg", insert(jpeg, 2, exif), []int{201, 201}},
		{"loops.png", insert(apptest.PNG(9, 9, 2), 33, chunkPNG("eXIf", loops())), []int{201, 201}},
		{"loops.tif", []byte(loops()), []int{422, 422}},
		{"lies.jpg", patch(t, jpeg, be(0xFFC0, 17)+"\x08"+be(30, 40), be(0xFFC0, 17)+"\x08"+be(12000, 12000)), []int{201, 201}},
		{"lies.gif", patch(t, frames(1, 2), "\x01\x00\x01\x00\x80", "\xe0\x2e\xe0\x2e\x80"), []int{201, 201}},
		{"lies.webp", []byte(webp), []int{422, 201}},
		{"lies.avif", huge, []int{201, 201}},
		{"lies.bmp", bmp, []int{422, 422}},
		{"lies.ico", patch(t, ico, "IHDR\x00\x00\x00\x10\x00\x00\x00\x10", "IHDR\x00\x00\x2e\xe0\x00\x00\x2e\xe0"), []int{422, 422}},
	}
	for n, megapixels := range []int{250, 4000} {
		t.Run(fmt.Sprintf("%d megapixels", megapixels), func(t *testing.T) {
			config := filepath.Join(t.TempDir(), "picora.toml")
			if err := os.WriteFile(config, fmt.Appendf(nil, "[upload]\nmax_megapixels = %d\n", megapixels), 0o600); err != nil {
				t.Fatal(err)
			}
			p := apptest.Serve(t, filepath.Join(t.TempDir(), "data"), "--config", config)
			p.NewUser("owner@example.org")
			p.Key = p.NewKey("owner@example.org")
			for _, b := range bombs {
				if n > 0 && b.status[n] == b.status[0] {
					continue
				}
				most := watched(p, func() {
					begin := time.Now()
					r := p.Upload(b.name, b.data)
					took, then, thumbnail := time.Since(begin), time.Now(), ""
					if r.Status == http.StatusCreated {
						var i seen
						r.Data(t, &i)
						thumb := p.Do("GET", i.ThumbnailURL, nil)
						if thumb.Status != 200 {
							t.Errorf("%s: its thumbnail: %d %s", b.name, thumb.Status, thumb.Body)
						}
						thumbnail = fmt.Sprintf("; %s of %d bytes after %v", thumb.Header.Get("Content-Type"), len(thumb.Body), time.Since(then).Round(time.Millisecond))
						p.Do("DELETE", "/v1/images/"+i.ID, nil)
					}
					t.Logf("%s, %d bytes: %d %s after %v%s", b.name, len(b.data), r.Status, reason(r), took.Round(time.Millisecond), thumbnail)
					if want := b.status[n]; r.Status != want {
						t.Errorf("%s: %d, want %d", b.name, r.Status, want)
					}
				})
				t.Logf("%s: a process had %d MB at most", b.name, most)
				if most > 1200 { // a worker may have 1024
					t.Errorf("%s: a process had %d MB", b.name, most)
				}
			}
			emptied(t, p.Picora)
			unharmed(t, p.Picora)
			if left := scratch(t, p.Data); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			p.Terminate()
		})
	}
}

// watched does something and returns how much memory one of the server's processes
// had at most, in MB.
func watched(p *apptest.Process, do func()) (most int) {
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			for _, pid := range family(p.Pid()) {
				most = max(most, resident([]int{pid}))
			}
			select {
			case <-ended:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	do()
	close(ended)
	<-done
	return most
}

// reason is the sentence of a refusal.
func reason(r apptest.Response) string {
	var e struct{ Error string }
	json.Unmarshal(r.Body, &e) // not JSON: no sentence
	return e.Error
}
