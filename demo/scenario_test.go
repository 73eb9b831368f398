package demo

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aspectop/model"
)

func load(t *testing.T, name string) *Scenario {
	t.Helper()
	s, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// story parses a scenario and plays it.
func story(t *testing.T, text string) []arrival {
	t.Helper()
	s, err := parse("story", text)
	if err != nil {
		t.Fatal(err)
	}
	return play(t, Options{Scenario: s})
}

// states are the tasks' own states, in the order in which they came.
func states(arrivals []arrival) []model.State {
	var s []model.State
	b := board(arrivals)
	for i := range b.Len() {
		s = append(s, b.At(i).State())
	}
	return s
}

func TestEveryBuiltInScenarioPlaysToItsEnd(t *testing.T) {
	if !slices.Equal(Scenarios(), []string{"mix", "upload", "failure", "rotten", "burst"}) {
		t.Errorf("the built-in scenarios are %v", Scenarios())
	}
	for _, name := range Scenarios() {
		s := load(t, name)
		if s.Name != name || s.Title == "" {
			t.Errorf("%s: name %q, title %q", name, s.Name, s.Title)
		}
		got := play(t, Options{Scenario: s, Tasks: 40})
		if len(got) == 0 || got[len(got)-1].after > 8*time.Minute {
			t.Errorf("%s: %d posts", name, len(got))
		}
		if name != "rotten" { // where features begin anyhow
			checkLives(t, got)
		}
	}
}

func TestEveryFileBesideTheBuiltInOnesIsListed(t *testing.T) {
	entries, err := files.ReadDir("scenarios")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name := strings.TrimSuffix(e.Name(), ".scenario"); !slices.Contains(Scenarios(), name) {
			t.Errorf("%s is not listed", name)
		}
	}
}

func TestUploadShowsOneVideoToItsCompletionAndBeyond(t *testing.T) {
	got := play(t, Options{Scenario: load(t, "upload")})
	if s := states(got); !slices.Equal(s, []model.State{model.Completed}) {
		t.Errorf("it ends as %v", s)
	}
	if last := got[len(got)-1]; last.after > 35*time.Second || last.event.Type != typeProgress {
		t.Errorf("the last event is %s after %v", last.event.Type, last.after)
	}
}

func TestFailureShowsAFailureARecoveryAndACancellation(t *testing.T) {
	got := play(t, Options{Scenario: load(t, "failure")})
	if s := states(got); !slices.Equal(s, []model.State{model.Failed, model.Completed, model.Cancelled}) {
		t.Errorf("the tasks end as %v", s)
	}
}

func TestRottenHasEveryTroubleOfDelivery(t *testing.T) {
	got := play(t, Options{Scenario: load(t, "rotten")})
	times, pings, refused, odd := map[string]int{}, 0, 0, 0
	for _, a := range got {
		times[a.id()]++
		switch {
		case !a.ok:
			refused++
		case a.event.Kind == model.Ping:
			pings++
		case a.event.Type == "task.archived":
			odd++
		}
	}
	found := fmt.Sprint(refused, " refused, ", pings, " pings, ", odd, " odd, ", len(got)-len(times), " repeats, ", len(late(got)), " late")
	if want := "4 refused, 3 pings, 1 odd, 3 repeats, 4 late"; found != want {
		t.Errorf("%s; want %s", found, want)
	}
	if s := states(got); !slices.Equal(s, []model.State{model.Completed, model.Processing, model.Completed}) {
		t.Errorf("the tasks end as %v, want the second stalled and the others completed", s)
	}
}

func TestBurstBringsManyTasksAtOnce(t *testing.T) {
	got := play(t, Options{Scenario: load(t, "burst")})
	if n := board(until(got, 7*time.Second)).Len(); n != 40 {
		t.Errorf("%d tasks after 7 s, want 40", n)
	}
	for i, s := range states(got) {
		if !s.Terminal() {
			t.Errorf("task %d is left %s", i, s)
		}
	}
}

func TestAScenarioTellsWhatItsLinesSay(t *testing.T) {
	got := story(t, `
at -20s    task old video            # before the start, told at once
at 2s      task new image
at 1s      task old visual=processing scene_detect=queued
after 250ms task old type=task.archived
`)
	var lines []string
	for _, a := range got {
		line := a.after.Truncate(time.Second).String() + " " + a.event.Type
		for _, f := range a.event.Task.Features {
			line += fmt.Sprintf(" %s=%s", f.Name, f.State)
		}
		lines = append(lines, line)
	}
	want := []string{
		"0s task.progress proxy=queued preview=queued visual=queued transcription=queued",
		"1s task.progress proxy=queued preview=queued visual=processing transcription=queued scene_detect=queued",
		"1s task.archived proxy=queued preview=queued visual=processing transcription=queued scene_detect=queued",
		"2s task.progress proxy=na preview=queued visual=queued transcription=na",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if age := got[0].event.Received.Sub(got[0].event.Task.Created); age < 20*time.Second || age > 21*time.Second {
		t.Errorf("the first task was %v old when it was told of, want 20 s", age)
	}
}

func TestLinesAtTheSameInstantAreToldInTheirOrder(t *testing.T) {
	states := []string{"processing", "failed", "queued", "processing", "failed", "queued", "processing", "completed"}
	text := "at 0s task a clip\n"
	for _, s := range states {
		text += "at 1s task a visual=" + s + "\n"
	}
	got := story(t, text)
	for i, a := range got[1:] {
		if !strings.Contains(string(a.body), `"visual":{"state":"`+states[i]+`"}`) {
			t.Errorf("event %d does not tell %s: %s", i+2, states[i], a.body)
		}
		if !a.event.Task.Updated.After(got[i].event.Task.Updated) {
			t.Errorf("event %d is not newer than the one before", i+2)
		}
	}
}

func TestDeliveryWordsHoldRepeatAndBreakAMessage(t *testing.T) {
	got := story(t, `
at 0s task a clip
at 1s task a proxy=processing hold=3s
at 2s task a proxy=completed repeat=4s repeat=5s
at 3s task a visual=failed break=secret
at 8s task a preview=processing
`)
	var times []int
	for _, a := range got {
		times = append(times, int(a.after.Seconds()))
	}
	if !slices.Equal(times, []int{0, 2, 3, 4, 6, 7, 8}) {
		t.Fatalf("posts after %v s", times)
	}
	if got[1].id() != got[4].id() || got[1].id() != got[5].id() || string(got[1].body) != string(got[5].body) {
		t.Error("a repeat is another message")
	}
	if got[1].header.Get("svix-signature") == got[4].header.Get("svix-signature") {
		t.Error("a repeat is not re-signed")
	}
	if got[2].ok {
		t.Error("the message signed with another secret verifies")
	}
	if ids := late(got); !slices.Equal(ids, []string{got[3].id()}) {
		t.Errorf("late are %v, want only the one that was held", ids)
	}
	last := got[6].event.Task.Features
	if i := slices.IndexFunc(last, func(f model.Feature) bool { return f.Name == "visual" }); last[i].State != model.Queued {
		t.Errorf("what the broken message claimed became true: visual is %s", last[i].State)
	}
}

func TestUploadsLiveAndEndAsTheirFateSays(t *testing.T) {
	for f, want := range map[outcome][]model.State{
		completes:  {model.Completed},
		fails:      {model.Failed},
		recovers:   {model.Completed},
		failsAgain: {model.Failed},
		cancelled:  {model.Cancelled},
		stalls:     {model.Completed, model.Failed},
	} {
		for _, k := range kinds {
			got := story(t, fmt.Sprintf("at 0s upload %s count=7 over=20s fate=%s", k, f))
			checkLives(t, got)
			ends := states(got)
			if len(ends) != 7 {
				t.Errorf("%s %s: %d tasks", k, f, len(ends))
			}
			for _, s := range ends {
				if !slices.Contains(want, s) {
					t.Errorf("a %s that %s ends as %s", k, f, s)
				}
			}
		}
	}
}

func TestTheReadmeIsTrue(t *testing.T) {
	text, err := os.ReadFile("scenarios/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var example strings.Builder
	for line := range strings.Lines(string(text)) {
		if code, ok := strings.CutPrefix(line, "    "); ok {
			example.WriteString(code)
		}
	}
	got := story(t, example.String())
	if s := states(got); !slices.Equal(s, []model.State{model.Completed}) {
		t.Errorf("the example's task ends as %v", s)
	}
	for _, k := range kinds {
		row := regexp.MustCompile(fmt.Sprintf("(?m)^\\| [^|]*`%s`.*$", k)).FindString(string(text))
		want := ""
		for _, r := range recipes[k] {
			want += fmt.Sprintf(" %s |", r.first())
		}
		if !strings.HasSuffix(row, want) {
			t.Errorf("%s is described as %q, want %q", k, row, want)
		}
	}
	for _, f := range outcomes {
		if !strings.Contains(string(text), "| `"+string(f)+"` |") {
			t.Errorf("the fate %s is not described", f)
		}
	}
	for _, b := range Breaks {
		if !strings.Contains(string(text), "| `break="+string(b)+"` |") {
			t.Errorf("break=%s is not described", b)
		}
	}
}
