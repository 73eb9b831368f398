package draw

import "testing"

func TestASecretIsRedactedHoweverAFrameBreaksIt(t *testing.T) {
	const secret = "q7Rk2-Zp_9xLm4Tw"
	for frame, want := range map[string]string{
		"at http://x/q7Rk2-Zp_9xLm4Tw/ now":              "at http://x/****************/ now",
		"q7Rk2-Zp…":                                      "********…",
		"ä q7Rk2-Zp\n_9xLm4Tw/":                          "ä ********\n********/",
		"q7R\x1b[1mk2-Zp_9x\x1b[mLm4Tw":                  "***\x1b[1m********\x1b[m*****",
		"\x1b[38;2;1;2;3m9xLm4Tw q7Rk2-Zp_9xLm4Tw":       "\x1b[38;2;1;2;3m******* ****************",
		"what is not in it stays: q7Rk, xLm4T, ✓ \x1b[m": "what is not in it stays: q7Rk, xLm4T, ✓ \x1b[m",
	} {
		if got := Redact(frame, secret); got != want {
			t.Errorf("%q became %q, not %q", frame, got, want)
		}
	}
	if got := Redact("frame", ""); got != "frame" {
		t.Errorf("without a secret it became %q", got)
	}
}
