package media

import "time"

// Fit is how a picture meets the box it is asked for. The names and meanings are
// those of sharp's resize, which the contract (section 20) took over.
type Fit string

// The fits. Width and height are those of the box; a missing one follows from
// the picture's proportions, and then every fit gives the same.
const (
	Cover   Fit = "cover"   // fills the box exactly; what stands out is cut off
	Contain Fit = "contain" // lies whole in a canvas of exactly the box; the rest is background
	Fill    Fit = "fill"    // is stretched to exactly the box
	Inside  Fit = "inside"  // as large as goes into the box, proportions kept; no canvas
	Outside Fit = "outside" // as small as covers the box, proportions kept; nothing is cut off
)

// Spec is what is made of a picture. A picture is never enlarged by Inside and
// Outside; Cover, Contain and Fill give the box asked for, enlarging if they must.
// The zero values of fields ask for nothing.
type Spec struct {
	Width  int `json:"w,omitempty"` // of the box, in pixels, 1 to MaxSide
	Height int `json:"h,omitempty"`
	Fit    Fit `json:"fit,omitempty"`
	// Format is what is written: "jpeg", "png", "webp", "avif" or "gif".
	Format  string `json:"fmt,omitempty"`
	Quality int    `json:"q,omitempty"` // 1 to 100; 0: DefaultQuality

	// Focus is the point of the picture that Cover keeps, in thousandths of its
	// width and height as shown (500, 500 is the middle, and what nil means).
	Focus *Point `json:"focus,omitempty"`
	Smart bool   `json:"smart,omitempty"` // Cover keeps what catches the eye

	Blur       float64 `json:"blur,omitempty"` // sigma in pixels of the result, 0.3 to 100
	Background string  `json:"bg,omitempty"`   // "rrggbb" behind what is transparent and around Contain; "": transparent where the format can be, else white
	Rotate     int     `json:"rot,omitempty"`  // 90, 180 or 270 degrees clockwise, after orientation, before the box is met

	Mark *Mark `json:"mark,omitempty"` // laid over all the rest

	Still bool `json:"still,omitempty"` // of an animation, the first frame alone
	Fast  bool `json:"fast,omitempty"`  // encode for now, not for keeping (WebP method 2)
}

// Point is a place in a picture, in thousandths of its width and height.
type Point struct {
	X int `json:"x"`
	Y int `json:"y"`
}

// DefaultQuality is the quality of what is made when none is asked for (contract,
// section 20).
const DefaultQuality = 85

// MaxSide is the largest width or height that can be asked for, in pixels.
const MaxSide = 4096

// Made says what came out.
type Made struct {
	Width, Height int // pixels
	Frames        int // 1 for a still
	Duration      time.Duration
	MIME          string
}

// Look is how a picture looks before it is loaded.
type Look struct {
	ThumbHash []byte `json:"thumbhash"` // evanw's ThumbHash, 5 to 25 bytes
	BlurHash  string `json:"blurhash"`  // woltapp's BlurHash, 4 x 3 components (or 3 x 4)
	Colour    string `json:"colour"`    // "#rrggbb", the dominant colour
	Alpha     bool   `json:"alpha"`     // some of it is transparent
}
