package ui

import (
	"fmt"
	"testing"
)

func TestFramesOfDeliveries(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			onScreen(t, size[0], size[1], uploads(), func(s *screen) {
				s.press("4")
				s.matchesGolden()
			})
		})
	}
}

func TestDeliveriesFitEverySize(t *testing.T) {
	onScreen(t, 80, 24, uploads(), func(s *screen) {
		s.press("4")
		s.fitsEverySize()
	})
}

func TestDeliveriesClaimNothingThatIsNotThere(t *testing.T) {
	onScreen(t, 80, 24, uploads(), func(s *screen) {
		s.press("4")
		s.shows("no API client yet", "3 shows every delivery")
		s.press("down", "enter", "y", "f", "s", "n")
		s.hides(taskID(1)[:8])
		s.press("3")
		s.shows(taskID(1)[:8])
	})
}
