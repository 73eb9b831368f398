package check_test

import (
	"net/http"
	"slices"
	"testing"
)

func TestSmoke(t *testing.T) {
	r, probes := checked(t, verifying(raw))
	for _, p := range probes {
		t.Logf("%+v", p)
	}
	t.Log(codesOf(r), r.Outcomes, r.Err, r.Undecided)
	r, probes = checked(t, verifying(compact))
	for _, p := range probes {
		t.Logf("%+v", p)
	}
	t.Log(codesOf(r), r.Outcomes, r.Err, r.Undecided)
	_ = http.NoBody
	_ = slices.Max[[]int]
}
