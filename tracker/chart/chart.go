// Package chart draws the series of reports as pictures: PNG for agents, SVG for
// pages. They have a background of their own, so that they are legible on light and
// dark, and the colours of Okabe and Ito, which the colour-blind can tell apart. It
// performs no I/O.
package chart

import (
	"image/color"

	"github.com/colaflow/colaflow/tracker/report"
)

// The size of every chart, in pixels.
const (
	Width  = 800
	Height = 450
)

// Chart is what a picture shows. Of makes one.
type Chart struct {
	title    string
	subtitle string
	unit     string   // of the axis of values
	x        []string // days, times or names
	marks    []mark
	scale    axis // of x
	base     bool // values may begin above 0
}

// axis says what x is.
type axis int

const (
	days  axis = iota // as far apart as they are in time
	slots             // evenly apart, such as bars
	rows              // names, one below the other
)

// mark is one thing that is drawn, and its line of the legend.
type mark struct {
	name   string
	shape  shape
	color  color.NRGBA
	values report.Values
	low    report.Values // of a band
	level  float64       // of a level
}

type shape int

const (
	line   shape = iota
	steps        // a line with its points
	dashed       // a line that is a comparison
	dots         // points that no line joins
	bars         // beside each other
	stack        // on top of each other: areas, or parts of a row
	band         // the area between low and values
	level        // a straight line at one value
)

// The colours of Okabe and Ito, but yellow, which is faint on white.
func blue() color.NRGBA       { return color.NRGBA{0x00, 0x72, 0xb2, 0xff} }
func orange() color.NRGBA     { return color.NRGBA{0xe6, 0x9f, 0x00, 0xff} }
func green() color.NRGBA      { return color.NRGBA{0x00, 0x9e, 0x73, 0xff} }
func vermilion() color.NRGBA  { return color.NRGBA{0xd5, 0x5e, 0x00, 0xff} }
func sky() color.NRGBA        { return color.NRGBA{0x56, 0xb4, 0xe9, 0xff} }
func purple() color.NRGBA     { return color.NRGBA{0xcc, 0x79, 0xa7, 0xff} }
func grey() color.NRGBA       { return color.NRGBA{0x9a, 0xa0, 0xa6, 0xff} }
func ink() color.NRGBA        { return color.NRGBA{0x20, 0x21, 0x24, 0xff} }
func faintInk() color.NRGBA   { return color.NRGBA{0x5f, 0x63, 0x68, 0xff} }
func grid() color.NRGBA       { return color.NRGBA{0xe4, 0xe6, 0xe9, 0xff} }
func background() color.NRGBA { return color.NRGBA{0xff, 0xff, 0xff, 0xff} }

// mixed is a colour with a share of white, for areas behind lines.
func mixed(c color.NRGBA, white float64) color.NRGBA {
	part := func(v uint8) uint8 { return uint8(float64(v) + (255-float64(v))*white) }
	return color.NRGBA{part(c.R), part(c.G), part(c.B), c.A}
}

// bandColor is the colour of the n-th of many areas. Neighbours differ in lightness.
func bandColor(n int) color.NRGBA {
	all := []color.NRGBA{grey(), sky(), orange(), vermilion(), blue(), purple(), green(), mixed(blue(), 0.6), mixed(vermilion(), 0.5)}
	return all[n%len(all)]
}
