package draw

import (
	"testing"

	uv "github.com/charmbracelet/ultraviolet"
)

// TestNoScriptMovesTheRightWall: terminals count each character of a sign by itself.
func TestNoScriptMovesTheRightWall(t *testing.T) {
	for _, name := range []string{"नमस्ते", "हिन्दी", "বাংলা", "தமிழ்", "ไทยกำ", "\u1112\u1161\u11ab", "മലയാളം", "日本語", "café", "עִברִית", "hello"} {
		for _, w := range []int{1, 2, 3, 4, 5, 12} {
			line := NewLine(NewTheme("mono"), w+1).Cell(Plain, name, w).Put(Faint, GlyphWall).String()
			cells := uv.NewScreenBuffer(w+1, 1)
			uv.NewStyledString(line).Draw(cells, cells.Bounds())
			if got := cells.CellAt(w, 0).Content; got != GlyphWall {
				t.Errorf("%q in %d cells: the wall is not where it belongs, there is %q", name, w, got)
			}
		}
	}
}
