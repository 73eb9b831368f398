package ui

import "testing"

func TestTheKeyTableHasEveryBindingWithItsPlace(t *testing.T) {
	keys := Keys()
	if len(keys) != len(bindings) {
		t.Errorf("%d rows for %d bindings", len(keys), len(bindings))
	}
	seen, where := map[string]bool{}, ""
	for _, k := range keys {
		if k.Keys == "" || k.Does == "" || k.Where == "" {
			t.Errorf("a row is incomplete: %+v", k)
		}
		if k.Where != where && seen[k.Where] {
			t.Errorf("the rows of %q do not stand together", k.Where)
		}
		where, seen[k.Where] = k.Where, true
	}
}
