package draw

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"aspectop/model"
)

// midnight is the beginning of the charts.
var midnight = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// barOf draws a bar in letters: waiting, working, the end's sign in capitals, the rest
// after an end that was not the last, blanks.
func barOf(s *Scale, bar *Bar) string {
	letters := []string{"░", "q", "█", "p", "─", "-", "│", " "}
	for _, state := range model.States {
		letters = append(letters, state.Sign, strings.ToUpper(state.Letter))
	}
	line := NewLine(NewTheme("mono"), s.w).PutBar(s, bar).String()
	return strings.NewReplacer(letters...).Replace(ansi.Strip(line))
}

// intervals makes spans out of "queued@0 processing@2": states and the seconds at
// which they were entered.
func intervals(told string) []model.Interval {
	var spans []model.Interval
	for _, s := range strings.Fields(told) {
		name, at, _ := strings.Cut(s, "@")
		d, err := time.ParseDuration(at + "s")
		if err != nil {
			panic(err)
		}
		from := midnight.Add(d)
		if n := len(spans); n > 0 {
			spans[n-1].To = from
		}
		spans = append(spans, model.Interval{State: model.State(name), From: from})
	}
	return spans
}

func TestABarKeepsToTheScaleOfTime(t *testing.T) {
	for _, c := range []struct {
		what      string
		intervals string
		from, to  float64 // seconds
		w         int
		want      string
	}{
		{"a whole life", "queued@0 processing@2 completed@10", 0, 10, 11, "qqppppppppC"},
		{"under way until now", "queued@0 processing@5", 0, 10, 11, "qqqqqppppp "},
		{"queued until now", "queued@0", 0, 10, 6, "qqqqq "},
		{"ends early", "processing@0 failed@4", 0, 10, 11, "ppppF      "},
		{"starts late", "processing@8 completed@10", 0, 10, 11, "        ppC"},
		{"taken up again", "processing@0 failed@3 processing@7 completed@9", 0, 10, 11, "pppF---ppC "},
		{"rounds to the nearest cell", "queued@0 processing@1.4 completed@8.6", 0, 10, 11, "qppppppppC "},
		{"a short interval has a cell", "queued@0 processing@0.001 completed@10", 0, 10, 6, "qppppC"},
		{"a short interval at the end has a cell", "queued@0 processing@9.998 completed@9.999", 0, 10, 6, "qqqqpC"},
		{"three intervals in an instant", "queued@5 processing@5.001 failed@5.002", 0, 10, 11, "     qpF   "},
		{"an end at once", "na@0", 0, 10, 6, "N     "},
		{"a task of one instant", "completed@0", 0, 0, 6, "C     "},
		{"one instant, still active", "queued@0", 0, 0, 6, "q     "},
		{"begun this instant", "processing@10", 0, 10, 6, "     p"},
		{"ahead of this clock", "queued@0 processing@12", 0, 12, 7, "qqqqqqp"},
		{"ended before, and again", "processing@-9 failed@-5 processing@-4 completed@5", 0, 10, 11, "pppppC     "},
		{"begun ahead of the scale", "queued@-5 completed@5", 0, 10, 11, "qqqqqC     "},
		{"an unknown state works", "warming@0 completed@4", 0, 4, 5, "ppppC"},
		{"a single cell", "queued@0 processing@2 completed@10", 0, 10, 1, "C"},
		{"fewer cells than intervals", "queued@0 processing@2 failed@4 processing@6 completed@8", 0, 8, 3, "FpC"},
		{"no cell", "queued@0", 0, 10, 0, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			at := func(s float64) time.Time { return midnight.Add(time.Duration(s * float64(time.Second))) }
			bar := Bar{Intervals: intervals(c.intervals)}
			if got := barOf(NewScale(at(c.from), at(c.to), at(c.to), c.w, nil), &bar); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTicksAreRoundAndApart(t *testing.T) {
	for _, c := range []struct {
		whole time.Duration
		w     int
		want  string
	}{
		{0, 60, "0 00:00:00"},
		{10 * time.Second, 26, "0 00:00:00, 13 00:00:05, 25 00:00:10"},
		{10 * time.Second, 60, "0 00:00:00, 12 00:00:02, 24 00:00:04, 35 00:00:06, 47 00:00:08, 59 00:00:10"},
		{800 * time.Millisecond, 40, "0 00:00:00"},
		{4 * time.Minute, 50, "0 00:00, 12 00:01, 25 00:02, 37 00:03, 49 00:04"},
		{90 * time.Minute, 50, "0 00:00, 8 00:15, 16 00:30, 25 00:45, 33 01:00, 41 01:15, 49 01:30"},
		{50 * time.Hour, 60, "0 01-01 00:00, 14 01-01 12:00, 28 01-02 00:00, 42 01-02 12:00, 57 00:00"},
		{24 * 400 * time.Hour, 40, "0 01-01, 10 04-10, 20 07-19, 29 10-27, 39 02-04"},
		{time.Second, 8, "0 00:00:00"},
		{time.Second, 5, "0 00:00:00"},
		{1 << 62, 60, "0 01-01, 40 12-07"},
	} {
		var told []string
		for _, tick := range NewScale(midnight, midnight.Add(c.whole), midnight.Add(c.whole), c.w, nil).ticks() {
			told = append(told, fmt.Sprint(tick.cell, " ", tick.label))
		}
		if got := strings.Join(told, ", "); got != c.want {
			t.Errorf("%v in %d cells: got %s, want %s", c.whole, c.w, got, c.want)
		}
	}
}

func TestLongIdleTimeIsFoldedForAllBarsAtOnce(t *testing.T) {
	at := func(d time.Duration) time.Time { return midnight.Add(d) }
	bars := []Bar{
		{Intervals: intervals("queued@0 processing@5 completed@60"), Labels: []string{"55s"}},
		{Intervals: intervals("queued@10800 processing@10805 failed@10850"), Since: at(3*time.Hour - time.Millisecond), Labels: []string{"45s"}},
		{Intervals: intervals("processing@10810")},
	}
	s := NewScale(at(0), at(3*time.Hour+time.Minute), at(3*time.Hour+time.Minute), 70, bars)
	l := func() *Line { return NewLine(NewTheme("mono"), 70) }
	got := []string{ansi.Strip(l().PutAxis(s).String())}
	for i := range bars {
		got = append(got, ansi.Strip(l().PutBar(s, &bars[i]).String()))
	}
	for i, want := range []string{
		"│00:00:00       │00:00:30       ┆ 3 h ┆               │03:00:30    now",
		"░░░████████████████████████████✓ 55s                                 │",
		"                                ┆     ┆░░░██████████████████████✗ 45s│",
		"                                ┆     ┆     █████████████████████████│",
	} {
		if strings.TrimRight(got[i], " ") != want {
			t.Errorf("line %d is\n%s, not\n%s", i, got[i], want)
		}
	}
}

func TestABarTellsWhatItTookAndWhetherItIsLate(t *testing.T) {
	at := func(s int) time.Time { return midnight.Add(time.Duration(s) * time.Second) }
	for _, c := range []struct {
		what, intervals string
		usual           int // 0: not known
		labels          []string
		want            string
	}{
		{"behind it", "processing@0 completed@10", 0, []string{"completed in 10s", "10s"}, "█████✓ completed in 10s                 │"},
		{"in it", "processing@0 completed@70", 0, []string{"completed in 70s"}, "████████████████ completed in 70s █✓    │"},
		{"before it", "processing@70 completed@75", 0, []string{"5s"}, "                                5s ███✓ │"},
		{"outside, on the left", "processing@-50 completed@-10", 0, []string{"40s"}, "←"},
		{"early", "processing@40", 90, []string{"40s"}, "                    ██████████████ 40s █│    ◇"},
		{"late", "processing@40", 60, []string{"40s"}, "                    ██████████◇███ 40s █│"},
	} {
		bar := Bar{Intervals: intervals(c.intervals), Labels: c.labels}
		if c.usual > 0 {
			bar.Usual = at(c.usual)
		}
		ahead := Bar{Intervals: intervals("processing@0"), Usual: at(98)}
		s := NewScale(at(0), at(80), at(80), 50, []Bar{ahead})
		if got := strings.TrimRight(ansi.Strip(NewLine(NewTheme("mono"), 50).PutBar(s, &bar).String()), " "); got != c.want {
			t.Errorf("%s:\n%s, not\n%s", c.what, got, c.want)
		}
	}
}
