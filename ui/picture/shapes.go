package picture

import (
	"fmt"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
)

// Fonts leave gaps between lines and disagree on widths, so what frames, bars and charts are
// made of is drawn as shapes: frames as paths, blocks as rectangles.

// eighths are the blocks that fill a cell from below.
var eighths = []rune("▁▂▃▄▅▆▇█")

// block is the part of a cell that a block fills: of its width, of its height from below, and how dense.
func block(content string) (width, height, density float64, is bool) {
	switch content {
	case "▌":
		return 0.5, 1, 1, true
	case "░":
		return 1, 1, 0.35, true
	}
	for i, r := range eighths {
		if content == string(r) {
			return 1, float64(i+1) / 8, 1, true
		}
	}
	return 0, 0, 0, false
}

// frameParts are the path of each part of a frame within its cell, from its top left corner:
// the middle is at 4.2, 9. Horizontal ones are joined.
var frameParts = map[string]string{
	"─": "m0 9h%.1f", "━": "m0 9h%.1f", "│": "m4.2 0v18", "┃": "m4.2 0v18", "┆": "m4.2 1.5v4m0 2v4m0 2v4",
	"╭": "m4.2 18v-4.8a4.2 4.2 0 0 1 4.2-4.2", "╮": "m4.2 18v-4.8a4.2 4.2 0 0 0-4.2-4.2",
	"╰": "m4.2 0v4.8a4.2 4.2 0 0 0 4.2 4.2", "╯": "m4.2 0v4.8a4.2 4.2 0 0 1-4.2 4.2",
	"┏": "m4.2 18v-9h4.2", "┓": "m4.2 18v-9h-4.2", "┗": "m4.2 0v9h4.2", "┛": "m4.2 0v9h-4.2",
}

// shape reports whether a cell's content is drawn as one.
func shape(content string) bool {
	_, _, _, is := block(content)
	return is || frameParts[content] != ""
}

func heavy(content string) bool { return strings.Contains("━┃┏┓┗┛", content) }

// stroke is how a path is drawn.
type stroke struct{ color, width, opacity string }

// shapes are a picture's paths, those of one kind together, and its rectangles.
type shapes struct {
	rects strings.Builder
	kinds []stroke // in the order in which they came
	paths map[stroke]*strings.Builder
}

// draw draws n equal cells at x, y as a shape; false if they are text.
func (s *shapes) draw(content string, n int, x, y float64, fg string, style uv.Style) bool {
	w, h, density, is := block(content)
	if is {
		opacity := ""
		if density < 1 {
			opacity = fmt.Sprintf(` fill-opacity="%g"`, density)
		}
		if w < 1 {
			n = 1
		}
		fmt.Fprintf(&s.rects, `<rect x="%s" y="%s" width="%s" height="%s" fill="%s"%s/>`+"\n",
			units(x), units(y+(1-h)*cellHeight), units(w*float64(n)*cellWidth), units(h*cellHeight), fg, opacity)
		return true
	}
	part, is := frameParts[content]
	if !is {
		return false
	}
	k := stroke{fg, "1.2", ""}
	if heavy(content) {
		k.width = "2.2"
	}
	if style.Attrs&uv.AttrFaint != 0 {
		k.opacity = ` opacity="0.6"`
	}
	path := s.paths[k]
	if path == nil {
		path = &strings.Builder{}
		s.kinds, s.paths[k] = append(s.kinds, k), path
	}
	horizontal := strings.Contains(part, "%")
	for i := range n {
		fmt.Fprintf(path, "M%s %s", units(x+float64(i)*cellWidth), units(y))
		if horizontal {
			fmt.Fprintf(path, part, float64(n)*cellWidth)
			break
		}
		path.WriteString(part)
	}
	return true
}

func (s *shapes) String() string {
	var b strings.Builder
	b.WriteString(s.rects.String())
	for _, k := range s.kinds {
		fmt.Fprintf(&b, `<path fill="none" stroke="%s" stroke-width="%s"%s d="%s"/>`+"\n", k.color, k.width, k.opacity, s.paths[k])
	}
	return b.String()
}

// units writes a length with as few digits as it needs.
func units(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
}
