package chart

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"strconv"
	"strings"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// point is a place in pixels from the top left corner.
type point struct{ x, y float64 }

// align is where a text stands: its beginning, middle or end at the point.
type align int

const (
	begins align = iota
	centred
	ends
)

// style is how a text looks.
type style struct {
	size  float64
	bold  bool
	color color.NRGBA
	align align
}

// canvas is what layouts draw on.
type canvas interface {
	fill(path []point, c color.NRGBA)
	stroke(path []point, c color.NRGBA, width float64, dash []float64)
	dot(at point, radius float64, c color.NRGBA)
	text(at point, s string, look style)
}

// fonts measure texts, and draw them on bitmaps.
type fonts struct{ regular, bold *opentype.Font }

func loadFonts() (f fonts, err error) {
	if f.regular, err = opentype.Parse(liberationsansregular.TTF); err != nil {
		return f, fmt.Errorf("read font: %w", err)
	}
	if f.bold, err = opentype.Parse(liberationsansbold.TTF); err != nil {
		return f, fmt.Errorf("read font: %w", err)
	}
	return f, nil
}

func (f fonts) face(look style) font.Face {
	chosen := f.regular
	if look.bold {
		chosen = f.bold
	}
	return font.Face{Font: font.Font{Size: vg.Length(look.size)}, Face: chosen}
}

// width is how wide a text is, in pixels. Letters are not kerned, because that is
// rounded to whole pixels and makes them touch.
func (f fonts) width(s string, look style) float64 {
	face, sum := f.face(look), 0.0
	for _, r := range s {
		sum += float64(face.Width(string(r)))
	}
	return sum
}

// bitmap draws for PNG. One point is one pixel; gonum counts from below.
type bitmap struct {
	*vgimg.Canvas
	fonts fonts
}

func newBitmap(f fonts) bitmap {
	return bitmap{vgimg.NewWith(vgimg.UseWH(Width, Height), vgimg.UseDPI(72)), f}
}

func (b bitmap) path(points []point) vg.Path {
	var p vg.Path
	for n, at := range points {
		to := vg.Point{X: vg.Length(at.x), Y: vg.Length(Height - at.y)}
		if n == 0 {
			p.Move(to)
		} else {
			p.Line(to)
		}
	}
	return p
}

func (b bitmap) fill(points []point, c color.NRGBA) {
	p := b.path(points)
	p.Close()
	b.SetColor(c)
	b.Fill(p)
}

func (b bitmap) stroke(points []point, c color.NRGBA, width float64, dash []float64) {
	b.SetColor(c)
	b.SetLineWidth(vg.Length(width))
	lengths := make([]vg.Length, len(dash))
	for n, d := range dash {
		lengths[n] = vg.Length(d)
	}
	b.SetLineDash(lengths, 0)
	b.Stroke(b.path(points))
}

func (b bitmap) dot(at point, radius float64, c color.NRGBA) {
	var p vg.Path
	centre := vg.Point{X: vg.Length(at.x), Y: vg.Length(Height - at.y)}
	p.Move(vg.Point{X: centre.X + vg.Length(radius), Y: centre.Y})
	p.Arc(centre, vg.Length(radius), 0, 6.283185307179586)
	p.Close()
	b.SetColor(c)
	b.Fill(p)
}

func (b bitmap) text(at point, s string, look style) {
	at.x -= b.fonts.width(s, look) * float64(look.align) / 2
	b.SetColor(look.color)
	face := b.fonts.face(look)
	for _, r := range s {
		b.FillString(face, vg.Point{X: vg.Length(at.x), Y: vg.Length(Height - at.y)}, string(r))
		at.x += float64(face.Width(string(r)))
	}
}

// PNG draws the chart as a bitmap.
func (c *Chart) PNG() ([]byte, error) {
	f, err := loadFonts()
	if err != nil {
		return nil, err
	}
	b := newBitmap(f)
	c.draw(b, f)
	var out bytes.Buffer
	if _, err := (vgimg.PngCanvas{Canvas: b.Canvas}).WriteTo(&out); err != nil {
		return nil, fmt.Errorf("write PNG: %w", err)
	}
	return out.Bytes(), nil
}

// drawing writes SVG.
type drawing struct{ strings.Builder }

// pixels are written to a tenth, so that machines that round differently draw alike.
func pixels(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

func list(points []point) string {
	all := make([]string, len(points))
	for n, at := range points {
		all[n] = pixels(at.x) + "," + pixels(at.y)
	}
	return strings.Join(all, " ")
}

func (d *drawing) fill(points []point, c color.NRGBA) {
	fmt.Fprintf(d, `<polygon points="%s" fill="%s"/>`+"\n", list(points), hex(c))
}

func (d *drawing) stroke(points []point, c color.NRGBA, width float64, dash []float64) {
	dashes := ""
	if len(dash) > 0 {
		dashes = fmt.Sprintf(` stroke-dasharray="%v %v"`, dash[0], dash[1])
	}
	fmt.Fprintf(d, `<polyline points="%s" fill="none" stroke="%s" stroke-width="%v"%s/>`+"\n", list(points), hex(c), width, dashes)
}

func (d *drawing) dot(at point, radius float64, c color.NRGBA) {
	fmt.Fprintf(d, `<circle cx="%s" cy="%s" r="%v" fill="%s"/>`+"\n", pixels(at.x), pixels(at.y), radius, hex(c))
}

func (d *drawing) text(at point, s string, look style) {
	weight := ""
	if look.bold {
		weight = ` font-weight="bold"`
	}
	fmt.Fprintf(d, `<text x="%s" y="%s" font-size="%v"%s fill="%s" text-anchor="%s">%s</text>`+"\n", pixels(at.x), pixels(at.y), look.size, weight,
		hex(look.color), []string{"start", "middle", "end"}[look.align], html.EscapeString(s))
}

// SVG draws the chart as an image that stands within HTML: no scripts, no styles,
// nothing that is loaded.
func (c *Chart) SVG() ([]byte, error) {
	f, err := loadFonts()
	if err != nil {
		return nil, err
	}
	d := &drawing{}
	fmt.Fprintf(d, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" font-family="Liberation Sans, Arial, Helvetica, sans-serif">`+"\n",
		Width, Height)
	fmt.Fprintf(d, "<title>%s</title>\n", html.EscapeString(c.title))
	c.draw(d, f)
	d.WriteString("</svg>\n")
	return []byte(d.String()), nil
}
