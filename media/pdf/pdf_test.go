package pdf

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picora/media"
)

// build makes a PDF of objects, of which the first is the catalogue; trailer is added to
// its trailer.
func build(trailer string, objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	at := make([]int, len(objects))
	for i, o := range objects {
		at[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, a := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", a)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R %s>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, trailer, start)
	return b.Bytes()
}

func stream(dict, data string) string {
	return fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", dict, len(data), data)
}

// page makes a PDF of one page with that content.
func page(box, content, catalogue, trailer string, more ...string) []byte {
	return build(trailer, append([]string{
		"<</Type/Catalog/Pages 2 0 R " + catalogue + ">>",
		"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[" + box + "]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
		stream("", content),
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
	}, more...)...)
}

const hello = "BT /F 24 Tf 72 700 Td (Hello wonderful) Tj 0 -30 Td (world) Tj ET"

// zeros deflates n zeros.
func zeros(n int) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	blank := make([]byte, 1<<20)
	for ; n > 0; n -= len(blank) {
		w.Write(blank)
	}
	w.Close()
	return b.String()
}

func read(t testing.TB, data []byte, a media.PDFArgs) (media.PDF, string, error) {
	t.Helper()
	f := put(t, data)
	var out bytes.Buffer
	p, err := Read(t.Context(), f, a, &out)
	return p, out.String(), err
}

func put(t testing.TB, data []byte) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

var args = media.PDFArgs{MaxText: 5 << 20, TextTime: 20 * time.Second, Width: 800}

func TestWhatAPDFIs(t *testing.T) {
	data := page("0 0 612 792", hello, "", "/Info 6 0 R", "<</Title(A  title\nof two lines)/Author<feff4f5c8005>>>")
	p, text, err := read(t, data, args)
	if err != nil || p != (media.PDF{Pages: 1, Title: "A title of two lines", Author: "作者", Words: 3}) || !strings.Contains(text, "Hello wonderful\nworld") {
		t.Errorf("%+v %q %v", p, text, err)
	}
	var out bytes.Buffer
	if err := Picture(t.Context(), put(t, data), args, &out); err != nil {
		t.Fatal(err)
	}
	pic, err := jpeg.Decode(&out)
	if err != nil || pic.Bounds().Dx() != 800 || pic.Bounds().Dy() != 1035 {
		t.Fatalf("%v %v", pic.Bounds(), err)
	}
	if r, g, b, _ := pic.At(5, 5).RGBA(); r < 0xf000 || g < 0xf000 || b < 0xf000 {
		t.Errorf("the ground is %x %x %x", r, g, b)
	}
	dark := 0
	for x := range 800 {
		if r, _, _, _ := pic.At(x, 112).RGBA(); r < 0x8000 {
			dark++
		}
	}
	if dark < 20 {
		t.Errorf("%d dark points in the first line", dark)
	}
}

func TestPDFsThatAreNotWhole(t *testing.T) {
	good := page("0 0 612 792", hello, "", "")
	kids := func(n int) string { return strings.Repeat("3 0 R ", n) }
	deep := []string{"<</Type/Catalog/Pages 2 0 R>>"}
	for i := 3; i < 3000; i++ {
		deep = append(deep, fmt.Sprintf("<</Type/Pages/Kids[%d 0 R]/Count 1>>", i))
	}
	for name, c := range map[string]struct {
		data   []byte
		pages  int // 0: refused
		locked bool
		text   string
	}{
		"nothing behind its first line":   {[]byte("%PDF-1.7\n"), 0, false, ""},
		"no PDF":                          {[]byte("hello, world\n%PDF-1.4 is not this"), 0, false, ""},
		"one without its last line":       {good[:len(good)-20], 1, false, "Hello"},
		"a quarter of one":                {good[:len(good)/8], 0, false, ""},
		"no pages":                        {build("", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 0>>"), 0, false, ""},
		"a page tree that is a ring":      {build("", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[2 0 R]/Count 1>>"), 1, false, ""},
		"a page tree three thousand deep": {build("", deep...), 1, false, ""},
		"a password": {page("0 0 612 792", hello, "", "/ID[<00><00>]/Encrypt 6 0 R",
			"<</Filter/Standard/V 1/R 2/O<"+strings.Repeat("41", 32)+">/U<"+strings.Repeat("42", 32)+">/P -4>>"), 0, true, ""},
		"a lock of an unknown kind":  {page("0 0 612 792", hello, "", "/ID[<00><00>]/Encrypt 6 0 R", "<</Filter/Unknown/V 9>>"), 0, true, ""},
		"a script":                   {page("0 0 612 792", hello, "/OpenAction<</S/JavaScript/JS(app.alert\\(1\\);while\\(1\\);)>>", ""), 1, false, "Hello"},
		"something before its start": {append([]byte("junk\n"), good...), 1, false, "Hello"},
		"ten thousand pages":         {build("", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids["+kids(10_000)+"]/Count 10000>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>"), 10_000, false, ""},
		"a stream of half a gigabyte": {build("", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
			"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R>>", stream("/Filter/FlateDecode", zeros(512<<20))), 1, false, ""},
		"a form that draws itself": {build("", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
			"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>", stream("", "/X Do"),
			stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>", "/X Do /X Do")), 1, false, ""},
		"operands without end": {page("0 0 612 792", strings.Repeat("[", 500_000), "", ""), 1, false, ""},
		"a million states":     {page("0 0 612 792", strings.Repeat("q ", 1_000_000)+hello, "", ""), 1, false, "Hello"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			p, text, err := read(t, c.data, args)
			took := time.Since(start)
			switch {
			case c.locked:
				if err != nil || p != (media.PDF{Locked: true}) || text != "" {
					t.Errorf("%+v %q %v", p, text, err)
				}
			case c.pages == 0:
				if !errors.Is(err, media.ErrCorrupt) {
					t.Errorf("%+v %v", p, err)
				}
			case err != nil || p.Pages != c.pages || !strings.Contains(text, c.text):
				t.Errorf("%+v %q %v", p, text, err)
			}
			var out bytes.Buffer
			start = time.Now()
			err = Picture(t.Context(), put(t, c.data), args, &out)
			if _, e := jpeg.Decode(&out); err == nil && e != nil {
				t.Errorf("a picture that is none: %v", e)
			}
			t.Logf("%d KB: read in %v, drawn in %v (%v)", len(c.data)>>10, took.Round(time.Millisecond), time.Since(start).Round(time.Millisecond), err)
		})
	}
}

func TestPicturesStaySmall(t *testing.T) {
	for box, want := range map[string][2]int{
		"0 0 1 14400": {1, 1200}, "0 0 14400 1": {800, 1}, "0 0 99999 99999": {800, 800}, "-50 -50 50 50": {800, 800},
	} {
		var out bytes.Buffer
		if err := Picture(t.Context(), put(t, page(box, hello, "", "")), args, &out); err != nil {
			t.Errorf("%s: %v", box, err)
			continue
		}
		pic, err := jpeg.DecodeConfig(&out)
		if err != nil || pic.Width > 800 || pic.Height > 1200 {
			t.Errorf("%s: %dx%d %v, want %v", box, pic.Width, pic.Height, err, want)
		}
	}
}

func TestTextEndsWhereItMust(t *testing.T) {
	data := build("", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids["+strings.Repeat("3 0 R ", 50)+"]/Count 50>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>", stream("", hello), "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
	p, text, err := read(t, data, media.PDFArgs{MaxText: 100})
	if err != nil || !p.Cut || len(text) > 100 || p.Pages != 50 || p.Words != 3*strings.Count(text, "world") {
		t.Errorf("%+v %d %v", p, len(text), err)
	}
	if p, text, err = read(t, data, media.PDFArgs{MaxText: 1 << 20, TextTime: time.Nanosecond}); err != nil || !p.Cut || text != "" || p.Pages != 50 {
		t.Errorf("%+v %q %v", p, text, err)
	}
	if p, text, err = read(t, data, args); err != nil || p.Cut || strings.Count(text, "world") != 50 {
		t.Errorf("%+v %q %v", p, text, err)
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"人工智能的发展\r\n历程":                 "人工智能的发展历程",
		"a line\r\nanother":             "a line\nanother",
		"hyphen\ufffe\r\nated":          "hyphenated",
		"soft\u00adhyphen":              "softhyphen",
		"⼈⼯ of\ufb01ce \x00\x07x\ue000": "人工 office x",
		"中文 \r\n\r\n 中文":                "中文 \n 中文",
		"\r\n\r\n":                      "",
	} {
		if got := clean(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]int{"": 0, "one two-three don't": 3, "人工智能 AI 2026": 6, "e\u0301t\u00e9": 1} {
		if got := count(in); got != want {
			t.Errorf("%q: %d words, want %d", in, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	good := page("0 0 612 792", hello, "", "")
	f.Add(good)
	f.Add(good[:300])
	f.Add(page("0 0 612 792", "/X Do", "", "/Encrypt 5 0 R"))
	if err := Prepare(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var out bytes.Buffer
		p, err := Read(t.Context(), put(t, data), media.PDFArgs{MaxText: 1000, TextTime: time.Second}, &out)
		if err == nil && (p.Pages < 1) != p.Locked || out.Len() > 1000 {
			t.Errorf("%+v, %d bytes of text", p, out.Len())
		}
		if err == nil && !p.Locked {
			Picture(t.Context(), put(t, data), media.PDFArgs{Width: 50}, &out)
		}
	})
}
