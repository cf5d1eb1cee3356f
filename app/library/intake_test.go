package library

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"image"
	"image/png"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
	"time"

	"picora/media"
	"picora/media/strip"
)

// small and large are sides of pictures that fit into a chunk, and do not.
const small, large = 100, 400

// picture is a PNG of about side * side * 3 bytes.
func picture(t *testing.T, side int) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, side, side))
	r := rand.NewChaCha8([32]byte{})
	r.Read(m.Pix)
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 255
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var errTest = errors.New("test")

// began is an intake whose end is counted.
func began(t *testing.T, src io.Reader, end error) (in *intake, ends *int) {
	t.Helper()
	ends = new(int)
	in = newIntake(src, media.PNG, strip.Limits{MaxPixels: 1e6})
	in.atEnd = func(hash []byte, r *strip.Report) error {
		*ends++
		if len(hash) != sha256.Size || r == nil {
			t.Errorf("atEnd(%x, %v)", hash, r)
		}
		return end
	}
	t.Cleanup(func() {
		stopped := make(chan struct{})
		go func() { in.stop(); in.stop(); close(stopped) }()
		select {
		case <-stopped:
		case <-time.After(time.Minute):
			t.Fatal("stop does not return")
		}
		if in.done == nil {
			return // the body was examined where it was read
		}
		select {
		case <-in.done:
		default:
			t.Error("the examination goes on after stop")
		}
	})
	return in, ends
}

func TestAnIntakePassesAWholeBodyThrough(t *testing.T) {
	for _, side := range []int{small, large} {
		passesThrough(t, side)
	}
}

func passesThrough(t *testing.T, side int) {
	t.Helper()
	data := picture(t, side)
	if len(data) > chunkSize != (side == large) {
		t.Fatalf("%d bytes", len(data))
	}
	sum := sha256.Sum256(data)
	for name, src := range map[string]io.Reader{
		"at once":                 bytes.NewReader(data),
		"byte by byte":            iotest.OneByteReader(bytes.NewReader(data)),
		"in halves":               iotest.HalfReader(bytes.NewReader(data)),
		"with its end on the way": iotest.DataErrReader(bytes.NewReader(data)),
		"with empty reads":        &stutter{r: bytes.NewReader(data)},
	} {
		in := newIntake(src, media.PNG, strip.Limits{})
		ends := 0
		in.atEnd = func(hash []byte, r *strip.Report) error {
			ends++
			if !bytes.Equal(hash, sum[:]) || r.Size != int64(len(data)) || r.Width != side || r.Height != side {
				t.Errorf("%s: hash %x, report %+v", name, hash, r)
			}
			return nil
		}
		got, err := io.ReadAll(in)
		if err != nil || !bytes.Equal(got, data) || ends != 1 {
			t.Errorf("%s: %d bytes, %v, atEnd called %d times", name, len(got), err, ends)
		}
		if n, err := in.Read(make([]byte, 10)); n != 0 || err != io.EOF || ends != 1 {
			t.Errorf("%s: after the end %d %v", name, n, err)
		}
		in.stop()
	}
}

// stutter gives nothing in every other read.
type stutter struct {
	r    io.Reader
	even bool
}

func (s *stutter) Read(p []byte) (int, error) {
	if s.even = !s.even; s.even {
		return 0, nil
	}
	return s.r.Read(p[:min(len(p), 1000)])
}

// Whatever goes wrong, the reader never sees io.EOF: it would keep what it read.
func TestAnIntakeEndsWellOnlyWithAGoodBody(t *testing.T) {
	t.Run("small", func(t *testing.T) { endsWell(t, small) })
	t.Run("large", func(t *testing.T) { endsWell(t, large) })
}

func endsWell(t *testing.T, side int) {
	data := picture(t, side)
	bad := bytes.Clone(data)
	bad[len(bad)-30] ^= 1 // in the picture's data: its checksum is wrong
	cases := []struct {
		name string
		src  io.Reader
		end  error // of atEnd
		want error
		ends int
	}{
		{"the body breaks off in an error", io.MultiReader(bytes.NewReader(data[:len(data)/2]), iotest.ErrReader(errTest)), nil, errTest, 0},
		{"the body breaks off in an error with bytes", io.MultiReader(bytes.NewReader(data), iotest.ErrReader(errTest)), nil, errTest, 0},
		{"the body is cut as the network says it", io.MultiReader(bytes.NewReader(data), iotest.ErrReader(io.ErrUnexpectedEOF)), nil, io.ErrUnexpectedEOF, 0},
		{"the body is cut without a word", bytes.NewReader(data[:len(data)-1]), nil, media.ErrCorrupt, 0},
		{"the body is empty", bytes.NewReader(nil), nil, media.ErrCorrupt, 0},
		{"the body is of another type", bytes.NewReader(bytes.Repeat([]byte("no picture"), 1000)), nil, media.ErrCorrupt, 0},
		{"the picture is damaged", bytes.NewReader(bad), nil, media.ErrCorrupt, 0},
		{"the picture is too large", bytes.NewReader(picture(t, 1001)), nil, media.ErrTooManyPixels, 0},
		{"the end is refused", bytes.NewReader(data), errTest, errTest, 1},
		{"the end is refused with EOF on the way", iotest.DataErrReader(bytes.NewReader(data)), errTest, errTest, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			in, ends := began(t, c.src, c.end)
			_, err := io.Copy(io.Discard, struct{ io.Reader }{in})
			if !errors.Is(err, c.want) || *ends != c.ends {
				t.Errorf("%v, atEnd called %d times, want %v and %d", err, *ends, c.want, c.ends)
			}
			for range 3 {
				if n, again := in.Read(make([]byte, 100)); n != 0 || !errors.Is(again, c.want) {
					t.Errorf("the next read gives %d %v, want %v again", n, again, c.want)
				}
			}
		})
	}
}

// A body that is known to be bad is not read to its end.
func TestAnIntakeStopsReadingABadBody(t *testing.T) {
	src := &endless{head: bytes.NewReader([]byte("this is no picture"))}
	in, _ := began(t, src, nil)
	_, err := io.Copy(io.Discard, struct{ io.Reader }{in})
	if !errors.Is(err, media.ErrCorrupt) {
		t.Errorf("%v", err)
	}
	if src.n > 8<<20 {
		t.Errorf("%d bytes were read", src.n)
	}
}

// endless has bytes without end, slowly enough for another goroutine to run.
type endless struct {
	head io.Reader
	n    int
}

func (e *endless) Read(p []byte) (int, error) {
	if n, err := e.head.Read(p); err == nil {
		return n, nil
	}
	time.Sleep(100 * time.Microsecond)
	e.n += len(p)
	return len(p), nil
}

func TestAnIntakeThatIsGivenUpEnds(t *testing.T) {
	in, ends := began(t, bytes.NewReader(picture(t, large)), nil)
	if _, err := io.ReadFull(in, make([]byte, chunkSize+5000)); err != nil {
		t.Fatal(err)
	}
	in.stop()
	if *ends != 0 {
		t.Error("atEnd was called")
	}
	began(t, bytes.NewReader(nil), nil) // one that nobody reads
}

func TestAnIntakeAsksAboutLimitsOnItsWay(t *testing.T) {
	data := append(picture(t, 50), make([]byte, 40<<20)...)
	var asked []int64
	in, _ := began(t, bytes.NewReader(data), nil)
	in.progress = func(n int64) error {
		asked = append(asked, n)
		return nil
	}
	if _, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{in}, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if len(asked) != 4 || asked[0] > 1<<20 || asked[1] < 16<<20 || asked[1] > 17<<20 || asked[2] < 32<<20 || asked[2] > 33<<20 || asked[3] != int64(len(data)) {
		t.Errorf("asked at %v", asked)
	}
	for _, limit := range []int64{0, 20 << 20, int64(len(data)) - 1} {
		in, ends := began(t, bytes.NewReader(data), nil)
		in.progress = func(n int64) error {
			if n > limit {
				return errTest
			}
			return nil
		}
		n, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{in}, make([]byte, 1<<20))
		if !errors.Is(err, errTest) || *ends != 0 || n > limit+16<<20 {
			t.Errorf("limit %d: %d bytes, %v, atEnd called %d times", limit, n, err, *ends)
		}
	}
}

// broken panics when it is read.
type broken struct{}

func (broken) Read([]byte) (int, error) { panic("broken") }

func TestAFaultInTheWalkerEndsOneUploadOnly(t *testing.T) {
	if rep, err := walk(broken{}, media.PNG, strip.Limits{}); err == nil || rep != nil {
		t.Errorf("%v %v", rep, err)
	}
}
