package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strconv"
)

// plot is one panel of a picture: bars, lines over Across on logarithmic axes, lines over time with marks, or spans of
// time one below the other.
type plot struct {
	Title  string
	Unit   string
	Across string
	Log    bool
	Bars   []bar
	Lines  []line
	Spans  []span
	Marks  []mark
	Most   float64 // what no line should reach, over time
}

// span is from when to when something took place.
type span struct {
	Label    string
	From, To float64
	Note     string
	Ours     bool
}

// mark is when something went on.
type mark struct {
	Name     string
	From, To float64
}

// bar is one figure, with the least and the most any round showed.
type bar struct {
	Label           string
	Value           float64
	Lowest, Highest float64
	Ours            bool
}

// line is one figure at several sizes.
type line struct {
	Name   string
	Ours   bool
	Points []point
}

type point struct{ X, Y, Lowest, Highest float64 }

// bars are the series with that many clients, as of picks them.
func (r *result) bars(clients int, of func(sample) float64) []bar {
	var all []bar
	for _, s := range r.Series {
		if s.Clients == clients {
			low, high := spread(s.Rounds, of)
			all = append(all, bar{s.Name, of(s.Median), low, high, !s.Baseline})
		}
	}
	return all
}

// at is the name of the series that measures l at size.
func (l *line) at(size int) string { return l.Name + ", " + thousands(size) + " tenants" }

// take adds the latency at size, if it was measured.
func (l *line) take(r *result, size int) {
	for _, s := range r.Series {
		if s.Name == l.at(size) {
			low, high := spread(s.Rounds, sample.typical)
			l.Points = append(l.Points, point{float64(size), s.Median.typical(), low, high})
		}
	}
}

// thousands writes 20000 as 20,000.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// The picture's measures and colours: ours stands out, baselines stay grey.
const (
	width     = 860
	labelEdge = 330 // bars begin here
	plotEdge  = 760 // and the longest ends here
	rowHeight = 26
	oursFill  = "#4f46e5"
	restFill  = "#9ca3af"
	ink       = "#111827"
	faint     = "#6b7280"
)

// canvas collects SVG elements from top to bottom.
type canvas struct {
	bytes.Buffer
	y int
}

func (c *canvas) text(x, y float64, size int, fill, anchor, words string) {
	fmt.Fprintf(c, `<text x="%.1f" y="%.1f" font-size="%d" fill="%s" text-anchor="%s">%s</text>`+"\n", x, y, size, fill, anchor, html.EscapeString(words))
}

func (c *canvas) stroke(x1, y1, x2, y2 float64, colour string, wide float64) {
	fmt.Fprintf(c, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%.1f"/>`+"\n", x1, y1, x2, y2, colour, wide)
}

// draw returns the picture of plots, one below the other.
func draw(title, caption string, plots []plot) []byte {
	c := &canvas{y: 34}
	c.text(24, float64(c.y), 17, ink, "start", title)
	c.y += 12
	for _, p := range plots {
		c.y += 28
		c.text(24, float64(c.y), 13, ink, "start", p.Title+" ("+p.Unit+")")
		c.y += 10
		switch {
		case p.Marks != nil:
			c.overTime(p)
		case p.Lines != nil:
			c.lines(p)
		case p.Spans != nil:
			c.spans(p)
		default:
			c.bars(p)
		}
	}
	c.y += 26
	c.text(24, float64(c.y), 10, faint, "start", caption)
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="system-ui, DejaVu Sans, sans-serif">`+"\n",
		width, c.y+18, width, c.y+18)
	fmt.Fprintf(&out, `<rect width="100%%" height="100%%" fill="#ffffff"/>`+"\n%s</svg>\n", c.String())
	return out.Bytes()
}

// axis maps values to pixels, linearly from zero or by powers of ten.
type axis struct {
	low, high, from, to float64
	log                 bool
}

func (a axis) at(v float64) float64 {
	share := (v - a.low) / (a.high - a.low)
	if a.log {
		share = (math.Log10(v) - math.Log10(a.low)) / (math.Log10(a.high) - math.Log10(a.low))
	}
	return a.from + (a.to-a.from)*share
}

// decades are the powers of ten around low and high.
func decades(low, high float64) (float64, float64) {
	return math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high)))
}

func (c *canvas) bars(p plot) {
	scale := axis{from: labelEdge, to: plotEdge, log: p.Log}
	low := math.Inf(1)
	for _, b := range p.Bars {
		scale.high, low = max(scale.high, b.Highest), min(low, b.Lowest)
	}
	if p.Log {
		scale.low, scale.high = decades(low*0.99, scale.high)
		for v := scale.low; v <= scale.high*1.01; v *= 10 {
			x := scale.at(v)
			c.stroke(x, float64(c.y), x, float64(c.y+rowHeight*len(p.Bars)), "#e5e7eb", 1)
			c.text(x, float64(c.y+rowHeight*len(p.Bars)+12), 10, faint, "middle", strconv.FormatFloat(v, 'f', -1, 64))
		}
	}
	for _, b := range p.Bars {
		fill := restFill
		if b.Ours {
			fill = oursFill
		}
		middle := float64(c.y) + rowHeight/2
		end := scale.at(b.Value)
		c.text(labelEdge-8, middle+4, 12, ink, "end", b.Label)
		fmt.Fprintf(c, `<rect x="%d" y="%.1f" width="%.1f" height="16" rx="2" fill="%s"/>`+"\n", labelEdge, middle-8, max(1, end-labelEdge), fill)
		c.stroke(scale.at(b.Lowest), middle, scale.at(b.Highest), middle, ink, 1)
		c.text(max(end, scale.at(b.Highest))+6, middle+4, 11, ink, "start", number(b.Value))
		c.y += rowHeight
	}
	if p.Log {
		c.y += 14
	}
}

func (c *canvas) spans(p plot) {
	const labelsEnd, spansEnd = 270, 700
	scale := axis{from: labelsEnd, to: spansEnd}
	for _, s := range p.Spans {
		scale.high = max(scale.high, s.To)
	}
	bottom := float64(c.y + rowHeight*len(p.Spans))
	for tick, v := roundStep(scale.high/5), 0.0; v <= scale.high; v += tick {
		c.stroke(scale.at(v), float64(c.y), scale.at(v), bottom, "#e5e7eb", 1)
		c.text(scale.at(v), bottom+12, 10, faint, "middle", strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64))
	}
	for _, s := range p.Spans {
		fill := restFill
		if s.Ours {
			fill = oursFill
		}
		middle := float64(c.y) + rowHeight/2
		c.text(labelsEnd-8, middle+4, 12, ink, "end", s.Label)
		fmt.Fprintf(c, `<rect x="%.1f" y="%.1f" width="%.1f" height="16" rx="2" fill="%s"/>`+"\n", scale.at(s.From), middle-8, max(1.5, scale.at(s.To)-scale.at(s.From)), fill)
		c.text(scale.at(s.To)+6, middle+4, 11, ink, "start", s.Note)
		c.y += rowHeight
	}
	c.y += 14
}

// roundStep is the 1, 2 or 5 times a power of ten that is next above v.
func roundStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, of := range []float64{1, 2, 5} {
		if of*power >= v {
			return of * power
		}
	}
	return 10 * power
}

func (c *canvas) lines(p plot) {
	const height = 300
	across := axis{low: math.Inf(1), from: 90, to: 620, log: true}
	up := axis{low: math.Inf(1), from: float64(c.y + height), to: float64(c.y + 12), log: true}
	for _, l := range p.Lines {
		for _, at := range l.Points {
			across.low, across.high = min(across.low, at.X), max(across.high, at.X)
			up.low, up.high = min(up.low, at.Lowest), max(up.high, at.Highest)
		}
	}
	across.low, across.high = decades(across.low, across.high)
	up.low, up.high = decades(up.low, up.high)
	for v := up.low; v <= up.high*1.01; v *= 10 {
		c.stroke(across.from, up.at(v), across.to, up.at(v), "#e5e7eb", 1)
		c.text(across.from-8, up.at(v)+4, 11, faint, "end", strconv.FormatFloat(v, 'f', -1, 64)+" "+p.Unit)
	}
	for v := across.low; v <= across.high*1.01; v *= 10 {
		c.text(across.at(v), up.from+18, 11, faint, "middle", thousands(int(math.Round(v))))
	}
	c.text((across.from+across.to)/2, up.from+36, 11, faint, "middle", p.Across)
	for _, l := range p.Lines {
		c.curve(l, across, up, func(at point) bool { return crowded(p.Lines, at, up) })
	}
	c.y += height + 40
}

// crowded says whether the point of another line is so close above at that its figure would stand in it.
func crowded(lines []line, at point, up axis) bool {
	for _, l := range lines {
		for _, other := range l.Points {
			if gap := up.at(at.Y) - up.at(other.Y); other.X == at.X && gap > 0 && gap < 26 {
				return true
			}
		}
	}
	return false
}

func (c *canvas) curve(l line, across, up axis, below func(point) bool) {
	colour := restFill
	if l.Ours {
		colour = oursFill
	}
	for i, at := range l.Points {
		x, y := across.at(at.X), up.at(at.Y)
		if i > 0 {
			before := l.Points[i-1]
			c.stroke(across.at(before.X), up.at(before.Y), x, y, colour, 2)
		}
		c.stroke(x, up.at(at.Lowest), x, up.at(at.Highest), colour, 1)
		fmt.Fprintf(c, `<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>`+"\n", x, y, colour)
		figure := y - 10
		if below(at) {
			figure = y + 18
		}
		c.text(x, figure, 11, ink, "middle", number(at.Y))
		if i == len(l.Points)-1 {
			c.text(x+10, y+4, 12, ink, "start", l.Name)
		}
	}
}

// overTime draws lines from zero, and marks and numbers spans; their names stand below.
func (c *canvas) overTime(p plot) {
	const height, legendRow = 260, 14
	across := axis{high: 1, from: 60, to: 840}
	up := axis{high: p.Most * 1.1, from: float64(c.y + height), to: float64(c.y + 24)}
	for _, l := range p.Lines {
		for _, at := range l.Points {
			across.high, up.high = max(across.high, at.X), max(up.high, at.Y*1.05)
		}
	}
	for n, s := range p.Marks {
		from, to := across.at(s.From), across.at(s.To)
		fmt.Fprintf(c, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="#f3f4f6"/>`+"\n", from, up.to, max(1, to-from), up.from-up.to)
		c.text((from+to)/2, up.to-4-float64(n%2)*10, 9, faint, "middle", strconv.Itoa(n+1))
	}
	for v := 0.0; v <= up.high; v += 500 {
		c.stroke(across.from, up.at(v), across.to, up.at(v), "#e5e7eb", 1)
		c.text(across.from-6, up.at(v)+4, 10, faint, "end", thousands(int(v)))
	}
	for v := 0.0; v <= across.high; v += 30 {
		c.text(across.at(v), up.from+14, 10, faint, "middle", strconv.Itoa(int(v)))
	}
	c.stroke(across.from, up.at(p.Most), across.to, up.at(p.Most), "#dc2626", 1)
	for _, l := range p.Lines {
		colour := restFill
		if l.Ours {
			colour = oursFill
		}
		for i := 1; i < len(l.Points); i++ {
			c.stroke(across.at(l.Points[i-1].X), up.at(l.Points[i-1].Y), across.at(l.Points[i].X), up.at(l.Points[i].Y), colour, 1.5)
		}
	}
	c.y += height + 34
	const columns = 3
	for n, s := range p.Marks {
		c.text(24+float64(n%columns)*270, float64(c.y+n/columns*legendRow), 10, faint, "start", fmt.Sprintf("%d  %s", n+1, s.Name))
	}
	c.y += (len(p.Marks) + columns - 1) / columns * legendRow
}
