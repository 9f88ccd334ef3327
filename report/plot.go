package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// plot is an SVG picture: paths and texts in pixels of its own box.
type plot struct {
	ID, Class   string
	Title, Desc string // read out in place of the picture
	W, H        float64
	Paths       []path
	Texts       []label

	x, y scale
}

// path is a mark with a class of the style sheet, and what a pointer that rests on it is told.
type path struct{ Class, D, Tip string }

// label is a text at a place.
type label struct {
	Class  string
	X, Y   float64
	Anchor string // start, middle or end
	S      string
}

// scale maps values to pixels.
type scale struct {
	min, max float64 // of the values
	from, to float64 // pixels
	log      bool
}

func (s scale) px(v float64) float64 {
	lo, hi := s.min, s.max
	if s.log {
		v, lo, hi = math.Log(v), math.Log(lo), math.Log(hi)
	}
	if hi == lo {
		return (s.from + s.to) / 2
	}
	return s.from + (v-lo)/(hi-lo)*(s.to-s.from)
}

// margins of the frame inside a plot.
type margins struct{ left, right, top, bottom float64 }

// newPlot returns an empty plot whose frame spans the two ranges.
func newPlot(class, title, desc string, w, h float64, m margins, x, y [2]float64) *plot {
	return &plot{
		Class: class, Title: title, Desc: desc, W: w, H: h,
		x: scale{min: x[0], max: x[1], from: m.left, to: w - m.right},
		y: scale{min: y[0], max: y[1], from: h - m.bottom, to: m.top},
	}
}

// n writes a coordinate with one digit.
func n(v float64) string {
	s := strconv.FormatFloat(v, 'f', 1, 64)
	return strings.TrimSuffix(s, ".0")
}

func (p *plot) path(class, tip, format string, coordinates ...float64) {
	args := make([]any, len(coordinates))
	for i, c := range coordinates {
		args[i] = n(c)
	}
	p.Paths = append(p.Paths, path{class, fmt.Sprintf(format, args...), tip})
}

func (p *plot) text(class string, x, y float64, anchor, s string) {
	p.Texts = append(p.Texts, label{class, math.Round(x*10) / 10, math.Round(y*10) / 10, anchor, s})
}

// xTicks draws ticks, their labels and the name of the axis below the frame.
func (p *plot) xTicks(name string, values []float64, show func(float64) string) {
	for _, v := range values {
		x := p.x.px(v)
		p.path("grid", "", "M%s %sV%s", x, p.y.from, p.y.to)
		p.text("tick", x, p.y.from+15, "middle", show(v))
	}
	p.path("axis", "", "M%s %sH%s", p.x.from, p.y.from, p.x.to)
	p.text("name", (p.x.from+p.x.to)/2, p.y.from+32, "middle", name)
}

// yTicks draws ticks with their labels, and the name of the axis above the frame.
func (p *plot) yTicks(name string, values []float64, show func(float64) string) {
	for _, v := range values {
		y := p.y.px(v)
		p.path("grid", "", "M%s %sH%s", p.x.from, y, p.x.to)
		p.text("tick", p.x.from-6, y+3.5, "end", show(v))
	}
	p.text("name", p.x.from, p.y.to-8, "start", name)
}

// line draws a polyline.
func (p *plot) line(class, tip string, xs, ys []float64) {
	var b strings.Builder
	for i := range xs {
		command := "L"
		if i == 0 {
			command = "M"
		}
		b.WriteString(command + n(p.x.px(xs[i])) + " " + n(p.y.px(ys[i])))
	}
	p.Paths = append(p.Paths, path{class, b.String(), tip})
}

// band fills what lies between two lines.
func (p *plot) band(class string, xs, low, high []float64) {
	var b strings.Builder
	for i := range xs {
		command := "L"
		if i == 0 {
			command = "M"
		}
		b.WriteString(command + n(p.x.px(xs[i])) + " " + n(p.y.px(high[i])))
	}
	for i := len(xs) - 1; i >= 0; i-- {
		b.WriteString("L" + n(p.x.px(xs[i])) + " " + n(p.y.px(low[i])))
	}
	p.Paths = append(p.Paths, path{class, b.String() + "Z", ""})
}

// dot draws a round mark, which the style sheet gives its size by the width of its line.
func (p *plot) dot(class, tip string, x, y float64) {
	p.path(class, tip, "M%s %sh0", p.x.px(x), p.y.px(y))
}

// steps fills a histogram of equal bins from x, whose heights are ys.
func (p *plot) steps(class string, from, width float64, ys []float64) {
	var b strings.Builder
	b.WriteString("M" + n(p.x.px(from)) + " " + n(p.y.from))
	for i, y := range ys {
		b.WriteString("V" + n(p.y.px(y)) + "H" + n(p.x.px(from+width*float64(i+1))))
	}
	b.WriteString("V" + n(p.y.from) + "Z")
	p.Paths = append(p.Paths, path{class, b.String(), ""})
}

// ticks returns about count round values in a range.
func ticks(low, high float64, count int) (values []float64) {
	if !(high > low) {
		return []float64{low}
	}
	step := math.Pow(10, math.Floor(math.Log10((high-low)/float64(count))))
	for _, factor := range []float64{1, 2, 2.5, 5, 10} {
		if (high-low)/(step*factor) <= float64(count) {
			step *= factor
			break
		}
	}
	for i := math.Ceil(low/step - 1e-9); i*step <= high+step*1e-9; i++ {
		values = append(values, i*step+0) // no −0
	}
	return values
}

// span returns the range of values with a margin, within bounds.
func span(values []float64, margin, low, high float64) [2]float64 {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if lo > hi {
		return [2]float64{0, 1}
	}
	pad := max((hi-lo)*margin, 1e-9+math.Abs(hi)*1e-6)
	return [2]float64{max(lo-pad, low), min(hi+pad, high)}
}

// apart moves places that are to be in order, smallest first, so that they are at least
// gap from each other and at most limit.
func apart(places []float64, gap, limit float64) {
	for i := 1; i < len(places); i++ {
		places[i] = max(places[i], places[i-1]+gap)
	}
	for i := len(places) - 1; i >= 0; i-- {
		places[i] = min(places[i], limit-gap*float64(len(places)-1-i))
	}
}
