package chart

import (
	"image/color"
	"math"
	"strings"

	"github.com/colaflow/colaflow/tracker/report"
)

// The measures of every chart, in pixels.
const (
	margin    = 24.0
	titleSize = 18.0
	labelSize = 12.0
	lineSpace = 18.0
	maxRows   = 16
)

func label() style { return style{size: labelSize, color: faintInk()} }

// frame is where on the picture the values are drawn.
type frame struct {
	left, top, right, bottom float64
	values                   values
	shares                   []float64 // of x
}

func (f frame) x(share float64) float64 { return f.left + share*(f.right-f.left) }
func (f frame) y(value float64) float64 {
	return f.bottom - f.values.share(value)*(f.bottom-f.top)
}

// draw lays the chart out from the top: title, legend, and the values in what is left.
func (c *Chart) draw(to canvas, f fonts) {
	to.fill([]point{{0, 0}, {Width, 0}, {Width, Height}, {0, Height}}, background())
	title := style{size: titleSize, bold: true, color: ink()}
	to.text(point{margin, margin + 12}, f.fitted(c.title, Width-2*margin, title), title)
	to.text(point{margin, margin + 12 + lineSpace}, f.fitted(c.subtitle, Width-2*margin, label()), label())
	top := c.legend(to, f, margin+12+2*lineSpace+4)
	if c.scale == rows {
		c.drawRows(to, f, top+8)
		return
	}
	c.drawValues(to, f, top+2*lineSpace+4)
}

// legend names the marks in lines, and returns where it ends.
func (c *Chart) legend(to canvas, f fonts, y float64) float64 {
	x := margin
	look := label()
	look.color = ink()
	marks := c.marks
	if len(marks) > 0 && marks[0].shape == stack && c.scale != rows { // as they lie, from the top
		marks = reversed(marks)
	}
	for _, m := range marks {
		name := f.fitted(m.name, 240, look)
		width := 26 + f.width(name, look) + 18
		if x+width > Width-margin && x > margin {
			x, y = margin, y+lineSpace
		}
		m.key(to, point{x, y - 4})
		to.text(point{x + 26, y}, name, look)
		x += width
	}
	return y
}

func reversed(marks []mark) []mark {
	out := make([]mark, len(marks))
	for n, m := range marks {
		out[len(marks)-1-n] = m
	}
	return out
}

// key draws what a mark looks like, in the legend.
func (m mark) key(to canvas, at point) {
	switch m.shape {
	case line, steps:
		to.stroke([]point{at, {at.x + 20, at.y}}, m.color, 2.5, nil)
		if m.shape == steps {
			to.dot(point{at.x + 10, at.y}, 3.5, m.color)
		}
	case dashed, level:
		to.stroke([]point{at, {at.x + 20, at.y}}, m.color, 2, m.dash())
	case dots:
		to.dot(point{at.x + 10, at.y}, 3.5, m.color)
	default:
		to.fill(box(at.x+4, at.y-6, at.x+16, at.y+6), m.color)
	}
}

// across draws a level, on a strip of the background where it crosses bars.
func (m mark) across(to canvas, from, end point) {
	to.stroke([]point{from, end}, background(), 4, nil)
	to.stroke([]point{from, end}, m.color, 2, m.dash())
}

// dash tells comparisons and levels apart without colour.
func (m mark) dash() []float64 {
	if m.shape == level {
		return []float64{2, 3}
	}
	return []float64{7, 4}
}

func box(left, top, right, bottom float64) []point {
	return []point{{left, top}, {right, top}, {right, bottom}, {left, bottom}}
}

// fitted shortens a text to a width.
func (f fonts) fitted(s string, width float64, look style) string {
	if f.width(s, look) <= width {
		return s
	}
	runes := []rune(s)
	for len(runes) > 0 && f.width(string(runes)+"…", look) > width {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimRight(string(runes), " ") + "…"
}

// drawValues draws marks over x, with an axis of values at the left.
func (c *Chart) drawValues(to canvas, f fonts, top float64) {
	low, high := c.extent()
	area := frame{top: top, right: Width - margin, bottom: Height - margin - lineSpace - 4, values: niceValues(low, high)}
	widest := 0.0
	for _, v := range area.values.at() {
		widest = math.Max(widest, f.width(area.values.label(v), label()))
	}
	area.left = margin + widest + 8
	look := label()
	to.text(point{margin, top - 14}, c.unit, look)
	look.align = ends
	for _, v := range area.values.at() {
		shade := grid()
		if v == 0 || v == area.values.low {
			shade = grey()
		}
		to.stroke([]point{{area.left, area.y(v)}, {area.right, area.y(v)}}, shade, 1, nil)
		to.text(point{area.left - 8, area.y(v) + 4}, area.values.label(v), look)
	}
	c.drawX(to, f, &area)
	slot, of := 0, 0
	for _, m := range c.marks {
		if m.shape == bars {
			of++
		}
	}
	var notes []note
	base := make(report.Values, len(c.x))
	for _, m := range c.marks {
		switch m.shape {
		case bars:
			notes = append(notes, area.bars(to, f, m, slot, of)...)
			slot++
		case stack:
			next := make(report.Values, len(base))
			for n := range next {
				next[n] = base[n] + m.values[n]
			}
			area.area(to, m.color, base, next)
			base = next
		case band:
			area.area(to, m.color, m.low, m.values)
		case level:
			m.across(to, point{area.left, area.y(m.level)}, point{area.right, area.y(m.level)})
		case dots:
			for n, v := range m.values {
				to.dot(point{area.x(area.shares[n]), area.y(v)}, 3.5, m.color)
			}
		default:
			area.line(to, m)
		}
	}
	for _, n := range notes {
		n.draw(to, f)
	}
}

// note is a number beside what it is of. It is drawn last, on a ground of its own.
type note struct {
	at   point
	text string
	look style
}

func (n note) draw(to canvas, f fonts) {
	width := f.width(n.text, n.look)
	left := n.at.x - width*float64(n.look.align)/2
	to.fill(box(left-2, n.at.y-labelSize+2, left+width+2, n.at.y+2), background())
	to.text(n.at, n.text, n.look)
}

// noted writes a number no more exactly than one can see it.
func noted(v float64) string {
	switch {
	case math.Abs(v) >= 1000:
		return number(math.Round(v))
	case math.Abs(v) >= 10:
		return number(math.Round(v*10) / 10)
	}
	return number(v)
}

// extent is the span of all values.
func (c *Chart) extent() (low, high float64) {
	sum := make(report.Values, len(c.x))
	for _, m := range c.marks {
		for n, v := range m.values {
			if math.IsNaN(v) {
				continue
			}
			if m.shape == stack {
				sum[n] += v
				v = sum[n]
			}
			low, high = math.Min(low, v), math.Max(high, v)
		}
		high = math.Max(high, m.level)
	}
	if c.base && len(c.marks) > 2 { // what was over before the span says nothing of it
		floor := math.Inf(1)
		for n := range c.x {
			floor = math.Min(floor, c.marks[0].values[n]+c.marks[1].values[n])
		}
		if floor > high/2 {
			low = floor - (high-floor)/10
		}
	}
	return low, high
}

// line draws a line, interrupted where there is no value.
func (f frame) line(to canvas, m mark) {
	var run []point
	flush := func() {
		if len(run) == 1 && m.shape != steps {
			to.dot(run[0], 2.5, m.color)
		}
		if len(run) > 1 {
			var dash []float64
			if m.shape == dashed {
				dash = m.dash()
			}
			to.stroke(run, m.color, 2.5, dash)
		}
		run = nil
	}
	for n, v := range m.values {
		if math.IsNaN(v) {
			flush()
			continue
		}
		at := point{f.x(f.shares[n]), f.y(v)}
		run = append(run, at)
		if m.shape == steps && len(m.values) <= 60 {
			to.dot(at, 3.5, m.color)
		}
	}
	flush()
}

// area fills what is between two lines, where both have values.
func (f frame) area(to canvas, c color.NRGBA, low, high report.Values) {
	var path []point
	for n, v := range high {
		if !math.IsNaN(v) && !math.IsNaN(low[n]) {
			path = append(path, point{f.x(f.shares[n]), f.y(math.Max(v, f.values.low))})
		}
	}
	for n := len(low) - 1; n >= 0; n-- {
		if !math.IsNaN(high[n]) && !math.IsNaN(low[n]) {
			path = append(path, point{f.x(f.shares[n]), f.y(math.Max(low[n], f.values.low))})
		}
	}
	if len(path) > 3 {
		to.fill(path, c)
	}
}

// bars draws the n-th of several bars in each slot, and returns their values where
// there is room for them.
func (f frame) bars(to canvas, fonts fonts, m mark, n, of int) (notes []note) {
	slot := (f.right - f.left) / float64(len(m.values))
	width := math.Min(slot*0.76/float64(of), 56)
	look := label()
	look.align = centred
	for k, v := range m.values {
		if math.IsNaN(v) {
			continue
		}
		left := f.x(f.shares[k]) + (float64(n)-float64(of)/2)*width
		to.fill(box(left, f.y(math.Max(v, 0)), left+width-math.Min(2, width/4), f.y(math.Min(v, 0))), m.color)
		if text := noted(v); fonts.width(text, look) < width-4 {
			notes = append(notes, note{point{left + width/2 - 1, f.y(math.Max(v, 0)) - 5}, text, look})
		}
	}
	return notes
}
