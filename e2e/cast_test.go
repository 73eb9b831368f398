//go:build unix

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
)

// recorded looks at an old journal on a terminal, records that, and returns the last
// frame: a look at the screen while it runs may catch half of one.
func recorded(t *testing.T, path string) (last string) {
	t.Helper()
	cmd := program(t, "view", "--journal", "demo.db", "--reduced-motion", "--record", path)
	cmd.Dir = playedJournal(t, 30*time.Second)
	screen := inTerminal(t, 100, 24, cmd)
	screen.shows("1 Tasks", "8348e0b1")
	screen.press("5")
	screen.shows("Features", "Stalled")
	screen.press("1")
	screen.shows("STATE", "8348e0b1")
	screen.press("q")
	screen.ends(0)
	screen.shows("recorded ", " KiB, to ")
	drawn, _, _ := strings.Cut(screen.written(), "\x1b[H\x1b[J\x1b[?1049l") // erased, and left
	frame := vt.NewEmulator(100, 24)
	defer frame.Close()
	go io.Copy(io.Discard, frame)
	frame.WriteString(drawn)
	return frame.String()
}

// rows are the lines between the header, which counts on, and the footer.
func rows(screen string) string {
	lines := strings.Split(screen, "\n")
	if len(lines) < 4 {
		return ""
	}
	return strings.Join(lines[2:len(lines)-1], "\n")
}

// playerRows has a page tell what asciinema's player shows, cell by cell. The player writes text
// at columns, but draws blocks on a canvas of 8 times 24 points a cell, with nothing of them in
// the text, and the light shade as a quarter of the colour: they are read from what it draws.
// What is wider than a cell is a background.
const playerRows = `
const blocks = [], canvas = CanvasRenderingContext2D.prototype, {clearRect, fillRect} = canvas;
canvas.clearRect = function(x, y, w, h) {
	blocks[y / 24] = {};
	clearRect.call(this, x, y, w, h);
};
canvas.fillRect = function(x, y, w, h) {
	const block = this.globalAlpha < 1 ? "░" : w < 8 ? "▌" : w === 8 ? " ▁▂▃▄▅▆▇█"[h / 3] : "";
	if (block) blocks[Math.floor(y / 24)][x / 8] = block;
	fillRect.call(this, x, y, w, h);
};
const playedRows = () => [...document.querySelector(".ap-term-text").children].map((row, y) => {
	const cells = Array(100).fill(" ");
	for (const span of row.children)
		[...span.textContent].forEach((c, i) => cells[+span.style.getPropertyValue("--offset") + i] = c);
	for (const [x, block] of Object.entries(blocks[y]))
		if (cells[x] === " ") cells[x] = block; // else the background of one cell
	return cells.join("").trimEnd();
}).join("\n");
`

func TestARecordingIsPlayedByAsciinemasPlayer(t *testing.T) {
	t.Parallel()
	b := inBrowser(t)
	path := filepath.Join(t.TempDir(), "demo.cast")
	last := recorded(t, path)
	cast, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(string(cast))
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := filepath.Abs(filepath.Join(modules(t), "asciinema-player", "dist", "bundle"))
	if err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(t.TempDir(), "player.html")
	err = os.WriteFile(page, fmt.Appendf(nil, `<!DOCTYPE html><link rel="stylesheet" href="file://%[1]s/asciinema-player.css"><div id="player"></div>
<script src="file://%[1]s/asciinema-player.js"></script>
<script>
%[3]s
const player = AsciinemaPlayer.create({data: () => %[2]s}, document.getElementById("player"), {preload: true});
player.addEventListener("ready", () => player.seek("100%%").then(() => window.sought = true));
</script>`, bundle, data, playerRows), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	b.size(1000, 700, "dark")
	b.open("file://" + page)
	b.until("window.sought && document.querySelector('.ap-term')")
	b.picture("player")
	b.until(`playedRows().includes("8348e0b1")`)
	// The recording ends below the last frame, so its first line has left the player.
	played := strings.Split(rows("\n"+value[string](b, "playedRows()")), "\n")
	for i, line := range strings.Split(rows(last), "\n") {
		if line = strings.TrimRight(line, " "); line != played[i] {
			t.Errorf("line %d is\n%s\nand the player shows\n%s", i, line, played[i])
		}
	}
	b.stays("file://")
}

// TestARecordingOfTheDemoIsSmall: what changes is written, not rows or frames.
func TestARecordingOfTheDemoIsSmall(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "demo.cast")
	screen := inTerminal(t, 100, 28, program(t, "demo", "--seed", "7", "--record", path))
	screen.shows("5 tasks")
	screen.press("q")
	screen.ends(0)
	var seconds, size float64
	told := screen.find(`recorded ([\d.]+s, [\d.]+ KiB), to`)
	if n, err := fmt.Sscanf(told, "%fs, %f KiB", &seconds, &size); n != 2 {
		t.Fatalf("%q: %v", told, err)
	}
	if seconds == 0 || size == 0 || size > 25*seconds {
		t.Errorf("%s: more than 25 KB a second", told)
	}
}

// readByAsciinema has asciinema's own parser read a recording, which must be
// version 2. The command itself wants a terminal.
const readByAsciinema = `
import sys
from asciinema.asciicast import open_from_url
with open_from_url(sys.argv[1]) as cast:
    last = 0
    for event in cast.events():
        assert event[0] >= last, event
        last = event[0]
        sys.stdout.write(event[2])
`

func TestARecordingOfVersion2IsReadByAsciinema(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3" // Debian's asciinema is a module of this one
	if exec.Command(python, "-c", "import asciinema").Run() != nil {
		lacking(t, "asciinema 2 (apt-get install asciinema)")
	}
	path := filepath.Join(t.TempDir(), "demo.v2.cast")
	recorded(t, path)
	stdout, stderr, code := finished(t, exec.Command(python, "-c", readByAsciinema, path))
	if code != 0 {
		t.Fatalf("asciinema's parser ended with %d: %s", code, stderr)
	}
	says(t, stdout, "aspectop", "8348e0b1")
}

func TestARecordingIsOfAScreenAndOverwritesNothing(t *testing.T) {
	folder := t.TempDir()
	taken := filepath.Join(folder, "taken.cast")
	if err := os.WriteFile(taken, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := finished(t, program(t, "demo", "--record", filepath.Join(folder, "new.cast"), "--duration", "1s"))
	if code != 2 || stdout != "" {
		t.Errorf("without a terminal: %d, %s", code, stdout)
	}
	says(t, stderr, "--record needs a screen")
	for path, word := range map[string]string{taken: "already exists", filepath.Join(folder, "none", "new.cast"): "no such file"} {
		screen := inTerminal(t, 200, 24, program(t, "demo", "--record", path))
		screen.ends(2)
		screen.shows(word)
	}
	if text, err := os.ReadFile(taken); err != nil || string(text) != "before" {
		t.Errorf("the file that was there is now %q, %v", text, err)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("left over: %v, %v", files, err)
	}
}

func TestAFullDiskEndsTheRecordingAndTheScreenSaysSo(t *testing.T) {
	// A limit on the size of files stands in for a full disk.
	path := filepath.Join(t.TempDir(), "demo.cast")
	view := program(t, "view", "--journal", "demo.db", "--record", path)
	cmd := exec.Command("sh", append([]string{"-c", `ulimit -f 128; exec "$@"`, "sh"}, view.Args...)...)
	cmd.Env, cmd.Dir = view.Env, playedJournal(t, 30*time.Second)
	screen := inTerminal(t, 100, 24, cmd)
	screen.shows("1 Tasks", "stalled")
	screen.until("the screen says so", func(text string) bool {
		screen.press("25")
		return strings.Contains(text, "the recording has ended")
	})
	screen.press("q")
	screen.ends(0)
	screen.shows("it ended early")
	cast, err := os.ReadFile(path)
	if err != nil || !strings.HasSuffix(string(cast), "]\n") || len(cast) > 128*512 {
		t.Errorf("the recording has %d bytes and ends with %q, %v", len(cast), cast[max(0, len(cast)-20):], err)
	}
}
