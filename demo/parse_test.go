package demo

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestAMistakeIsToldWithLineAndColumnAndWhatWasExpected(t *testing.T) {
	for text, want := range map[string]string{
		"hello":                                  `s:1:1: expected at or after, and a time; found "hello"`,
		"\n# x\n  at":                            `s:3:5: expected a time since the start, such as`,
		"at soon ping":                           `s:1:4: expected a time since the start, such as 3s, 250ms or 1m30s, and at most 24h0m0s; found "soon"`,
		"at 25h ping":                            `s:1:4: expected a time`,
		"after -3s ping":                         `s:1:7: expected a time since the line before`,
		"at 3s":                                  `s:1:6: expected task, upload or ping; found the end of the line`,
		"at 3s tusk a video":                     `s:1:7: expected task, upload or ping; found "tusk"`,
		"at 3s task":                             `s:1:11: expected a name for the task`,
		"at 3s task proxy=queued":                `s:1:12: expected a name for the task`,
		"at 3s task a":                           `s:1:13: expected the kind of upload, as a is new (video, clip, interview, audio or image); found the end of the line`,
		"at 3s task a proxy=queued":              `s:1:14: expected the kind of upload, as a is new`,
		"at 3s task a vidéo":                     `s:1:14: expected the kind of upload`,
		"at 3s task é video proxy=quéued":        `s:1:26: expected a state (queued, processing, completed, failed, cancelled or na); found "quéued"`,
		"at 3s task a video\nat 2s task a x=na":  `s:2:4: expected a time not before 3s, when a begins; found "2s"`,
		"at 3s task a video\nafter 2s task a":    `s:2:16: expected what happens to the task`,
		"at 3s task a video\nat 4s task a video": `s:2:14: expected a word of the form name=value; found "video"`,
		"at 3s task a video Proxy=queued":        `s:1:20: expected a feature's name in lower-case letters, digits and _; found "Proxy=queued"`,
		"at 3s task a video proxy=":              `s:1:26: expected a value behind proxy=; found the end of the line`,
		"at 3s task a video =queued":             `s:1:20: expected a word of the form name=value`,
		"at 3s task a video hold=x":              `s:1:25: expected a time`,
		"at 3s task a video break=it":            `s:1:26: expected what is to be wrong (signature, timestamp, future, body, secret, headers or malformed); found "it"`,
		"at 3s ping visual=queued":               `s:1:12: expected hold=, repeat= or break=; found "visual=queued"`,
		"at 3s upload":                           `s:1:13: expected the kind of upload (video, clip, interview, audio or image); found the end of the line`,
		"at 3s upload clip count=0":              `s:1:25: expected a number from 1 to 1000; found "0"`,
		"at 3s upload clip count=1001":           `s:1:25: expected a number`,
		"at 3s upload clip over=-1s":             `s:1:24: expected a time`,
		"at 3s upload clip fate=dies":            `s:1:24: expected a fate (completes, fails, recovers, relapses, cancelled or stalls); found "dies"`,
		"at 3s upload clip hold=3s":              `s:1:19: expected count=, over= or fate=; found "hold=3s"`,
		"\tat 3s\tping\twat":                     `s:1:13: expected a word of the form name=value; found "wat"`,
		"":                                       `s: the scenario is empty`,
		"# only a comment":                       `s: the scenario is empty`,
	} {
		_, err := parse("s", text)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q:\n  %v\nwant\n  %s", text, err, want)
		}
	}
}

func TestTheFirstLinesCommentIsTheTitle(t *testing.T) {
	for text, want := range map[string]string{
		"## A title. \nat 0s ping # no title":     "A title.",
		"\n# no title\nat 0s ping":                "",
		"at 0s ping # no title":                   "",
		"\ufeff# behind a mark\r\nat 0s ping\r\n": "behind a mark",
	} {
		s, err := parse("s", text)
		if err != nil || s.Title != want {
			t.Errorf("%q: title %q, error %v; want %q", text, s.Title, err, want)
		}
	}
}

func TestAScenarioIsReadFromAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine.scenario")
	if err := os.WriteFile(path, []byte("# Mine.\nat 0s upload clip\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := load(t, path)
	if s.Name != path || s.Title != "Mine." || len(s.steps) != 1 {
		t.Errorf("got %+v", s)
	}
}

func TestWhatIsNoScenarioFileIsAnErrorThatHelps(t *testing.T) {
	dir := t.TempDir()
	big, bad := filepath.Join(dir, "big"), filepath.Join(dir, "bad")
	for path, text := range map[string]string{big: strings.Repeat("# \n", maxFile), bad: "at 3s pong"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"uplaod": `"uplaod" is neither a file nor a built-in scenario (mix, upload, failure, rotten, burst)`,
		"":       "is neither a file nor a built-in scenario",
		dir:      "cannot read the scenario",
		big:      "larger than 1 MiB",
		bad:      bad + ":1:7: expected task, upload or ping",
	} {
		if _, err := Load(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Load(%q): %v, want %s", name, err, want)
		}
	}
}

// FuzzScenario checks that no file makes the parser panic, that a mistake is told
// with its line and column, and that what is accepted is within its limits.
func FuzzScenario(f *testing.F) {
	for _, name := range Scenarios()[1:] {
		text, err := files.ReadFile("scenarios/" + name + ".scenario")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("\ufeff# title\nat -1m task a video visual=queued hold=1s repeat=2s break=body type=x\nafter 1ms ping\nat 2s upload image count=3 over=5s fate=fails")
	told := regexp.MustCompile(`^file:[1-9]\d*:[1-9]\d*: expected .*; found .*$|^file: nothing happens`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parse("file", text)
		if err != nil {
			if !told.MatchString(err.Error()) {
				t.Errorf("%q is refused without a place: %v", text, err)
			}
			return
		}
		for _, step := range s.steps {
			if step.at < -longest || step.hold < 0 || step.hold > longest || step.count > maxCount || step.over < 0 || step.over > longest {
				t.Errorf("%q has the step %+v", text, step)
			}
		}
	})
}
