package keys

import (
	"strings"
	"testing"
)

// The help of a viewer elsewhere offers nothing that cannot be done there.
func TestARemoteScreensHelpOffersNothingOnTheHost(t *testing.T) {
	for _, row := range Bindings.For(true, false).Table() {
		for _, word := range []string{"send", "edit", "suspend", "save"} {
			if strings.Contains(row.Does, word) {
				t.Errorf("%s: %s", row.Keys, row.Does)
			}
		}
	}
	if Bindings.Lookup("enter", InText) != Open {
		t.Error("the bindings of the host have changed")
	}
}
