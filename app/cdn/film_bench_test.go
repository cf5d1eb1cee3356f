package cdn_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/media/hls"
)

// BenchmarkPiece compares a piece of a track with a picture of the same size, in turn, over
// a connection that stays. The ratio is of requests a second: above 1, pieces are faster.
func BenchmarkPiece(b *testing.B) {
	p := apptest.Start(b)
	picture := p.Add("a.png", apptest.PNG(600, 600, 1))
	size := picture.SizeBytes
	index := hls.Index{Init: 800}
	for range 20 {
		index.Segments = append(index.Segments, hls.Segment{Size: size, Duration: 4})
	}
	m := p.AddFilm(nil)
	p.SetFilmPart(m.ID, "360p", apptest.FilmPart{MIME: "video/mp4", Data: hls.AppendIndex(bytes.Repeat([]byte{7}, int(index.Init+20*size)), index)})
	base := p.URL + "/video/" + m.ID + "/360p/"
	list := ask(p, "GET", base+"media.m3u8")
	tag := string(list.Body[bytes.Index(list.Body, []byte(`URI="`))+5:][:8])
	buf := make([]byte, 64<<10)
	get := func(url string) time.Duration {
		start := time.Now()
		res, err := http.Get(url)
		if err != nil {
			b.Fatal(err)
		}
		defer res.Body.Close()
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{res.Body}, buf)
		if n != size || res.StatusCode != 200 || err != nil {
			b.Fatalf("%d, %d bytes, %v", res.StatusCode, n, err)
		}
		return time.Since(start)
	}
	var pictures, pieces time.Duration
	for b.Loop() {
		pictures += get(picture.URL)
		pieces += get(base + tag + "-7.m4s")
	}
	b.ReportMetric(float64(size)/1000, "KB")
	b.ReportMetric(float64(b.N)/pictures.Seconds(), "pictures/s")
	b.ReportMetric(float64(b.N)/pieces.Seconds(), "pieces/s")
	b.ReportMetric(pictures.Seconds()/pieces.Seconds(), "ratio")
}
