package printer

import (
	"encoding/json"
	"testing"
)

func TestSafeJSONMeansTheSameAndShowsNothingThatActs(t *testing.T) {
	for _, text := range hostile {
		encoded, err := json.Marshal(map[string]string{text: text})
		if err != nil {
			t.Fatal(err)
		}
		safe := SafeJSON(encoded)
		checkSafe(t, string(safe)+"\n")
		var back map[string]string
		if err := json.Unmarshal(safe, &back); err != nil || back[valid(text)] != valid(text) {
			t.Errorf("%q came back as %q (%v)", text, back, err)
		}
	}
}

func TestSafeJSONEscapesWhatIsNoUTF8(t *testing.T) {
	if got, want := string(SafeJSON([]byte("\"a\xffé\u009b\""))), `"a\ufffdé\u009b"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSafeJSONCopiesNothingThatIsSafe(t *testing.T) {
	text := []byte(`{"name":"日本語 <&>"}`)
	if safe := SafeJSON(text); &safe[0] != &text[0] {
		t.Errorf("copied %s", safe)
	}
	if n := testing.AllocsPerRun(10, func() { SafeJSON(text) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
