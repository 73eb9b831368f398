//go:build unix

package e2e

import (
	"strings"
	"testing"
	"time"
)

// Keys as terminals with the kitty keyboard protocol and alternate keys send them.
const (
	russianCtrlC   = "\x1b[1089::99;5u"
	greekCtrlC     = "\x1b[968::99;5u"
	fullWidthCtrlC = "\x1b[65347::99;5u"
)

func TestEveryKeyboardHasAWayOut(t *testing.T) {
	for name, keys := range map[string]string{
		"Russian ctrl+c": russianCtrlC, "Greek ctrl+c": greekCtrlC, "full-width ctrl+c": fullWidthCtrlC,
		"without the base key": "\x1b[1089;5u", "Dvorak ctrl+c": "\x1b[99::105;5u",
		"in the filter": "/ф" + russianCtrlC, "in the help": "?" + greekCtrlC, "in the help, by q": "?йй",
		"Russian q": "й", "with its base key": "\x1b[1081::113u", "full-width q": "ｑ",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			screen := inTerminal(t, 80, 24, watching(t))
			screen.shows("Waiting for the first event")
			screen.press(keys)
			screen.ends(0)
			if !strings.Contains(screen.written(), "\x1b[>5u") {
				t.Error("alternate keys were not asked for")
			}
		})
	}
}

func TestKeysOfOtherLayouts(t *testing.T) {
	screen := inTerminal(t, 80, 24, watching(t))
	url := screen.find(`receiving on (http://\S+)`)
	keeps(t, url, delivery{id: "msg_1", body: tells(upload, "task.progress", time.Now(), feature("visual", "queued"))})
	screen.shows("2e1c7e42")
	screen.press("\x1b[97::113u") // AZERTY a, in the place of q
	screen.shows("a does nothing here; ? shows the keys, ctrl+c quits")
	screen.press("ь") // m
	screen.shows("mouse on")
	screen.press("ח") // whose place is not told; said once only
	screen.press("ь")
	screen.shows("mouse off")
	screen.press("?")
	screen.shows("filter; in text: search")
	screen.press("\x1b")
	screen.showsNot("filter; in text: search")

	// In a text field only the text counts.
	screen.press("/й\x1b[1081::113u\x1b[1081:1049:113;2uｑ\x1b[97:65:113;2u")
	screen.shows("/ййЙｑA")
	screen.press("\x1b[1075::117;5u") // ctrl+u
	screen.showsNot("/й")
	screen.press("ф\x1b[27u")
	screen.showsNot("/ф")
	screen.press(russianCtrlC)
	screen.ends(0)
	if n := strings.Count(screen.written(), "does nothing here"); n != 1 {
		t.Errorf("it was said %d times what does something", n)
	}
}

func TestEveryKeyboardHasAWayOutOverSSH(t *testing.T) {
	ada := newGuest(t, "ada")
	watch, _, address := shared(t, listOf(t, ada))
	for _, keys := range []string{russianCtrlC, greekCtrlC, fullWidthCtrlC, "й"} {
		screen := inTerminal(t, 80, 24, ada.ssh(address, "HOST"))
		screen.shows("Waiting for the first event")
		screen.press(keys)
		screen.ends(0)
	}
	watch.signal(2)
	if code := watch.ends(); code != 0 {
		t.Errorf("the watch ended with %d: %s", code, watch.errors())
	}
}

func TestTornSequencesActOnNothing(t *testing.T) {
	for range 5 { // what comes after half a second is too late, and a loaded machine may be so slow
		screen := inTerminal(t, 80, 24, watching(t))
		screen.shows("Waiting for the first event")
		slowly := func(pieces ...string) (inTime bool) {
			last := time.Now()
			inTime = true
			for i, p := range pieces {
				if i > 0 {
					time.Sleep(100 * time.Millisecond) // this is what is tested
				}
				screen.press(p)
				inTime = inTime && time.Since(last) < 400*time.Millisecond
				last = time.Now()
			}
			return inTime
		}
		if !slowly("\x1b]11;rgb:1e", "1e/2e2e/3e3e\x1b", "\\") { // would open the filter
			continue
		}
		if !slowly("/\x1b[20", "0~state:failed\x1b[2", "01~") {
			continue
		}
		screen.shows("/state:failed ")
		if !slowly("\x1b[1089::9", "9;5u") {
			continue
		}
		screen.ends(0)
		if strings.Contains(screen.written(), "2e2e") {
			t.Error("a torn answer was typed")
		}
		return
	}
	t.Error("the pieces came too late each time")
}
