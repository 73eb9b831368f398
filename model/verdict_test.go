package model

import "testing"

func TestAVerdictIsASentence(t *testing.T) {
	for want, v := range map[string]Verdict{
		"verified (secret default)":         {Reason: Verified, Secret: "default"},
		"too old by 7m12s":                  {Reason: TooOld, Detail: "too old by 7m12s"},
		"no secret matches; trim a newline": {Reason: NoMatch, Detail: "no secret matches", Hint: "trim a newline"},
	} {
		if got := v.String(); got != want || v.OK() != (v.Reason == Verified) {
			t.Errorf("%+v: %q, ok %v; want %q", v, got, v.OK(), want)
		}
	}
}
