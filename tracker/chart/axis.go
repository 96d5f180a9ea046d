package chart

import (
	"math"
	"strings"

	"github.com/colaflow/colaflow/tracker/report"
)

// drawX places x and labels as much of it as fits.
func (c *Chart) drawX(to canvas, f fonts, area *frame) {
	shares, times := c.spread()
	area.shares = shares
	look := label()
	look.align = centred
	y := area.bottom + lineSpace
	if times != nil {
		most := int((area.right - area.left) / 90)
		for _, t := range timeTicks(times[0], times[len(times)-1], most) {
			x := area.x(t.share)
			to.stroke([]point{{x, area.bottom}, {x, area.bottom + 4}}, grey(), 1, nil)
			half := f.width(t.label, look) / 2
			to.text(point{math.Min(math.Max(x, half+4), Width-half-4), y}, t.label, look)
		}
		return
	}
	names, every := c.slotNames(), 1
	slot := (area.right - area.left) / float64(len(names))
	if c.named() {
		for n, name := range names {
			c.twoLines(to, f, name, point{area.x(shares[n]), y - 3}, slot-6)
		}
		return
	}
	for widest(f, names)+10 > slot*float64(every) {
		every++
	}
	for n := 0; n < len(names); n += every {
		to.text(point{area.x(shares[n]), y}, names[n], look)
	}
}

func widest(f fonts, names []string) float64 {
	most := 0.0
	for _, name := range names {
		most = math.Max(most, f.width(name, label()))
	}
	return most
}

// named reports whether x are names, and not days.
func (c *Chart) named() bool {
	_, isDay := parseDay(c.x[len(c.x)-1])
	return !isDay
}

// slotNames writes days short.
func (c *Chart) slotNames() []string {
	first, _ := parseDay(c.x[min(1, len(c.x)-1)])
	last, _ := parseDay(c.x[len(c.x)-1])
	names := make([]string, len(c.x))
	for n, text := range c.x {
		names[n] = text
		if t, ok := parseDay(text); ok {
			if names[n] = dayName(t, false); first.Year() != last.Year() {
				names[n] = t.Format("2 Jan 06")
			}
		}
	}
	return names
}

// twoLines writes a name in a slot, broken where it is too long for one line.
func (c *Chart) twoLines(to canvas, f fonts, name string, at point, width float64) {
	look := label()
	look.align = centred
	if f.width(name, look) <= width {
		to.text(at, name, look)
		return
	}
	if n := strings.LastIndex(name, " "); n > 0 {
		to.text(at, f.fitted(name[:n], width, look), look)
		to.text(point{at.x, at.y + 14}, f.fitted(name[n+1:], width, look), look)
		return
	}
	to.text(at, f.fitted(name, width, look), look)
}

// drawRows draws names one below the other, the values of each beside it.
func (c *Chart) drawRows(to canvas, f fonts, top float64) {
	shown := min(len(c.x), maxRows)
	widestName, high := 0.0, 0.0
	for n := range c.x[:shown] {
		widestName = math.Max(widestName, f.width(f.fitted(c.x[n], 180, label()), label()))
		sum := 0.0
		for _, m := range c.marks {
			if m.shape == stack {
				sum += m.values[n]
			}
		}
		high = math.Max(high, sum)
	}
	for _, m := range c.marks {
		high = math.Max(high, m.level)
	}
	area := frame{left: margin + widestName + 10, top: top, right: Width - margin - 50, bottom: Height - margin - lineSpace, values: niceValues(0, high)}
	x := func(v float64) float64 { return area.left + area.values.share(v)*(area.right-area.left) }
	look := label()
	look.align = centred
	for _, v := range area.values.at() {
		to.stroke([]point{{x(v), area.top}, {x(v), area.bottom}}, grid(), 1, nil)
		to.text(point{x(v), area.bottom + lineSpace - 2}, area.values.label(v), look)
	}
	look.align = begins
	last := f.width(area.values.label(area.values.high), look)
	to.text(point{area.right + last/2 + 6, area.bottom + lineSpace - 2}, c.unit, look)
	space := math.Min((area.bottom-area.top)/float64(shown), 60)
	sums := make(report.Values, shown)
	for _, m := range c.marks {
		for n := range shown {
			if m.shape != stack || m.values[n] == 0 {
				continue
			}
			y := area.top + space*(float64(n)+0.5)
			to.fill(box(x(sums[n]), y-space*0.34, x(sums[n]+m.values[n]), y+space*0.34), m.color)
			sums[n] += m.values[n]
		}
	}
	for n := range shown {
		y := area.top + space*(float64(n)+0.5) + 4
		look.align = ends
		to.text(point{area.left - 10, y}, f.fitted(c.x[n], 180, look), look)
	}
	to.stroke([]point{{area.left, area.top}, {area.left, area.bottom}}, grey(), 1, nil)
	for _, m := range c.marks {
		if m.shape == level {
			m.across(to, point{x(m.level), area.top}, point{x(m.level), area.bottom})
		}
	}
	look.align = begins
	for n := range shown {
		note{point{x(sums[n]) + 6, area.top + space*(float64(n)+0.5) + 4}, noted(sums[n]), look}.draw(to, f)
	}
	if more := len(c.x) - shown; more > 0 {
		look.align = ends
		to.text(point{Width - margin, margin + 12 + lineSpace}, "and "+number(float64(more))+" more", look)
	}
}
