package media

import (
	"errors"
	"slices"
	"strconv"
)

// A Mark is a watermark: a text, or another picture, that is laid over what is made.
type Mark struct {
	Text    string `json:"text,omitempty"`    // empty: the mark is a picture
	Colour  string `json:"colour,omitempty"`  // of the text, "rrggbb"
	Picture string `json:"picture,omitempty"` // says which picture it is; the job brings the file, a PNG

	// Scale is the width of a mark that is a picture, or the font's size, as a share
	// of the result's width. A mark that would not go in whole is made smaller.
	Scale   float64 `json:"scale"`
	Place   string  `json:"place"`            // one of Places
	Margin  float64 `json:"margin,omitempty"` // to the edges, and between tiles, as a share of the result's shorter side
	Opacity float64 `json:"opacity"`          // 0 to 1
	Tiled   bool    `json:"tiled,omitempty"`  // all over the result, and Place says nothing
	Rotate  int     `json:"rotate,omitempty"` // degrees clockwise, -180 to 180
}

// Places are the places of a mark, row by row.
var Places = []string{
	"top-left", "top", "top-right",
	"left", "center", "right",
	"bottom-left", "bottom", "bottom-right",
}

// Check says, in a sentence for whoever made the mark, what of it is out of range.
func (m *Mark) Check() error {
	switch {
	case (m.Text == "") == (m.Picture == ""):
		return errors.New("a watermark is a text or a picture")
	case m.Text != "" && !validColour(m.Colour):
		return errors.New("color is a # and 6 hexadecimal digits, such as #ffffff")
	case !(m.Scale >= 0.005 && m.Scale <= 1):
		return errors.New("scale is a number from 0.005 to 1, a share of the picture's width")
	case !slices.Contains(Places, m.Place):
		return errors.New("position is top-left, top, top-right, left, center, right, bottom-left, bottom or bottom-right")
	case !(m.Margin >= 0 && m.Margin <= 0.25):
		return errors.New("margin is a number from 0 to 0.25, a share of the picture's shorter side")
	case !(m.Opacity > 0 && m.Opacity <= 1):
		return errors.New("opacity is a number above 0, up to 1")
	case m.Rotate < -180 || m.Rotate > 180:
		return errors.New("rotation is a whole number of degrees from -180 to 180")
	}
	return nil
}

func validColour(s string) bool {
	_, err := strconv.ParseUint(s, 16, 24)
	return err == nil && len(s) == 6 && s[0] != '+'
}
